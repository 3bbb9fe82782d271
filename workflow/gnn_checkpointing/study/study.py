"""A whole study, and what its parts ask of each other."""

from __future__ import annotations

from itertools import product
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.analysis import Analysis
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import VISION
from gnn_checkpointing.study.explaining import Explaining
from gnn_checkpointing.study.graph_entries import Graphs
from gnn_checkpointing.study.measuring import Measuring
from gnn_checkpointing.study.policy_names import POLICY_HELP, PolicyName, parse_policy
from gnn_checkpointing.study.practice import Practice
from gnn_checkpointing.study.training import ChosenGraphs, Training
from gnn_checkpointing.study.vision_shapes import PATCHES
from gnn_checkpointing.study.vocabulary import Part, Slug, Text, UserPath


class HardwareName(Part):
    """How this machine is called; found automatically when left out."""

    slug: Slug | None = Field(None, description="folder name below results/ and report/")
    label: Text | None = Field(None, description="how the report prints the machine")


class Study(Part):
    """One study: which graphs, which models, which policies, measured how."""

    name: Slug = Field(description="folder name of the study below results/<hardware>/ and report/<hardware>/")
    title: Text = Field(description="title of the report")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(description="from which every random choice is derived")
    hardware: HardwareName = HardwareName()
    data_root: UserPath | None = Field(None, description="folder of real graphs; nothing is ever written below it")
    graphs: Graphs
    architecture: Architecture
    policies: tuple[str, ...] = Field(min_length=1, description=POLICY_HELP)
    measurement: Measuring = Measuring()
    practice: Practice | None = Field(None, description="the stacks once more with what people add to them")
    training: Training = Training()
    analysis: Analysis = Analysis()
    explained: Explaining | None = Field(None, description="a trained Vision GNN and images to explain it on")

    @field_validator("policies")
    @classmethod
    def _policies_known(cls, policies: tuple[str, ...]) -> tuple[str, ...]:
        for policy in policies:
            try:
                parse_policy(policy)
            except Refusal as refusal:
                raise ValueError(str(refusal)) from None
        if "none" not in policies:
            raise ValueError("policy none is missing: every other policy is compared with it")
        if len(policies) == 1:
            raise ValueError("policy none alone leaves nothing to compare: name another one beside it, such as layers")
        meant: dict[PolicyName, str] = {}
        for policy in policies:
            if (first := meant.setdefault(parse_policy(policy), policy)) != policy:
                raise ValueError(f"{first} and {policy} are one policy; name it once")
        return policies

    @model_validator(mode="after")
    def _chosen_convolutions_are_measured(self) -> Study:
        chosen = [("measurement.allocator_convolutions", self.measurement.allocator_convolutions)]
        chosen += [("graphs.generated.convolutions", grid.convolutions) for grid in self.graphs.generated]
        chosen += [("graphs.large.convolutions", grid.convolutions) for grid in self.graphs.large]
        for key, names in chosen:
            for name in names or ():
                if name not in self.architecture.convolutions:
                    measured = ", ".join(self.architecture.convolutions)
                    raise ValueError(f"{key} names {name}, which architecture.convolutions ({measured}) does not")
            if names == ():
                raise ValueError(f"{key} is empty: name a convolution, or leave the key out for all of them")
        return self

    @model_validator(mode="after")
    def _chosen_graphs_exist(self) -> Study:
        grids = self.graphs.generated
        allowed: dict[str, set[Any]] = {
            "real": {graph.name for graph in self.graphs.real},
            "num_nodes": {nodes for grid in grids for nodes in grid.num_nodes},
            "average_degrees": {one for grid in grids for one in grid.average_degrees},
        }
        chosen = {"training.graphs": self.training.graphs}
        if self.practice is not None:
            chosen["practice.graphs"] = self.practice.graphs
        keys = [
            (f"{place}.{key}", getattr(graphs, key), known)
            for place, graphs in chosen.items()
            for key, known in allowed.items()
        ]
        for key, names, known in keys:
            for name in names:
                if name not in known:
                    found = ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in sorted(known))
                    raise ValueError(
                        f"{key} names {name}, which no graph has; allowed: "
                        + (found or "none, since the study has no such graphs")
                    )
        return self

    @model_validator(mode="after")
    def _practice_adds_something(self) -> Study:
        if self.practice is None:
            return self
        if not self.architecture.has_stacks:
            raise ValueError("practice is about stacks of convolutions, of which there are none; leave it out")
        chosen, added = self.practice.graphs, self.practice.model_dump(exclude={"graphs"})
        if all(getattr(self.architecture, key) == value for key, value in added.items()):
            raise ValueError("practice adds nothing to what architecture has; change one of its keys, or leave it out")
        if not chosen.real and not (chosen.num_nodes and chosen.average_degrees):
            raise ValueError("practice.graphs names no graph: give num_nodes and average_degrees, or real")
        return self

    @model_validator(mode="after")
    def _images_and_vision_go_together(self) -> Study:
        images = any(grid.family == "images" for grid in self.graphs.generated)
        others = any(grid.family != "images" for grid in self.graphs.generated) or bool(self.graphs.real)
        vision = [name for name in self.architecture.convolutions if name in VISION]
        stacks = [name for name in self.architecture.convolutions if name not in VISION]
        if images and not vision:
            raise ValueError(f"graphs of family images are read by {', '.join(sorted(VISION))} alone: name one of them")
        if vision and not images:
            raise ValueError(f"{vision[0]} reads graphs of family images alone: add some to graphs.generated")
        if others and not stacks:
            raise ValueError(
                f"{', '.join(vision)} read no graphs but images: name another convolution for the other graphs, or "
                "leave these out"
            )
        if stacks and not others:
            raise ValueError(f"{stacks[0]} reads no images: name Vision GNNs alone, or add other graphs")
        for grid in (*self.graphs.generated, *self.graphs.large):
            for name in grid.convolutions or ():
                if (name in VISION) != (grid.family == "images"):
                    raise ValueError(
                        f"graphs.generated.convolutions: {name} does not read graphs of family {grid.family}"
                    )
        if images and self.graphs.batches:
            raise ValueError("graphs.batches samples nodes of graphs, which images have none of: leave one of them out")
        if images and self.graphs.ego:
            raise ValueError("graphs.ego takes the ego networks of graphs, which images have none of: leave it out")
        if "images" in self.architecture.tasks and any(
            PATCHES in grid.num_nodes for grid in self.graphs.generated if grid.family == "images"
        ):
            raise ValueError(
                f"architecture.tasks names images, and a graph of {PATCHES} nodes is one alone: BatchNorm in the head "
                f"needs two; raise graphs.generated.num_nodes to {2 * PATCHES}, or leave the task out"
            )
        if any(grid.family == "images" for grid in self.graphs.large):
            raise ValueError("graphs.large has a grid of family images, whose law is theirs; leave it out")
        if vision and self.training.graphs != ChosenGraphs():
            raise ValueError(f"training.graphs: training jobs train stacks, not {vision[0]}; leave it out")
        return self

    @model_validator(mode="after")
    def _chosen_sizes_go_together(self) -> Study:
        grids = self.graphs.generated
        there = {(nodes, one) for grid in grids for nodes in grid.num_nodes for one in grid.average_degrees}
        chosen = {"training": self.training.graphs}
        if self.practice is not None:
            chosen["practice"] = self.practice.graphs
        for place, graphs in chosen.items():
            meant = there & set(product(graphs.num_nodes, graphs.average_degrees))
            nodes, degrees = ({one[at] for one in meant} for at in (0, 1))
            lost: dict[str, list[float]] = {
                "num_nodes": [one for one in graphs.num_nodes if one not in nodes],
                "average_degrees": [one for one in graphs.average_degrees if one not in degrees],
            }
            for key, values in lost.items():
                if values:
                    raise ValueError(
                        f"{place}.graphs.{key} has {values[0]:g}, which no graph has together with the other key; "
                        "give num_nodes and average_degrees of one grid"
                    )
        return self
