"""The table of effects: measured rows grouped by place, convolution, policy and allocator."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from statistics import median
from typing import Any

from gnn_checkpointing.analysis.estimates import Noise, mean_bytes, noise, throughput
from gnn_checkpointing.analysis.frontier import frontier
from gnn_checkpointing.analysis.results import Effect, Effects, Kind, PracticeEffect, StudyModel
from gnn_checkpointing.analysis.table import Row, grouped, policy_order
from gnn_checkpointing.records.measurements_table import Value

METHODS: dict[str, Kind] = {
    **dict.fromkeys(("thinned", "capped", "two_hop"), "graded"),
    **dict.fromkeys(("neighbours", "clusters"), "batch"),
    **dict.fromkeys(("encodings", "ego_networks"), "ego"),
}
KINDS: tuple[Kind, ...] = ("generated", "real", "graded", "batch", "ego")
"""Ordered so that a graph comes before the graphs made from it."""
PREFERRED_FAMILY = "erdos_renyi"
"""Graphs without structure; where measured, this is the family that others are compared with."""

Place = tuple[Any, ...]


def effects(
    rows: Sequence[Row],
    reference: str,
    confidence: float,
    repeats: Sequence[Mapping[str, Value]] = (),
    *,
    in_sentinels: bool = False,
) -> tuple[Effects, Noise]:
    """All effects, and the noise included in their intervals; `repeats` are the table's rows with all visits.

    Policies that were not shown to compute the same as none are left out; those that train another model are marked.
    `in_sentinels`: whether laws of time are fitted in sentinels.
    """
    by_graph = {row.graph: row for row in rows}

    def place(row: Row) -> Place:
        # A derived graph takes the size and density of the graph that it was made from.
        base = by_graph.get(row.base, row) if row.derivation else row
        own = (base.num_nodes, base.degree) if base.is_drawn else (0, base.average_degree)
        origin = base.family if base.is_drawn else (row.base or row.graph)
        kind = METHODS.get(row.derivation, "generated" if row.is_drawn else "real")
        return kind, *own, origin, row.derivation, row.derivation_size or 0.0

    def order(row: Row) -> tuple[Any, ...]:
        # Draws of one size and density form one group, as do batches of one size.
        kind, *where = place(row)
        allocator = (row.allocator != reference, row.allocator)
        return (*allocator, row.convolution, policy_order(row.policy), KINDS.index(kind), *where)

    kept = sorted((row for row in rows if not row.changes), key=lambda row: (*order(row), row.graph))
    groups = list(grouped(kept, order).values())
    ours = [cells for cells in groups if cells[0].allocator == reference]
    found_noise = noise(confidence, ours, repeats, reference, in_sentinels=in_sentinels)
    labels = labels_of([row for row in rows if row.is_real])
    headlines = _headlines([row for cells in ours for row in cells if row.is_drawn])
    table = [_effect(cells, place(cells[0]), labels, headlines, found_noise) for cells in groups]
    family, table = _beside_reference_family(table)
    found = Effects(
        confidence=confidence,
        reference_allocator=reference,
        reference_family=family,
        run_to_run=found_noise.run,
        rows=table,
        models=_models([row for row in rows if row.allocator == reference]),
    )
    return found.model_copy(update=frontier(table, reference)), found_noise


_OF_ALL_CELLS = (
    *("convolution", "policy", "allocator", "stack", "num_layers", "family", "num_features"),
    "requested_average_degree",
)
_MEDIANS = (
    *("num_edges", "activation_bytes", "saved_activation_bytes"),
    *("step_time_seconds", "system_time_seconds", "page_faults"),
)


def _effect(
    cells: Sequence[Row],
    place: Place,
    labels: Mapping[str, str],
    headlines: Mapping[str, tuple[str, int]],
    found: Noise,
) -> Effect:
    first = cells[0]
    kind, _, base_degree, origin, *_ = place
    timed = [row for row in cells if row.time_ratio is not None]
    clocked = [row for row in cells if row.step_time_seconds]
    paired = [row for row in cells if row.activation_ratio is not None]
    seconds = found.seconds(clocked) if clocked else None
    ratio = found.time_ratio(timed) if timed else None
    label = labels.get(first.graph, first.graph_label)
    values: dict[str, Any] = {
        **{name: getattr(first, name) for name in _OF_ALL_CELLS},
        **{name: _median(getattr(row, name) for row in cells) for name in _MEDIANS},
        **{name: math.fsum(getattr(row, name) for row in cells) / len(cells) for name in ("average_degree", "density")},
        **{name: mean_bytes(paired, name) if paired else None for name in ("memory_ratio", "activation_ratio")},
    }
    num_nodes, num_edges = median(row.num_nodes for row in cells), values["num_edges"]
    return Effect(
        **values,
        kind=kind,
        other_model=bool(first.other_model),
        label=label if len({row.graph for row in cells}) == 1 else "",
        base=labels.get(first.base, first.base_label) if first.derivation else label,
        base_degree=base_degree,
        method=first.derivation or "",
        size=first.derivation_size,
        num_nodes=int(num_nodes),
        training_nodes=_median(row.training_nodes or 0 for row in cells),
        headline=kind != "generated" or headlines.get(first.convolution) == (origin, first.num_nodes),
        cells=len(cells),
        peak_memory_bytes=_median(row.resident_bytes + row.activation_bytes for row in cells),
        policy_resident_bytes=_median(row.policy_resident_bytes or 0 for row in cells),
        forward_share=_median(
            row.forward_time_seconds and row.forward_time_seconds / row.step_time_seconds for row in clocked
        ),
        nodes_per_second=throughput(num_nodes, seconds) if seconds else None,
        edges_per_second=throughput(num_edges, seconds) if seconds and num_edges else None,
        time_ratio=ratio,
        throughput_ratio=ratio.inverse if ratio else None,
    )


def _median(values: Iterable[float | None]) -> Any:
    """Median of the known values; None if there are none."""
    found = [value for value in values if value is not None]
    return float(median(found)) if found else None


def labels_of(rows: Sequence[Row]) -> dict[str, str]:
    """Display name of each graph: its label, or its id if two graphs share the label."""
    labels = {row.graph: row.graph_label for row in rows}
    uses = Counter(labels.values())
    return {graph: label if uses[label] == 1 else graph for graph, label in labels.items()}


def _headlines(rows: Sequence[Row]) -> dict[str, tuple[str, int]]:
    """Family and number of nodes for which each convolution's headline answer is given.

    The preferred family if it was measured; then the size with the most degrees, and the largest among equals.
    """
    degrees: dict[str, dict[tuple[str, int], set[float]]] = {}
    for row in rows:
        degrees.setdefault(row.convolution, {}).setdefault((row.family, row.num_nodes), set()).add(row.degree)
    return {
        # Remaining ties between families are broken by name.
        convolution: min(sizes, key=lambda one: (one[0] != PREFERRED_FAMILY, -len(sizes[one]), -one[1], one[0]))
        for convolution, sizes in degrees.items()
    }


def _beside_reference_family(rows: list[Effect]) -> tuple[str | None, list[Effect]]:
    """The reference family (None if there is only one), and the rows with their ratios divided by its ratios."""
    names = sorted({row.family for row in rows if row.kind == "generated"})
    if len(names) < 2:
        return None, rows
    reference = PREFERRED_FAMILY if PREFERRED_FAMILY in names else names[0]

    def place(row: Effect) -> Place:
        return row.kind, row.allocator, row.convolution, row.policy, row.num_nodes, row.requested_average_degree

    bases = {place(row): row for row in rows if row.family == reference and row.kind == "generated"}

    def beside(row: Effect) -> Effect:
        base = bases.get(place(row))
        if base is None or row.activation_ratio is None or base.activation_ratio is None:
            return row
        over = {"activation_over_reference": row.activation_ratio.over(base.activation_ratio)}
        if row.time_ratio and base.time_ratio:
            over["time_over_reference"] = row.time_ratio.relative_to(base.time_ratio)
        return row.model_copy(update=over)

    return reference, [beside(row) for row in rows]


def _models(rows: Sequence[Row]) -> list[StudyModel]:
    """The model of each series, shallow before deep; models that a policy substitutes are left out."""
    own = [row for row in rows if not row.other_model]
    own.sort(key=lambda row: (row.stack, row.num_layers, row.convolution, policy_order(row.policy)))
    names = tuple(StudyModel.model_fields)
    models = [series[0] for series in grouped(own, lambda row: row.convolution).values()]
    return [StudyModel(**{name: getattr(row, name) for name in names}) for row in models]


def practice(rows: Sequence[Row], bare: Sequence[Row], noise: Noise) -> list[PracticeEffect]:
    """Every policy on stacks with the usual additions, beside the bare stack on the same graphs, sparse before dense.

    Policies not shown to compute the same as none, and policies that did not run on both stacks, are left out.
    """
    beside, own = ({(row.graph, row.stack, row.policy): row for row in each} for each in (bare, rows))
    pairs = [
        (row, beside[place])
        for place, row in own.items()
        if row.policy != "none" and row.activation_ratio is not None and not row.changes and not row.other_model
        if place in beside and beside[place].activation_ratio is not None
    ]
    pairs.sort(key=lambda pair: (pair[0].stack, pair[0].num_nodes, pair[0].degree, policy_order(pair[0].policy)))
    found = []
    place = attrgetter("stack", "policy", "num_nodes", "degree")
    for cells in grouped(pairs, lambda pair: place(pair[0])).values():
        (first, *_), _ = both = tuple(zip(*cells, strict=True))
        timed = all(row.time_ratio is not None for each in both for row in each)
        nones = [each[first.graph, first.stack, "none"].activation_bytes for each in (own, beside)]
        times = [noise.time_ratio(each) if timed else None for each in both]
        found.append(
            PracticeEffect(
                convolution=first.stack,
                policy=first.policy,
                num_nodes=first.num_nodes,
                average_degree=first.degree,
                none_activation_bytes=nones[0] / nones[1],
                bare_activation_ratio=mean_bytes(both[1], "activation_ratio"),
                activation_ratio=mean_bytes(both[0], "activation_ratio"),
                bare_time_ratio=times[1],
                time_ratio=times[0],
            )
        )
    return found
