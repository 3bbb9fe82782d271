"""Hand-made measures of a trained Vision GNN on images."""

from typing import Any

from gnn_checkpointing.records.jobs import Block, Explained, Mean


def block(number: int, accuracy: float = 0.5, **values: Any) -> Block:
    mean = Mean(estimate=0.5, low=0.4, high=0.6)
    measures = dict.fromkeys(
        ("spatial_distance", "visual_similarity", "embedding_similarity", "class_probability", "modularity"), mean
    )
    right = Mean(estimate=accuracy, low=accuracy - 0.001, high=accuracy + 0.001)
    return Block(number=number, neighbours=9, dilation=1, top1_accuracy=right, **{**measures, **values})


def explained(images: int = 10, **values: Any) -> Explained:
    parts: dict[str, Any] = {
        "label": "validation",
        "images": images,
        "convolution": "ViG-S",
        "parameters": 22_747_000,
        "channels": 320,
        "weights_sha256": "0" * 64,
        "blocks": [block(number) for number in range(1, 17)],
        "late_rise": Mean(estimate=0.1, low=0.05, high=0.15),
    }
    return Explained(**{**parts, **values})
