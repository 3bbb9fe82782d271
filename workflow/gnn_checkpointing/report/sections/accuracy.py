"""Training jobs: whether checkpointing changes what is learnt."""

from __future__ import annotations

from collections.abc import Iterable

from gnn_checkpointing.analysis.results import Accuracy
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ACCURACY, ReportInputs
from gnn_checkpointing.report.page import Block, Cell, Column, Paragraph, Section, Table


def _worst(items: Iterable[Accuracy]) -> float:
    return max((item.largest_loss_difference for item in items), default=0.0)


def accuracy_section(inputs: ReportInputs) -> Section:
    """Return the section on the training jobs."""
    if not inputs.accuracy:
        return Section("accuracy", "Accuracy", (Paragraph("This study has no training jobs."),))
    worst = _worst(item for item in inputs.accuracy if item.policy != REORDERED)
    control = _worst(item for item in inputs.accuracy if item.policy == REORDERED)
    blocks: tuple[Block, ...] = (
        Paragraph(
            "Each convolution and policy was trained from the same seed. Checkpointing recomputes the same numbers, so "
            "losses and accuracies should agree up to what rounding does to a training run. How much that is shows the "
            f'control, "{REORDERED}": the same training without checkpointing, with each node\'s neighbours summed in '
            f"reverse order. The largest difference between a policy's loss curve and none's, as a share of the first "
            f"loss, is {units.error(worst)}; the control's is {units.error(control)}. Where a gradient is small, Adam "
            "scales its rounding noise up to a full step, and two curves that are equal in exact arithmetic part."
        ),
        Table(
            id="table-accuracy",
            caption="Training jobs: loss and accuracy after the last epoch, and the largest difference of the loss "
            "curve from that of none, as a share of none's first loss.",
            columns=(
                Column("Graph", "", "prose"),
                Column("Convolution"),
                Column("Policy"),
                Column("Epochs", "", "number"),
                Column("Final loss", "", "number"),
                Column("Training accuracy", "", "number"),
                Column("Test accuracy", "", "number"),
                Column("Loss difference", "", "number"),
            ),
            rows=tuple(
                (
                    Cell(item.graph, item.graph),
                    Cell(item.convolution, item.convolution),
                    Cell(item.policy, item.policy),
                    Cell(units.count(item.epochs), item.epochs),
                    Cell(units.fixed(item.final_loss, 4), item.final_loss),
                    Cell(units.accuracy(item.train_accuracy), item.train_accuracy),
                    Cell(units.accuracy(item.test_accuracy), item.test_accuracy),
                    Cell(units.error(item.largest_loss_difference), item.largest_loss_difference),
                )
                for item in inputs.accuracy
            ),
            source=ACCURACY,
        ),
    )
    return Section("accuracy", "Accuracy", blocks)
