"""The graphs of a study, each with description, id and seed; a pure function of the study."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.convolutions import PATCH_CLASSES, PATCH_PIXELS, Convolution
from gnn_checkpointing.study.families import Family, LargeGraphs
from gnn_checkpointing.study.graph_entries import RealGraph
from gnn_checkpointing.study.study import Study
from gnn_checkpointing.study.vocabulary import EgoForm, Grading, Sampler


@dataclass(frozen=True)
class GeneratedGraph:
    """One random graph to be generated: everything that its content depends on."""

    id: str
    family: Family
    num_nodes: int
    average_degree: float
    replicate: int
    num_features: int
    num_classes: int
    homophily: float
    feature_noise: float
    seed: int
    rewiring: float = 0.1
    timed: bool = True
    convolutions: tuple[Convolution, ...] | None = None
    rounds: tuple[int, int] | None = None

    @property
    def large(self) -> bool:
        """Whether it is beyond the grids, for the laws only; only such graphs have their own `rounds`."""
        return self.rounds is not None

    @property
    def num_edges(self) -> int:
        """Number of directed edges: twice the number of undirected ones."""
        return 2 * round(self.num_nodes * self.average_degree / 2)


@dataclass(frozen=True)
class LoadedGraph:
    """One real graph to be loaded, projected to at most `num_features` features, and split."""

    id: str
    source: RealGraph
    data_root: str | None
    num_features: int
    seed: int


@dataclass(frozen=True)
class DerivedGraph:
    """A graph derived from another: with different edges, as a mini-batch of it, or with its ego networks.

    `size` is an average degree (thinned, two_hop), the largest degree (capped), the fan-out in each of `hops` layers
    around `seed_nodes` nodes (neighbours), a number of clusters, or a radius (ego_networks; encodings, which have
    `channels`).
    """

    id: str
    base: GeneratedGraph | LoadedGraph
    method: Grading | Sampler | EgoForm
    size: float
    seed: int
    draw: int = 0
    seed_nodes: int = 0
    hops: int = 0
    channels: int = 0


GraphSpec = GeneratedGraph | LoadedGraph | DerivedGraph


def place(spec: GraphSpec) -> str:
    """Name of a graph's files below results/: its id, and for a real graph the digest of its source files.

    The id alone is the same for every real graph of that name, whatever the content of its files.
    """
    base = spec.base if isinstance(spec, DerivedGraph) else spec
    files = base.source.files if isinstance(base, LoadedGraph) else {}
    return f"{spec.id}.{digest(files, 8)}" if files else spec.id


def level_name(level: float) -> str:
    """Format a level as part of an id: 16, 1.5, 1000000 (not 1e+06, since paths must not contain a plus sign)."""
    text = f"{level:g}"
    if "e" in text:
        return f"{level:.0f}" if level == int(level) else f"{Decimal(text):f}"
    return text


def derived_seed(*parts: object) -> int:
    """Derive a 63-bit seed that depends on every part and on nothing else."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def study_graphs(study: Study) -> list[GraphSpec]:
    """Every graph of the study: generated and real ones, and those derived from them."""
    drawn, loaded = list(_generated(study)), _loaded(study)
    whole: list[GeneratedGraph | LoadedGraph] = [*(spec for spec in drawn if not spec.large), *loaded]
    specs: list[GraphSpec] = [*drawn, *loaded, *(spec for base in loaded for spec in _graded(base))]
    specs += [spec for base in whole for spec in _batches(study, base)]
    specs += [spec for base in whole for spec in _egos(study, base)]
    return specs


def large_graphs(study: Study) -> frozenset[str]:
    """Ids of the graphs beyond the grids, which are used only for fitting laws."""
    return frozenset(spec.id for spec in _generated(study) if spec.large)


def graph_spec(study: Study, graph_id: str) -> GraphSpec:
    """The study's graph with that id; refuses an unknown id."""
    for spec in study_graphs(study):
        if spec.id == graph_id:
            return spec
    raise Refusal(f"study {study.name} has no graph {graph_id}; `design` lists its graphs")


def encoded_graphs(study: Study) -> list[DerivedGraph]:
    """The study's graphs with encodings of their ego networks as features."""
    return [spec for spec in study_graphs(study) if isinstance(spec, DerivedGraph) and spec.method == "encodings"]


def generator_of(spec: GraphSpec) -> GeneratedGraph | None:
    """Description of the random graph that `spec` is or is derived from; None for real graphs."""
    base = spec.base if isinstance(spec, DerivedGraph) else spec
    return base if isinstance(base, GeneratedGraph) else None


def _generated(study: Study) -> Iterator[GeneratedGraph]:
    for grid in (*study.graphs.generated, *study.graphs.large):
        names = {"num_features", "num_classes", "homophily", "feature_noise"}
        # Only for the family that uses it: ids and seeds of other families do not depend on it.
        names |= {"rewiring"} if grid.family == "watts_strogatz" else set()
        content = grid.model_dump(mode="json", include=names)
        if grid.family == "images":
            content |= {"num_features": PATCH_PIXELS, "num_classes": PATCH_CLASSES}
        rounds = (grid.rounds.at_least, grid.rounds.at_most) if isinstance(grid, LargeGraphs) else None
        for place in product(grid.num_nodes, grid.average_degrees, range(grid.replicates)):
            num_nodes, degree, replicate = place
            size = f"{grid.family}-n{num_nodes}-d{level_name(degree)}-r{replicate}".replace("_", "-")
            yield GeneratedGraph(
                f"{size}-{digest([study.seed, size, degree, content], 6)}",
                grid.family,
                *place,
                seed=derived_seed(study.seed, size, degree, digest(content)),
                timed=grid.timed,
                convolutions=grid.convolutions,
                rounds=rounds,
                **content,
            )


_AS_THEY_ARE = 10**9


def _loaded(study: Study) -> list[LoadedGraph]:
    root = None if study.data_root is None else str(study.data_root)
    asked = study.architecture
    # If the user's own model is the only one, it reads the features unchanged.
    width = study.graphs.num_features or (_AS_THEY_ARE if asked.is_own_alone else asked.hidden_channels)
    specs: list[LoadedGraph] = []
    for source in study.graphs.real:
        # Graphs derived from it do not affect its name; the content of its files is part of its place, not its name.
        described = source.model_dump(mode="json", by_alias=True, exclude={"graded", "files"})
        kind = source.dataset or ("csv" if source.npz is None else "npz")
        name = f"{kind}-{source.name}-{digest([study.seed, width, described], 6)}"
        specs.append(LoadedGraph(name, source, root, width, derived_seed(study.seed, name)))
    return specs


def _graded(base: LoadedGraph) -> Iterator[DerivedGraph]:
    methods: tuple[Grading, ...] = ("thinned", "capped", "two_hop")
    for method in methods:
        for level in map(float, getattr(base.source.graded, method)):
            name = f"{base.id}-{method}-{level_name(level)}".replace("_", "-")
            yield DerivedGraph(name, base, method, level, derived_seed(base.seed, method, level))


def _egos(study: Study, base: GeneratedGraph | LoadedGraph) -> Iterator[DerivedGraph]:
    asked = study.graphs.ego
    for form, radius in product(asked.forms, asked.radii) if asked else ():
        channels = asked.channels if asked and form == "encodings" else 0
        name = f"{base.id}-{form}-{radius}-{digest([form, radius, channels], 4)}".replace("_", "-")
        yield DerivedGraph(name, base, form, radius, derived_seed(base.seed, form, radius), channels=channels)


def _batches(study: Study, base: GeneratedGraph | LoadedGraph) -> Iterator[DerivedGraph]:
    for batches in study.graphs.batches:
        sampler, drawn = batches.sampler, batches.sampler == "neighbours"
        for size, seed_nodes in batches.kinds:
            around = (seed_nodes, study.architecture.num_layers) if drawn else ()
            content = [sampler, size, *around]
            for draw in range(batches.draws):
                name = f"{base.id}-{sampler}-{size}-b{draw}-{digest(content, 4)}"
                seed = derived_seed(base.seed, *content, draw if drawn else "")
                yield DerivedGraph(name, base, sampler, size, seed, draw, *around)
