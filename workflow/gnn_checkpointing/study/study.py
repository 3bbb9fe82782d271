"""A whole study, and the consistency checks between its parts."""

from collections.abc import Iterator
from itertools import chain, product
from math import inf, prod
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import PATCHES, SHAPES, VISION
from gnn_checkpointing.study.graph_entries import Graphs
from gnn_checkpointing.study.policy_names import POLICY_HELP, PolicyName, parse_policy
from gnn_checkpointing.study.settings import Analysis, ChosenGraphs, Explaining, Measuring, Practice, Training
from gnn_checkpointing.study.vocabulary import Part, Slug, Text, UserPath

MOST_CELLS = 1_000_000
"""Maximum number of cells: the largest study here has a few hundred, and a list of more might not fit in memory."""


class HardwareName(Part):
    """How this machine is called; found automatically when left out."""

    slug: Slug | None = Field(None, description="folder name below results/ and report/")
    label: Text | None = Field(None, description="how the report prints the machine")

    @field_validator("slug")
    @classmethod
    def _not_taken(cls, slug: str | None) -> str | None:
        if slug in ("docs", "downloads", "graphs"):
            raise ValueError(f"the folder {slug} below report/ or results/ holds other files; choose another name")
        return slug


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
        meant: dict[PolicyName, str] = {}
        for policy in policies:
            try:
                first = meant.setdefault(parse_policy(policy), policy)
            except Refusal as refusal:
                raise ValueError(str(refusal)) from None
            if first != policy:
                raise ValueError(f"{first} and {policy} are one policy; name it once")
        if "none" not in policies:
            raise ValueError("policy none is missing: every other policy is compared with it")
        if len(policies) == 1:
            raise ValueError("policy none alone leaves nothing to compare: name another one beside it, such as layers")
        return policies

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        found = chain(
            self._too_many(),
            self._wrong_segments(),
            self._wrong_convolutions(),
            self._wrong_images(),
            self._wrong_choices(),
            self._wrong_practice(),
        )
        if complaint := next(found, ""):
            raise ValueError(complaint)
        return self

    def _too_many(self) -> Iterator[str]:
        asked = self.architecture
        factors = (asked.convolutions, (0, *asked.depths), asked.aggregations, asked.tasks, self.measurement.allocators)
        cells = self.graphs.count * prod(map(len, factors))
        if cells > MOST_CELLS:
            yield f"up to {cells:,} cells; at most {MOST_CELLS:,}: lower graphs.replicates, or name fewer depths"

    def _wrong_segments(self) -> Iterator[str]:
        asked = self.architecture
        known = [(SHAPES[name].blocks, name) for name in asked.convolutions if name in SHAPES]
        if asked.has_stacks:
            known += [(layers, "a stack") for layers in (asked.num_layers, *asked.depths)]
        fewest, model = min(known, default=(inf, ""))  # of a user's own model the layers are not known
        for policy in self.policies:
            name = parse_policy(policy)
            if name.kind == "segments" and (name.count or 1) > fewest:
                layers = f"{fewest} layer{'s' * (fewest > 1)}, and a segment at least one"
                yield f"policies names {policy}, but {model} has {layers}; allowed: at most segments({fewest})"

    def _wrong_convolutions(self) -> Iterator[str]:
        measured = self.architecture.convolutions
        for key, names in (
            ("measurement.allocator_convolutions", self.measurement.allocator_convolutions),
            *(("graphs.generated.convolutions", grid.convolutions) for grid in self.graphs.generated),
            *(("graphs.large.convolutions", grid.convolutions) for grid in self.graphs.large),
        ):
            if names == ():
                yield f"{key} is empty: name a convolution, or leave the key out for all of them"
            for name in names or ():
                if name not in measured:
                    yield f"{key} names {name}, which architecture.convolutions ({', '.join(measured)}) does not"

    def _wrong_images(self) -> Iterator[str]:
        """Check that only Vision GNNs read images, and that they read nothing else."""
        graphs, asked = self.graphs, self.architecture
        images = [grid for grid in graphs.generated if grid.family == "images"]
        others = len(images) < len(graphs.generated) or graphs.real
        vision, stack = (
            next((name for name in asked.convolutions if (name in VISION) == seen), "") for seen in (True, False)
        )
        if images and not vision:
            yield f"graphs of family images are read by {', '.join(sorted(VISION))} alone: name one of them"
        if vision and not images:
            yield f"{vision} reads graphs of family images alone: add some to graphs.generated"
        if others and not stack:
            yield f"{vision} reads no graphs but images: name another convolution for the other graphs"
        if stack and not others:
            yield f"{stack} reads no images: name Vision GNNs alone, or add other graphs"
        for grid in (*graphs.generated, *graphs.large):
            for name in grid.convolutions or ():
                if (name in VISION) != (grid.family == "images"):
                    yield f"graphs.generated.convolutions: {name} does not read graphs of family {grid.family}"
        if images and graphs.batches:
            yield "graphs.batches samples nodes of graphs, which images have none of: leave one of them out"
        if images and graphs.ego:
            yield "graphs.ego takes the ego networks of graphs, which images have none of: leave it out"
        if "images" in asked.tasks and any(PATCHES in grid.num_nodes for grid in images):
            yield (
                f"architecture.tasks names images, and a graph of {PATCHES} nodes is one alone: BatchNorm in the head "
                f"needs two; raise graphs.generated.num_nodes to {2 * PATCHES}, or leave the task out"
            )
        if any(grid.family == "images" for grid in graphs.large):
            yield "graphs.large has a grid of family images, whose law is theirs; leave it out"
        if vision and self.training.graphs != ChosenGraphs():
            yield f"training.graphs: training jobs train stacks, not {vision}; leave it out"

    def _wrong_choices(self) -> Iterator[str]:
        there = {pair for grid in self.graphs.generated for pair in product(grid.num_nodes, grid.average_degrees)}
        known: dict[str, set[Any]] = {
            "real": {graph.name for graph in self.graphs.real},
            "num_nodes": {nodes for nodes, _ in there},
            "average_degrees": {degree for _, degree in there},
        }
        places = {"training.graphs": self.training.graphs}
        if self.practice is not None:
            places["practice.graphs"] = self.practice.graphs
        for place, chosen in places.items():
            for key, allowed in known.items():
                found = ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in sorted(allowed))
                for name in getattr(chosen, key):
                    if name not in allowed:
                        yield (
                            f"{place}.{key} names {name}, which no graph has; allowed: "
                            + (found or "none, since the study has no such graphs")
                        )
            if place == "practice.graphs" and not chosen.real and not (chosen.num_nodes and chosen.average_degrees):
                yield f"{place} names no graph: give num_nodes and average_degrees, or real"
            used = there & set(product(chosen.num_nodes, chosen.average_degrees))
            for at, key in enumerate(("num_nodes", "average_degrees")):
                for one in getattr(chosen, key):
                    if all(one != pair[at] for pair in used):
                        yield (
                            f"{place}.{key} has {one:g}, which no graph has together with the other key; give "
                            "num_nodes and average_degrees of one grid"
                        )

    def _wrong_practice(self) -> Iterator[str]:
        added = {} if self.practice is None else self.practice.model_dump(exclude={"graphs"})
        if added and not self.architecture.has_stacks:
            yield "practice is about stacks of convolutions, of which there are none; leave it out"
        if added and all(getattr(self.architecture, key) == value for key, value in added.items()):
            yield "practice adds nothing to what architecture has; change one of its keys, or leave it out"
