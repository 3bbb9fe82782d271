"""The twelve claims that the project began from judge themselves: by a model, its blocks on images, and rules."""

from typing import Any

import pytest

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import StudyModel
from gnn_checkpointing.claims.catalogue import catalogue
from gnn_checkpointing.records.jobs import Explained, Explanations, Mean
from synthetic.explained import block, explained
from synthetic.findings import empty, ledger
from synthetic.results import frontier

NUMBERS = range(1, 17)


def around(middle: float, reach: float = 0.001) -> Mean:
    return Mean(estimate=middle, low=middle - reach, high=middle + reach)


def as_claimed(**adversarial: Any) -> tuple[Explained, Explained]:
    """Return a validation set and an adversarial one of which all that is claimed holds."""
    blocks = [
        block(
            number,
            accuracy=0.686,
            visual_similarity=around(0.7 if number <= 4 else 0.3),
            embedding_similarity=around(0.95),
            spatial_distance=around(3.0 if number <= 4 else 8.8),
            class_probability=around(0.486),
            modularity=around(0.236),
        )
        for number in NUMBERS
    ]
    deceived = [
        block(number, accuracy=0.027, modularity=around(0.095), class_probability=around(0.018)) for number in NUMBERS
    ]
    return (
        explained(100_000, blocks=blocks),
        explained(100_000, label="adversarial", **{"blocks": deceived, **adversarial}),
    )


def judged(validation: Explained | None, adversarial: Explained | None = None) -> dict[str, tuple[str, str]]:
    sets = {"validation": validation, "adversarial": adversarial}
    tiny = StudyModel(convolution="ViG-Ti (images)", num_layers=12, hidden_channels=192, heads=1, parameters=7)
    findings: Findings = empty(
        explained=Explanations(sets={name: one for name, one in sets.items() if one is not None}),
        frontier=frontier(models=[tiny]),
    )
    claims = [claim for claim in ledger(findings).claims if claim.kind == "seed"]
    return {claim.id.partition("-")[0]: (claim.verdict, claim.reason) for claim in claims}


def test_without_weights_and_images_all_are_untested_with_what_they_take() -> None:
    found = judged(None)
    assert list(found) == [f"v{number}" for number in range(1, 13)]
    assert {verdict for verdict, _ in found.values()} == {"untested"}
    assert all(reason.startswith("it takes ") for _, reason in found.values())
    assert "ImageNet-A with masks" in found["v9"][1]
    assert all("2504.19682" in template.source for template in catalogue() if template.kind == "seed")


def test_what_holds_is_supported() -> None:
    assert {name: verdict for name, (verdict, _) in judged(*as_claimed()).items()} == dict.fromkeys(
        [f"v{number}" for number in range(1, 13)], "supported"
    )


def test_validation_alone_judges_what_it_can() -> None:
    found = judged(as_claimed()[0])
    tested = {name for name, (verdict, _) in found.items() if verdict != "untested"}
    assert tested == {"v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v10"}
    assert "on 100000 images of validation" in found["v8"][1]


def test_without_masks_modularity_is_untested() -> None:
    bare = [block(number, modularity=None) for number in NUMBERS]
    verdict, reason = judged(explained(100, blocks=bare))["v10"]
    assert (verdict, "came without masks" in reason) == ("untested", True)


def test_one_block_that_is_not_as_claimed_refutes() -> None:
    validation, _ = as_claimed()
    blocks = [
        one if one.number != 3 else one.model_copy(update={"spatial_distance": around(5.0)})
        for one in validation.blocks
    ]
    found = judged(validation.model_copy(update={"blocks": blocks, "late_rise": around(-0.1)}))
    assert found["v4"][0] == found["v7"][0] == "refuted"
    assert found["v5"][0] == "supported"


def test_a_fall_that_does_not_happen_refutes() -> None:
    steady = [block(number, accuracy=0.686, class_probability=around(0.486)) for number in NUMBERS]
    found = judged(*as_claimed(blocks=steady))
    assert found["v11"][0] == found["v12"][0] == "refuted"


def test_another_size_is_no_evidence() -> None:
    tiny = [one.model_copy(update={"convolution": "ViG-Ti"}) for one in as_claimed()]
    found = judged(*tiny)
    assert {verdict for verdict, _ in found.values()} == {"untested"}
    assert "ViG-Ti was explained" in found["v2"][1]


@pytest.mark.parametrize(("parameters", "verdict"), [(21_727_000, "supported"), (22_748_000, "refuted")])
def test_the_measured_model_is_counted(parameters: int, verdict: str) -> None:
    model = StudyModel(convolution="ViG-S (images)", num_layers=16, hidden_channels=320, heads=1, parameters=parameters)
    findings = empty(frontier=frontier(models=[model]))
    (claim,) = [claim for claim in ledger(findings).claims if claim.id.startswith("v1-")]
    assert claim.verdict == verdict
    assert "classifies images: 1020900 parameters more for the 1000 classes" in claim.reason
