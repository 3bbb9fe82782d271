"""The twelve claims that the project began from judge themselves: by a model, its blocks on images, and rules."""

from collections.abc import Sequence
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


VALIDATION, ADVERSARIAL = as_claimed()
BARE = [block(number, modularity=None) for number in NUMBERS]
STEADY = [block(number, accuracy=0.686, class_probability=around(0.486)) for number in NUMBERS]
NEAR = [
    one if one.number != 3 else one.model_copy(update={"spatial_distance": around(5.0)}) for one in VALIDATION.blocks
]
TINY = [one.model_copy(update={"convolution": "ViG-Ti"}) for one in (VALIDATION, ADVERSARIAL)]
HOLDS, UNTESTED = (dict.fromkeys((f"v{number}" for number in range(1, 13)), one) for one in ("supported", "untested"))


@pytest.mark.parametrize(
    ("sets", "verdicts", "reason"),
    [
        ((VALIDATION, ADVERSARIAL), HOLDS, ("v1", "")),
        ((VALIDATION,), HOLDS | dict.fromkeys(("v9", "v11", "v12"), "untested"), ("v8", "on 100000 images of validat")),
        ((explained(100, blocks=BARE),), {"v10": "untested"}, ("v10", "came without masks")),
        (
            (VALIDATION.model_copy(update={"blocks": NEAR, "late_rise": around(-0.1)}),),
            {"v4": "refuted", "v7": "refuted", "v5": "supported"},
            ("v4", ""),
        ),
        (as_claimed(blocks=STEADY), {"v11": "refuted", "v12": "refuted"}, ("v11", "")),
        (TINY, UNTESTED, ("v2", "ViG-Ti was explained")),
    ],
    ids=["as claimed", "validation alone", "no masks", "one block is not", "no fall", "another size"],
)
def test_claims_are_judged_by_what_was_explained(
    sets: Sequence[Explained], verdicts: dict[str, str], reason: tuple[str, str]
) -> None:
    found = judged(*sets)
    assert {name: found[name][0] for name in verdicts} == verdicts
    assert reason[1] in found[reason[0]][1]


@pytest.mark.parametrize(("parameters", "verdict"), [(21_727_000, "supported"), (22_748_000, "refuted")])
def test_the_measured_model_is_counted(parameters: int, verdict: str) -> None:
    model = StudyModel(convolution="ViG-S (images)", num_layers=16, hidden_channels=320, heads=1, parameters=parameters)
    findings = empty(frontier=frontier(models=[model]))
    (claim,) = [claim for claim in ledger(findings).claims if claim.id.startswith("v1-")]
    assert claim.verdict == verdict
    assert "classifies images: 1020900 parameters more for the 1000 classes" in claim.reason
