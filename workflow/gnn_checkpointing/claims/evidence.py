"""Where in the analysis a claim's numbers stand: each picker returns estimates with their address, or why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Literal

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Accuracy, Effect, Effects, Estimate, Interaction, Law, Response
from gnn_checkpointing.records import REORDERED

Ratio = Literal["memory_ratio", "activation_ratio", "time_ratio"]

EFFECTS = "analysis/effects.json"
REGRESSIONS = "analysis/regressions.json"
ACCURACY = "analysis/accuracy.json"
QUALITY = "analysis/quality.json"
FRONTIER = "analysis/frontier.json"

NO_LEVELS = "no generated graphs of graded density were measured with this convolution and policy"


@dataclass(frozen=True)
class Picked:
    """Estimates, where they stand, and where or why not they were measured."""

    estimates: tuple[Estimate, ...]
    evidence: str
    note: str

    @property
    def summary(self) -> Estimate | None:
        """The one estimate, or the median of several with the span of their intervals."""
        if not self.estimates:
            return None
        return Estimate(
            estimate=median(value.estimate for value in self.estimates),
            low=min(value.low for value in self.estimates),
            high=max(value.high for value in self.estimates),
        )


def nothing(reason: str) -> Picked:
    """Return that there is nothing to judge, and why."""
    return Picked((), "", reason)


def convolutions(findings: Findings) -> list[str]:
    """Return every convolution that any finding is about."""
    effects = [*findings.effects.generated, *findings.effects.real]
    named: list[Effect | Law | Accuracy] = [*effects, *findings.regressions.laws, *findings.accuracy]
    return sorted({value.convolution for value in named})


def variants(findings: Findings, policy: str) -> list[str]:
    """Return the policies of this kind that were measured, such as edge_blocks(4096); the bare kind if none was."""
    effects = [*findings.effects.generated, *findings.effects.real]
    named: list[Effect | Interaction] = [*effects, *findings.regressions.interactions]
    measured = {value.policy for value in named if value.policy.partition("(")[0] == policy}
    return sorted(measured) or [policy]


def levels(effects: Effects, convolution: str, policy: str, ratio: Ratio = "activation_ratio") -> list[Effect]:
    """Return the effects of one convolution and policy on generated graphs that have the ratio, sparse before dense."""
    chosen = [effect for effect in effects.generated if (effect.convolution, effect.policy) == (convolution, policy)]
    return sorted(_having(chosen, ratio), key=lambda effect: float(effect.level))


def reals(effects: Effects, convolution: str, policy: str, ratio: Ratio = "activation_ratio") -> list[Effect]:
    """Return the effects of one convolution and policy on real graphs that have the ratio, sparse before dense."""
    chosen = [effect for effect in effects.real if (effect.convolution, effect.policy) == (convolution, policy)]
    return sorted(_having(chosen, ratio), key=lambda effect: effect.average_degree)


def _having(effects: Iterable[Effect], ratio: Ratio) -> list[Effect]:
    """Return the effects that have the ratio: where no cell was timed there is none of time."""
    return [effect for effect in effects if getattr(effect, ratio) is not None]


def address(kind: Literal["generated", "real"], effect: Effect, ratio: Ratio) -> str:
    """Return where a ratio stands."""
    key = f"convolution={effect.convolution},policy={effect.policy},level={effect.level}"
    return f"{EFFECTS}: {kind}[{key}].{ratio}"


def at_densest(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio at the densest level."""
    found = levels(findings.effects, convolution, policy, ratio)
    if not found:
        return nothing(NO_LEVELS)
    densest = found[-1]
    note = f"at average degree {densest.level}, the densest at which {policy} and none ran to the end"
    return Picked((getattr(densest, ratio),), address("generated", densest, ratio), note)


def densest_over_sparsest(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio at the densest level divided by the one at the sparsest."""
    found = levels(findings.effects, convolution, policy, ratio)
    if len(found) < 2:
        return nothing(NO_LEVELS if not found else "only one level of density was measured")
    sparsest, densest = found[0], found[-1]
    return Picked(
        (getattr(densest, ratio).over(getattr(sparsest, ratio)),),
        f"{address('generated', densest, ratio)} / {address('generated', sparsest, ratio)}",
        f"average degree {densest.level} compared with {sparsest.level}",
    )


def against(findings: Findings, convolution: str, policy: str, ratio: Ratio, other_policy: str) -> Picked:
    """Return the policy's ratio divided by another's at the densest level that both reached."""
    own = {effect.level: effect for effect in levels(findings.effects, convolution, policy, ratio)}
    both = [effect for effect in levels(findings.effects, convolution, other_policy, ratio) if effect.level in own]
    if not both:
        return nothing(f"no generated graphs were measured with both {policy} and {other_policy}")
    other = both[-1]
    effect = own[other.level]
    return Picked(
        (getattr(effect, ratio).over(getattr(other, ratio)),),
        f"{address('generated', effect, ratio)} / {address('generated', other, ratio)}",
        f"at average degree {other.level}, the densest that both reached",
    )


def against_layers(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the policy's ratio divided by that of layers at the densest level that both reached."""
    return against(findings, convolution, policy, ratio, "layers")


def against_best_budget(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the policy's ratio divided by the best memory budget's at the densest level that both were timed at.

    The best is the one with the least memory x time there.
    """
    own = {effect.level for effect in levels(findings.effects, convolution, policy, "time_ratio")}
    budgets = [
        effect
        for name in variants(findings, "memory_budget")
        for effect in levels(findings.effects, convolution, name, "time_ratio")
        if effect.level in own
    ]
    if not budgets:
        return nothing(f"no generated graphs were measured with both {policy} and a memory budget")
    densest = max(float(effect.level) for effect in budgets)
    best = min((effect for effect in budgets if float(effect.level) == densest), key=_memory_times_time)
    effect = next(e for e in levels(findings.effects, convolution, policy, "time_ratio") if e.level == best.level)
    return Picked(
        (getattr(effect, ratio).over(getattr(best, ratio)),),
        f"{address('generated', effect, ratio)} / {address('generated', best, ratio)}",
        f"{best.policy} at average degree {best.level}, the densest at which both were timed",
    )


def _memory_times_time(effect: Effect) -> float:
    return effect.activation_ratio.estimate * (effect.time_ratio.estimate if effect.time_ratio else 1.0)


def on_reals(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio on every real graph."""
    found = reals(findings.effects, convolution, policy, ratio)
    if not found:
        return nothing("no real graphs were measured with this convolution and policy")
    return Picked(
        tuple(getattr(effect, ratio) for effect in found),
        "; ".join(address("real", effect, ratio) for effect in found),
        "on " + ", ".join(effect.level for effect in found),
    )


def against_layers_on_reals(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the policy's ratio divided by that of layers on every real graph that both ran on."""
    own = {effect.level: effect for effect in reals(findings.effects, convolution, policy, ratio)}
    both = [
        (own[other.level], other)
        for other in reals(findings.effects, convolution, "layers", ratio)
        if other.level in own
    ]
    if not both:
        return nothing(f"no real graphs were measured with both {policy} and layers")
    return Picked(
        tuple(getattr(effect, ratio).over(getattr(other, ratio)) for effect, other in both),
        "; ".join(f"{address('real', effect, ratio)} / {address('real', other, ratio)}" for effect, other in both),
        "on " + ", ".join(effect.level for effect, _ in both),
    )


def everywhere(findings: Findings, convolution: str, policy: str, ratio: Ratio) -> Picked:
    """Return the ratio at every level of density and on every real graph."""
    drawn = levels(findings.effects, convolution, policy, ratio)
    loaded = reals(findings.effects, convolution, policy, ratio)
    if not drawn and not loaded:
        return nothing("this convolution and policy were not measured side by side with none")
    places = [address("generated", effect, ratio) for effect in drawn]
    places += [address("real", effect, ratio) for effect in loaded]
    names = ["average degrees " + ", ".join(effect.level for effect in drawn)] if drawn else []
    names += [effect.level for effect in loaded]
    return Picked(
        tuple(getattr(effect, ratio) for effect in (*drawn, *loaded)), "; ".join(places), "at " + ", ".join(names)
    )


def interaction(findings: Findings, convolution: str, policy: str, response: Response) -> Interaction | None:
    """Return the tested interaction of one convolution, policy and response."""
    key = (convolution, policy, response)
    tested = findings.regressions.interactions
    return next((found for found in tested if (found.convolution, found.policy, found.response) == key), None)


def difference_per_edge(findings: Findings, convolution: str, policy: str, response: Response) -> Picked:
    """Return what a policy adds to none's value per edge."""
    found = interaction(findings, convolution, policy, response)
    if found is None:
        return nothing("the policy x edges interaction could not be tested: see not_fitted in regressions.json")
    return Picked((found.difference_per_edge,), f"{_interaction_address(found)}.difference_per_edge", _clusters(found))


def slope_ratio(findings: Findings, convolution: str, policy: str, response: Response) -> Picked:
    """Return the policy's value per edge divided by none's; the interval takes none's slope as known.

    Where all graphs have one number of nodes there is no joint model; bytes are exact, so the slope through their
    levels stands in for it.
    """
    found = interaction(findings, convolution, policy, response)
    if found is None:
        flat = next((f for f in findings.frontier.flatness if (f.convolution, f.policy) == (convolution, policy)), None)
        if response != "activation_bytes" or flat is None or flat.slope_ratio is None:
            return nothing("the policy x edges interaction could not be tested: see not_fitted in regressions.json")
        place = f"{FRONTIER}: flatness[convolution={convolution},policy={policy}].slope_ratio"
        note = f"least squares over average degrees {', '.join(flat.levels)} at one number of nodes"
        return Picked((_exactly(flat.slope_ratio),), place, note)
    none, difference = found.none_per_edge.estimate, found.difference_per_edge
    ends = sorted((1 + difference.low / none, 1 + difference.high / none))
    # Rounding may put the ratio, computed another way, a digit outside of its own interval.
    value = Estimate(
        estimate=found.slope_ratio, low=min(ends[0], found.slope_ratio), high=max(ends[1], found.slope_ratio)
    )
    place = _interaction_address(found)
    return Picked(
        (value,), f"{place}.slope_ratio; {place}.difference_per_edge; {place}.none_per_edge", _clusters(found)
    )


def held_out_errors(findings: Findings, convolution: str, response: Response) -> Picked:
    """Return each policy's worst relative error at the densest level, held out of its law."""
    laws = [
        (law, law.held_out)
        for law in findings.regressions.laws
        if (law.convolution, law.response) == (convolution, response) and law.held_out is not None
    ]
    if not laws:
        return nothing("no law was tried on a held-out level: see not_fitted in regressions.json")
    key = "{}: laws[convolution={},policy={},response={}].held_out.worst_relative_error"
    return Picked(
        tuple(_exactly(held_out.worst_relative_error) for _, held_out in laws),
        "; ".join(key.format(REGRESSIONS, convolution, law.policy, response) for law, _ in laws),
        f"at average degree {laws[0][1].level:g}, held out; policies " + ", ".join(law.policy for law, _ in laws),
    )


def loss_differences(findings: Findings, convolution: str) -> Picked:
    """Return how far each policy's loss curve strays from none's, as a multiple of what another order of edges does."""
    jobs = [job for job in findings.accuracy if job.convolution == convolution]
    controls = {job.graph: job for job in jobs if job.policy == REORDERED and job.largest_loss_difference > 0}
    compared = [job for job in jobs if job.policy not in ("none", REORDERED) and job.graph in controls]
    if not compared:
        return nothing("no training jobs with a policy other than none and a control with reordered edges")
    key = "{}: [graph={},convolution={},policy={}].largest_loss_difference"
    places = [
        " / ".join(key.format(ACCURACY, job.graph, convolution, policy) for policy in (job.policy, REORDERED))
        for job in compared
    ]
    return Picked(
        tuple(_exactly(job.largest_loss_difference / controls[job.graph].largest_loss_difference) for job in compared),
        "; ".join(places),
        f"{len(compared)} training jobs",
    )


def changed_computations(findings: Findings) -> Picked:
    """Return how many rows were not shown to compute what none computes."""
    count, compared = len(findings.quality.not_the_same), findings.quality.outcomes.get("completed", 0)
    if not count and not findings.effects.generated and not findings.effects.real:
        return nothing("no policy ran to its end beside none")
    return Picked((_exactly(float(count)),), f"{QUALITY}: not_the_same", f"{count} of {compared} rows")


def _exactly(value: float) -> Estimate:
    return Estimate(estimate=value, low=value, high=value)


def _interaction_address(found: Interaction) -> str:
    key = f"convolution={found.convolution},policy={found.policy},response={found.response}"
    return f"{REGRESSIONS}: interactions[{key}]"


def _clusters(found: Interaction) -> str:
    return f"{found.clusters} generated graphs"


def joined(places: Iterable[str]) -> str:
    """Return several addresses as one, each once."""
    return "; ".join(dict.fromkeys(place for place in places if place))
