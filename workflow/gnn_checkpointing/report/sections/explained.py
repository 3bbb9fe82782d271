"""A trained Vision GNN explained: what its blocks' graphs are like on images, and the claims that rest on that."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import ExplainedSet
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EXPLANATIONS, ReportInputs
from gnn_checkpointing.report.page import Section
from gnn_checkpointing.report.panels import Shown, figure, lines_over
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.sections.parts import blocks, line, points
from gnn_checkpointing.report.tables import Of, table
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
    """A model's blocks on images, None where the study explains none."""
    sets = inputs.explained.sets
    if not sets:
        return None
    tables = [
        table(
            f"table-explained-{name}",
            _text("table-explained", one=one),
            EXPLANATIONS,
            one.blocks,
            Of("Block", "number", units.digits),
            Of("Neighbours", "neighbours", units.digits),
            *(Of(words.partition(" (")[0].capitalize(), of, units.general_estimate) for of, words in MEASURES.items()),
        )
        for name, one in sets.items()
    ]
    seeds = [claim.id for claim in inputs.ledger.claims if claim.kind == "seed"]
    verdicts = verdict_table(inputs, "table-explained-verdicts", _text("table-explained-verdicts"), seeds)
    opening = _text("opening", sets=list(sets.values()))
    return Section("explained", "A Vision GNN explained", blocks(opening, _figure(sets), tables, verdicts))


def _figure(sets: dict[str, ExplainedSet]) -> Figure:
    names = [f"{block.number} ({block.neighbours})" for block in next(iter(sets.values())).blocks]
    x = scales.step_scale(names, "block (its neighbours)")
    own_looks = looks([one.label for one in sets.values()])

    def shown(measure: str, words: str) -> Shown | None:
        lines = [
            line(one.label, one.blocks, lambda block: block.number, lambda block: getattr(block, measure))
            for one in sets.values()
        ]
        ends = [end for point in points([lines]) for end in (point.low, point.high)]
        return lines_over(words, lines, own_looks, x, scales.value_scale(ends, words), names="images") if ends else None

    return figure(
        "figure-explained",
        _text("figure-explained"),
        _text("figure-explained-how-to-read"),
        EXPLANATIONS,
        (shown(measure, words) for measure, words in MEASURES.items()),
    )
