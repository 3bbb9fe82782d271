"""Training jobs: whether checkpointing changes what is learnt."""

from __future__ import annotations

from collections.abc import Iterable

from gnn_checkpointing.analysis.results import Accuracy
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ACCURACY, ReportInputs
from gnn_checkpointing.report.page import Block, Paragraph, Section
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.texts import texts

_text = texts("accuracy")


def _worst(items: Iterable[Accuracy]) -> float:
    return max((item.largest_loss_difference for item in items), default=0.0)


def accuracy_section(inputs: ReportInputs) -> Section:
    """Return the section on the training jobs."""
    if not inputs.accuracy:
        return Section("accuracy", "Accuracy", (Paragraph("This study has no training jobs."),))
    worst = _worst(item for item in inputs.accuracy if item.policy != REORDERED)
    control = _worst(item for item in inputs.accuracy if item.policy == REORDERED)
    blocks: tuple[Block, ...] = (
        Paragraph(_text("each-convolution-and-policy-was", reordered=REORDERED, worst=worst, control=control)),
        table(
            "table-accuracy",
            _text("table-accuracy"),
            ACCURACY,
            inputs.accuracy,
            Of("Graph", "graph", content="prose"),
            Of("Convolution", "convolution"),
            Of("Policy", "policy"),
            Of("Epochs", "epochs", units.count),
            Of("Final loss", "final_loss", lambda value: units.fixed(value, 4)),
            Of("Training accuracy", "train_accuracy", units.accuracy),
            Of("Test accuracy", "test_accuracy", units.accuracy),
            Of("Loss difference", "largest_loss_difference", units.error),
        ),
    )
    return Section("accuracy", "Accuracy", blocks)
