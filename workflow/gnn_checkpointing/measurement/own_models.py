"""A study's own model tried before anything is measured: on a small graph of each size of features and classes."""

from __future__ import annotations

from collections.abc import Iterator

from gnn_checkpointing.models.own import OwnSizes, imported_own, tried_own
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_entries import NeighbourBatches
from gnn_checkpointing.study.study import Study


def tried_models(study: Study) -> Iterator[str]:
    """What the study's own model has, a line each for features and classes; refused where it cannot be measured.

    Features and classes of real graphs are not known yet: there the model is tried when the graph is.
    """
    asked = study.architecture
    if asked.module is None:
        raise Refusal(f"study {study.name}: architecture.module names no model of your own; there is nothing to try")
    imported_own(asked.module)
    hops = any(isinstance(one, NeighbourBatches) for one in study.graphs.batches)
    drawn = {(grid.num_features, grid.num_classes) for grid in (*study.graphs.generated, *study.graphs.large)}
    first: OwnSizes | None = None
    for features, classes in sorted(drawn) or ([(study.graphs.num_features or 16, 4)] if hops else []):
        sizes = tried_own(asked.module, features, classes)
        first = first or sizes
        if sizes != first:
            raise Refusal(
                f"module {asked.module}: its layers, channels or heads depend on the numbers of features and classes "
                f"({first} and {sizes}), and a law is of one model; give all graphs the same num_features and "
                "num_classes"
            )
        if hops and sizes.num_layers != asked.num_layers:
            raise Refusal(
                f"graphs.batches draws as many hops as architecture.num_layers says, {asked.num_layers}, but module "
                f"{asked.module} has {sizes.num_layers} layers; set num_layers to that"
            )
        yield (
            f"{features} features, {classes} classes: {sizes.num_layers} layers, {sizes.hidden_channels} channels, "
            f"{sizes.heads} heads"
        )
