"""What training jobs reached."""

from __future__ import annotations

from gnn_checkpointing.analysis.results.base import Result


class Accuracy(Result):
    """One training job's end."""

    graph: str
    convolution: str
    policy: str
    epochs: int
    final_loss: float
    train_accuracy: float
    test_accuracy: float
    largest_loss_difference: float
