"""Where in the analysis a claim's numbers stand: each picker returns estimates with their address, or why not."""

from gnn_checkpointing.claims.evidence.accuracy import changed_computations, loss_differences
from gnn_checkpointing.claims.evidence.depths import (
    deepest_against,
    deepest_time,
    growth_with_depth,
)
from gnn_checkpointing.claims.evidence.effects import (
    NO_LEVELS,
    Ratio,
    against,
    against_best_budget,
    against_layers,
    against_layers_on_reals,
    at_densest,
    convolutions,
    densest_over_sparsest,
    everywhere,
    levels,
    on_reals,
    reals,
    variants,
)
from gnn_checkpointing.claims.evidence.ego import bag_over_encodings, densest_bag_over_sparsest, most_saved
from gnn_checkpointing.claims.evidence.frontier import edge_share, least_at_densest, time_over_one_forward
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, joined, nothing
from gnn_checkpointing.claims.evidence.predictions import (
    capacity_gain,
    counted_bytes,
    coverage,
    foreseen,
    scorecard,
    unseen_errors,
)
from gnn_checkpointing.claims.evidence.regressions import (
    difference_per_edge,
    held_out_errors,
    interaction,
    per_edge,
    slope_ratio,
)
from gnn_checkpointing.claims.evidence.robustness import (
    changed_sides,
    influence,
    replicate_spread,
    run_drift,
    stopping_coverage,
)
from gnn_checkpointing.claims.evidence.segments import segments_memory, segments_time
from gnn_checkpointing.claims.evidence.trends import at_dense_end, break_even_span, dense_over_sparse_end, on_band
from gnn_checkpointing.claims.evidence.varied import (
    families_against_reference,
    graded_densest_over_sparsest,
    in_batches,
    in_batches_against_layers,
)
from gnn_checkpointing.claims.evidence.vision import blocks as vision_blocks
from gnn_checkpointing.claims.evidence.vision import fall as vision_fall
from gnn_checkpointing.claims.evidence.vision import late_rise, small_model

__all__ = [
    "NO_LEVELS",
    "Picked",
    "Ratio",
    "against",
    "against_best_budget",
    "against_layers",
    "against_layers_on_reals",
    "at_dense_end",
    "at_densest",
    "bag_over_encodings",
    "break_even_span",
    "capacity_gain",
    "changed_computations",
    "changed_sides",
    "convolutions",
    "counted_bytes",
    "coverage",
    "deepest_against",
    "deepest_time",
    "dense_over_sparse_end",
    "densest_bag_over_sparsest",
    "densest_over_sparsest",
    "difference_per_edge",
    "edge_share",
    "everywhere",
    "exactly",
    "families_against_reference",
    "foreseen",
    "graded_densest_over_sparsest",
    "growth_with_depth",
    "held_out_errors",
    "in_batches",
    "in_batches_against_layers",
    "influence",
    "interaction",
    "joined",
    "late_rise",
    "least_at_densest",
    "levels",
    "loss_differences",
    "most_saved",
    "nothing",
    "on_band",
    "on_reals",
    "per_edge",
    "reals",
    "replicate_spread",
    "run_drift",
    "scorecard",
    "segments_memory",
    "segments_time",
    "slope_ratio",
    "small_model",
    "stopping_coverage",
    "time_over_one_forward",
    "unseen_errors",
    "variants",
    "vision_blocks",
    "vision_fall",
]
