"""Can the bytes and ratios be trusted, and does every policy compute the same as none?"""

from gnn_checkpointing.audit import Answer, Found, Named, at_most, no_offender, offended, percent
from gnn_checkpointing.records.measurements_table import high_water_verdict, number
from gnn_checkpointing.report.run_folder import Row, RunFolder, place
from gnn_checkpointing.study.policy_names import OTHER_MODELS, parse_policy

ERRORS = ("loss_error", "gradient_error", "buffer_error")
FLAGS = ("same_loss", "same_gradients", "same_buffers")
LARGEST_SHARE = 0.1
DEMONSTRATED_SHARE = 0.05
"""Two per cent for whole pages, and what a scatter sorts outside the allocator: 32 bytes an edge, 4 % of that step."""


def second_reading(run: RunFolder) -> Named:
    return ((place(row), row["high_water_bytes"] is None) for row in run.judged if row["device"] == "cpu")


def third_reading(run: RunFolder) -> Found:
    if not run.study.measurement.fake_tensor_reading:
        return "the study leaves out the reading by fake tensors"
    nones = [row for row in run.judged if row["policy"] == "none" and row["aggregation"] == "gather_scatter"]
    return ((place(row), row["fake_tensor_bytes"] is None) for row in nones)


def readings_agree(run: RunFolder) -> Found:
    names = ["high_water_agrees", "fake_tensor_agrees"]
    if any(row["device"] == "cuda" for row in run.completed):
        names.append("driver_agrees")
    read = [(place(row), [high_water_verdict(row), *(row[name] for name in names[1:])]) for row in run.completed]
    named = ((name, False in agree) for name, agree in read if any(one is not None for one in agree))
    answer = no_offender(named, "peaks are read differently")
    return answer._replace(evidence=f"measurements.csv: {', '.join(names)}") if answer else None


def small_peaks(run: RunFolder) -> Found:
    apart = [
        (abs(high_water - peak), abs(high_water - peak) / peak, place(row))
        for row in run.completed
        if (high_water := number(row, "high_water_bytes")) and (peak := number(row, "activation_bytes"))
    ]
    if not apart:
        return None
    coarse = sum(share > LARGEST_SHARE for _, share, _ in apart)
    worst, most = max(apart, key=lambda one: one[1]), max(apart, key=lambda one: one[0])
    return Answer(
        not coarse,
        f"{coarse} of {len(apart)} readings off by more than {percent(LARGEST_SHARE)} of their peak; at worst by "
        f"{percent(worst[1])} ({worst[0]:,.0f} bytes, {worst[2]}) and by {most[0]:,.0f} bytes "
        f"({percent(most[1])}, {most[2]})",
    )


def known_step(run: RunFolder) -> Answer:
    shown = run.demonstration
    if shown is None:
        return Answer(False, "no step of known memory was run on this machine: `demonstrate` runs one")
    if shown.exact_bytes <= 0:
        return Answer(False, "the demonstrated step took no memory", evidence="demonstration.json: exact_bytes")
    difference = abs(shown.high_water_bytes / shown.exact_bytes - 1)
    return at_most(difference, DEMONSTRATED_SHARE, "difference of two readings of one known step")


def everything_compared(run: RunFolder) -> Named:
    return ((place(row), any(row[name] is None for name in (*ERRORS, *FLAGS))) for row in _comparable(run))


def nothing_changed(run: RunFolder) -> Found:
    tolerance = run.study.measurement.gradient_tolerance
    named = []
    for row in _comparable(run):
        errors = [number(row, name) for name in ERRORS]
        off = any((error or 0.0) > tolerance for error in errors)
        if any(error is not None for error in errors):
            named.append((not off, place(row), off or any(row[name] is False for name in FLAGS)))
    # Rows with too large an error come first: the error says more than a flag alone.
    named.sort(key=lambda one: one[0])
    return no_offender([one[1:] for one in named], f"compared rows differ by more than {tolerance:g}")


def other_models_apart(run: RunFolder) -> Found:
    others = {policy for policy in run.study.policies if parse_policy(policy).kind in OTHER_MODELS}
    if not others:
        return "every policy of the study trains the model that none trains"
    rows = [row for row in run.completed if row["policy"] in others]
    found, regressions = run.findings, run.findings.regressions
    used = {effect.policy for effect in (*found.effects.generated, *found.effects.real)}
    used |= {law.policy for law in regressions.laws} | {law.policy for law in found.predictions.laws}
    used |= {interaction.policy for interaction in regressions.interactions}
    if not rows and not used & others:
        return None
    offenders = [place(row) for row in rows if row["other_model"] is not True]
    offenders += [f"{policy} in effects or laws" for policy in sorted(used & others)]
    return offended(offenders, len(rows), "rows of another model pass for the same one")


def _comparable(run: RunFolder) -> list[Row]:
    """Rows of other policies with a completed none in their cell, unless they declare another model."""
    return [row for row, none in run.pairs if row is not none and row["other_model"] is not True]
