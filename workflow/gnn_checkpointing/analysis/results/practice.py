"""The stacks as people build them, beside the bare ones of the same graph."""

from __future__ import annotations

from gnn_checkpointing.analysis.results.base import Estimate, Result


class PracticeEffect(Result):
    """What a policy leaves of none's memory and time: of the bare stack, and of the one with what people add.

    Both on the same graph, each divided by none of its own stack. `none_activation_bytes` is what the additions start
    from, divided by what the bare stack starts from.
    """

    convolution: str
    policy: str
    num_nodes: int
    average_degree: float
    none_activation_bytes: float
    bare_activation_ratio: Estimate
    activation_ratio: Estimate
    bare_time_ratio: Estimate | None
    time_ratio: Estimate | None

    @property
    def level(self) -> str:
        """The average degree in words."""
        return f"{self.average_degree:g}"

    @property
    def memory_kept(self) -> Estimate:
        """What the policy leaves in practice / what it leaves of the bare stack."""
        return self.activation_ratio.over(self.bare_activation_ratio)
