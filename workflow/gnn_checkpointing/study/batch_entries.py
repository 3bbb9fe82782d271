"""What a study makes of each of its graphs: mini-batches, and ego networks as input."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gnn_checkpointing.study.vocabulary import Count, EgoForm, FromTwo, Part


class NeighbourBatches(Part):
    """Mini-batches of training nodes and neighbours drawn around them, layer by layer (GraphSAGE)."""

    sampler: Literal["neighbours"] = Field(description="neighbours drawn around training nodes")
    fan_outs: tuple[Count, ...] = Field(
        min_length=1, description="neighbours drawn for each node, the same in every layer; one batch size each"
    )
    seed_nodes: Count = Field(512, description="training nodes of a batch")
    draws: Count = Field(1, description="independent batches of each size")

    @property
    def kinds(self) -> list[tuple[int, int]]:
        """Size and seed nodes of each kind of batch."""
        return [(size, self.seed_nodes) for size in self.fan_outs]


class ClusterBatches(Part):
    """Mini-batches of whole clusters, found by METIS (Cluster-GCN)."""

    sampler: Literal["clusters"] = Field(description="clusters that cut few edges")
    parts: tuple[FromTwo, ...] = Field(
        min_length=1, description="clusters that the graph is cut into; one batch size each"
    )
    draws: Count = Field(1, description="different clusters of each size")

    @property
    def kinds(self) -> list[tuple[int, int]]:
        """Size and seed nodes (none are chosen) of each kind of batch."""
        return [(size, 0) for size in self.parts]

    @model_validator(mode="after")
    def _as_many_as_parts(self) -> Self:
        if self.draws > min(self.parts):
            raise ValueError(f"draws {self.draws} exceeds the {min(self.parts)} clusters there are")
        return self


class EgoInputs(Part):
    """Graphs that bring the ego network of every node with them: encoded into features, or each as a small graph."""

    radii: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(
        min_length=1, description="steps from a node within which its ego network lies; one graph of each form each"
    )
    forms: tuple[EgoForm, ...] = Field(
        ("encodings", "ego_networks"),
        min_length=1,
        description="encodings: places around nodes and edges counted, as further features; ego_networks: all ego "
        "networks side by side, as subgraph GNNs read them",
    )
    channels: Annotated[int, Field(ge=1, le=1024)] = Field(
        16, description="features that the encodings of nodes become, and as many those of edges"
    )


Batches = Annotated[NeighbourBatches | ClusterBatches, Field(discriminator="sampler")]
