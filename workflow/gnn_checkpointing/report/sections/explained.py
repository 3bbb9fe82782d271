"""A trained Vision GNN explained: what its blocks' graphs are like on images, and the claims that rest on that."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Estimate, ExplainedBlock, ExplainedSet
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EXPLANATIONS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Shown, figure, lines_over
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.texts import texts

_text = texts("explained")

MEASURES = {
    "spatial_distance": "spatial distance (patches)",
    "visual_similarity": "visual similarity (cosine)",
    "embedding_similarity": "embedding similarity (cosine)",
    "class_probability": "probability of the right class",
    "modularity": "modularity of the object",
    "top1_accuracy": "top-1 accuracy",
}


def explained_section(inputs: ReportInputs) -> Section | None:
    """Return the section on the explained model, None where the study explains none."""
    sets = inputs.explained.sets
    if not sets:
        return None
    first = next(iter(sets.values()))
    blocks: list[Block] = [
        Paragraph(
            f"{first.convolution} with trained weights ({units.count(first.parameters)} parameters), on "
            + " and ".join(f"{units.count(one.images)} images of {one.label}" for one in sets.values())
            + ". After every block: how far apart the patches are that its graph joins, how alike they look and are "
            "embedded, what the final head would say there, and how well the graph keeps the object from the rest."
        ),
        _figure(sets),
        *(_table(name, one) for name, one in sets.items()),
        *verdict_table(
            inputs,
            "table-explained-verdicts",
            "The claims that this project began from, judged on these images.",
            [claim.id for claim in inputs.ledger.claims if claim.kind == "seed"],
        ),
    ]
    return Section("explained", "A Vision GNN explained", tuple(blocks))


def _figure(sets: dict[str, ExplainedSet]) -> Figure:
    names = [f"{block.number} ({block.neighbours})" for block in next(iter(sets.values())).blocks]
    x = scales.step_scale(names, "block (its neighbours)")
    own_looks = looks([one.label for one in sets.values()])

    def shown(measure: str, words: str) -> Shown | None:
        lines = [Line(one.label, points) for one in sets.values() if (points := _points(one.blocks, measure))]
        ends = [end for line in lines for point in line.points for end in (point.low, point.high)]
        return lines_over(words, lines, own_looks, x, scales.value_scale(ends, words), names="images") if ends else None

    return figure(
        "figure-explained",
        "The five measures and the accuracy after each block.",
        _text("figure-explained-how_to_read"),
        EXPLANATIONS,
        (shown(measure, words) for measure, words in MEASURES.items()),
    )


def _points(blocks: Sequence[ExplainedBlock], measure: str) -> tuple[Point, ...]:
    found = [(block.number, getattr(block, measure)) for block in blocks]
    return tuple(Point.of(number, value) for number, value in found if isinstance(value, Estimate))


def _table(name: str, one: ExplainedSet) -> Table:
    return Table(
        id=f"table-explained-{name}",
        caption=f"Block by block on {one.label}: means over {units.count(one.images)} images with 95 % interval.",
        columns=(
            Column("Block", "", "number"),
            Column("Neighbours", "", "number"),
            *(Column(words.partition(" (")[0].capitalize(), "", "number") for words in MEASURES.values()),
        ),
        rows=tuple(
            (
                units.digits(block.number),
                units.digits(block.neighbours),
                *(_cell(getattr(block, measure)) for measure in MEASURES),
            )
            for block in one.blocks
        ),
        source=EXPLANATIONS,
    )


def _cell(value: Estimate | None) -> str:
    return units.NOTHING if value is None else units.general_estimate(value)
