"""The instrument: three readings of memory compared, what common tools would say, and the machine's steadiness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median

from gnn_checkpointing.analysis.results import Spread
from gnn_checkpointing.measurement.readings import (
    DRIVER_BYTES,
    FAKE_TENSOR_BYTES,
    FAKE_TENSOR_SHARE,
    HIGH_WATER_BYTES,
    HIGH_WATER_SHARE,
    SORT_BYTES_PER_EDGE,
)
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.inputs import DEMONSTRATION, MEASUREMENTS, QUALITY, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Facts, Note, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.worst import LISTED
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted, counted_where, sourced

_text = texts("instrument")

_TOLERANCES = "gnn_checkpointing/measurement/readings.py#"
_TOLERATED = {
    "HIGH_WATER_SHARE": HIGH_WATER_SHARE,
    "HIGH_WATER_BYTES": HIGH_WATER_BYTES,
    "FAKE_TENSOR_SHARE": FAKE_TENSOR_SHARE,
    "FAKE_TENSOR_BYTES": FAKE_TENSOR_BYTES,
    "SORT_BYTES_PER_EDGE": SORT_BYTES_PER_EDGE,
    "DRIVER_BYTES": DRIVER_BYTES,
}
_NAMES = {
    "high_water_bytes": "the process's high-water mark",
    "fake_tensor_bytes": "fake tensors, which allocate nothing",
}


def instrument_section(inputs: ReportInputs) -> Section:
    """Return the section on what measured, and how far it can be trusted."""
    blocks = [*_readings(inputs), *_demonstration(inputs), *_steadiness(inputs), *_halves(inputs)]
    return Section("instrument", "The instrument", tuple(blocks))


def _readings(inputs: ReportInputs) -> list[Block]:
    quality = inputs.quality
    if not quality.readings:
        return [Paragraph(_text("memory-was-read-by-the"))]
    allowed = {name: sourced(value, f"{_TOLERANCES}/{name}") for name, value in _TOLERATED.items()}
    blocks: list[Block] = [
        Paragraph(_on_cuda(allowed) if "cuda" in quality.setting.devices else _on_cpu(allowed)),
        table(
            "table-readings",
            _text("table-readings"),
            QUALITY,
            quality.readings,
            Of("Reading", lambda reading: _NAMES[reading.instrument], content="prose"),
            Of("Taken", "read", units.count),
            Of("Compared", "judged", units.count),
            Of("Agree", "agree", units.count),
            Of("Median difference", "median_difference", units.percent),
            Of("Worst", "worst_bytes", units.size, unit="bytes"),
            Of("Worst", "worst_difference", units.percent, unit="of the peak"),
            Of("Where", lambda reading: reading.worst_at or units.NOTHING, content="prose"),
        ),
    ]
    if quality.disagreements:
        more = counted(quality.disagreements) - LISTED
        text = "; ".join(quality.disagreements[:LISTED])
        blocks.append(
            Note(
                f"Readings that disagree: {text}"
                + (f"; and {units.count(more)} more, in {QUALITY}." if more > 0 else ".")
            )
        )
    return blocks


def _on_cpu(allowed: Mapping[str, float]) -> str:
    return _text(
        "the-activation-peak-is-read",
        high_water_share=allowed["HIGH_WATER_SHARE"],
        high_water_bytes=allowed["HIGH_WATER_BYTES"],
        sort_bytes_per_edge=allowed["SORT_BYTES_PER_EDGE"],
        fake_tensor_share=allowed["FAKE_TENSOR_SHARE"],
        fake_tensor_bytes=allowed["FAKE_TENSOR_BYTES"],
    )


def _on_cuda(allowed: Mapping[str, float]) -> str:
    return _text(
        "the-activation-peak-is-read-2",
        fake_tensor_share=allowed["FAKE_TENSOR_SHARE"],
        fake_tensor_bytes=allowed["FAKE_TENSOR_BYTES"],
        driver_bytes=allowed["DRIVER_BYTES"],
    )


def _demonstration(inputs: ReportInputs) -> list[Block]:
    """Return what a poll or the operating system would have said of a step whose memory is known."""
    shown = inputs.demonstration
    readings: list[tuple[str, str, int | None]] = [
        ("allocator events: what this report prints", "the step", shown.exact_bytes),
        ("high-water mark, reset around the step", "the step", shown.high_water_bytes),
        ("high-water mark, never reset", "the process: interpreter and libraries too", shown.process_high_water_bytes),
        ("ru_maxrss, as the parent reads it", "the process, or what its parent held before", shown.child_maxrss_bytes),
    ]
    polls = ""
    if shown.benchmark_seconds is not None:
        readings.append(
            ("Snakemake's benchmark directive", "what its polls happened to see", shown.benchmark_max_rss_bytes)
        )
        polls = f"; Snakemake's benchmark polls a job, here one of {units.duration(shown.benchmark_seconds)}"
    instruments = "five instruments" if polls else "four instruments"
    return [
        Paragraph(
            _text(
                "one-step-of-as-tell",
                workload=shown.workload,
                step_seconds=shown.step_seconds,
                instruments=instruments,
                held_bytes=shown.held_bytes,
                polls=polls,
            )
        ),
        Table(
            id="table-demonstration",
            caption=f"One known step by {instruments}.",
            columns=(
                Column("Instrument", "", "prose"),
                Column("Speaks of", "", "prose"),
                Column("Memory", "", "number"),
                Column("Memory", "/ exact", "number"),
            ),
            rows=tuple((name, scope, *_against(value, shown.exact_bytes)) for name, scope, value in readings),
            source=DEMONSTRATION,
        ),
    ]


def _against(value: int | None, exact: int) -> tuple[str, str]:
    if value is None:
        return "saw nothing", units.NOTHING
    ratio = value / exact if exact else 0.0
    return units.size(value), units.ratio(ratio)


def _steadiness(inputs: ReportInputs) -> list[Block]:
    quality = inputs.quality
    facts = [
        _fact("Drift of a fixed workload within a cell", quality.sentinel_drift, units.percent),
        _fact("Times a step lost the processor", quality.involuntary_switches, units.plain),
    ]
    known = [fact for fact in facts if fact is not None]
    if not known:
        return []
    return [
        Paragraph(_text("a-small-fixed-workload-is")),
        Facts(tuple(known)),
    ]


def _fact(name: str, spread: Spread | None, text: Callable[[float], str]) -> Fact | None:
    if spread is None:
        return None
    return Fact(
        name,
        f"{text(spread.median)} in the median, {text(spread.worst)} at worst ({units.count(spread.values)} values)",
    )


def _timed(inputs: ReportInputs, policy: str) -> int:
    """Return how many cells timed a policy's halves."""
    conditions = (("policy", "=", policy), ("allocator", "=", inputs.reference), ("outcome", "=", "completed"))
    return counted_where(inputs.rows, *conditions, ("forward_time_seconds", ">", 0))


def _halves(inputs: ReportInputs) -> list[Block]:
    """Return how each policy's step is shared between forward and backward."""
    rows = []
    for policy in inputs.policies:
        pairs = [
            (forward, backward)
            for row in inputs.completed
            if row["policy"] == policy
            and (forward := number(row, "forward_time_seconds")) is not None
            and (backward := number(row, "backward_time_seconds")) is not None
            and forward + backward > 0
        ]
        if pairs:
            share = median(forward / (forward + backward) for forward, backward in pairs)
            quotient = median(backward / forward for forward, backward in pairs if forward > 0)
            rows.append(
                (
                    inputs.named(policy),
                    units.count(_timed(inputs, policy)),
                    units.percent(share),
                    units.percent(1 - share),
                    units.ratio(quotient),
                )
            )
    if not rows:
        return []
    return [
        Table(
            id="table-halves",
            caption=_text("table-halves", reference=inputs.reference),
            columns=(
                Column("Policy"),
                Column("Cells", "", "number"),
                Column("Forward", "of the step", "number"),
                Column("Backward", "of the step", "number"),
                Column("Backward", "/ forward", "number"),
            ),
            rows=tuple(rows),
            source=MEASUREMENTS,
        )
    ]
