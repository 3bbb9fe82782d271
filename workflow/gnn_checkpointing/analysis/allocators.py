"""What is the allocator's effect on time and what is checkpointing's: one ratio taken apart into three."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import AllocatorEffect, FrontierPoint


def allocator_effects(points: Sequence[FrontierPoint], reference: str) -> list[AllocatorEffect]:
    """Return each timed point under another allocator beside the same point under the reference.

    Up to the noise of separate processes, observed = checkpointing x on_policy / on_none.
    """
    places = {(point.convolution, point.policy, point.level, point.allocator): point for point in points}
    found = []
    for point in points:
        if point.allocator == reference:
            continue
        pair = tuple(
            places.get((point.convolution, policy, point.level, allocator))
            for policy in (point.policy, "none")
            for allocator in (reference, point.allocator)
        )
        effect = _effect(*pair)
        if effect is not None:
            found.append(effect)
    return found


def _effect(
    own_reference: FrontierPoint | None,
    own: FrontierPoint | None,
    none_reference: FrontierPoint | None,
    none: FrontierPoint | None,
) -> AllocatorEffect | None:
    """Return one comparison, None where one of the four was not timed."""
    if own_reference is None or own is None or none_reference is None or none is None:
        return None
    checkpointing, observed = own_reference.time_ratio, own.time_ratio
    seconds = [point.step_time_seconds for point in (own_reference, own, none_reference, none)]
    if checkpointing is None or observed is None or any(not value for value in seconds):
        return None
    return AllocatorEffect(
        convolution=own.convolution,
        policy=own.policy,
        level=own.level,
        average_degree=own.average_degree,
        reference=own_reference.allocator,
        allocator=own.allocator,
        checkpointing=checkpointing,
        observed=observed,
        on_policy=_quotient(own, own_reference),
        on_none=_quotient(none, none_reference),
        reference_page_faults=own_reference.page_faults or 0.0,
        page_faults=own.page_faults or 0.0,
        reference_system_share=_system_share(own_reference),
        system_share=_system_share(own),
    )


def _quotient(above: FrontierPoint, below: FrontierPoint) -> float:
    return (above.step_time_seconds or 0.0) / (below.step_time_seconds or 1.0)


def _system_share(point: FrontierPoint) -> float:
    return (point.system_time_seconds or 0.0) / (point.step_time_seconds or 1.0)
