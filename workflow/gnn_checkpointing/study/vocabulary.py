"""The words that a study file may use, and what each of its parts is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Checksum = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Degree = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=10**9)]

Family = Literal["sbm", "erdos_renyi", "heavy_tail", "watts_strogatz", "spatial", "rmat", "circuit", "images"]
Convolution = Literal["GCN", "SAGE", "SAGE-max", "GIN", "GAT", "GATv2", "EdgeConv", "ViG-Ti", "ViG-S", "ViG-B"]
VisionTask = Literal["patches", "images"]
Aggregation = Literal["gather_scatter", "spmm"]
DatasetClass = Literal[
    "KarateClub",
    "Planetoid",
    "Coauthor",
    "Amazon",
    "Reddit",
    "Reddit2",
    "Flickr",
    "Yelp",
    "LINKXDataset",
    "HeterophilousGraphDataset",
    "Actor",
    "WebKB",
    "OGB",
]
Allocator = Literal["retaining", "default", "jemalloc"]
Grading = Literal["thinned", "capped", "two_hop"]
Sampler = Literal["neighbours", "clusters"]
EgoForm = Literal["encodings", "ego_networks"]
MemoryForm = Literal["additive", "blocks", "largest_of_two", "largest_of_two_blocks", "quadratic", "power"]
TimeForm = Literal["additive", "blocks", "knee", "quadratic", "power"]

SPARSE_PRODUCT: frozenset[Convolution] = frozenset({"GCN", "SAGE", "GIN"})
"""Convolutions whose aggregation is a sum or mean of unchanged neighbours, and so a sparse matrix product."""

VISION: frozenset[Convolution] = frozenset({"ViG-Ti", "ViG-S", "ViG-B"})
"""Vision GNNs: whole models of their own, which read images and draw their own graphs."""

ONE_OF_A_CLASS: frozenset[DatasetClass] = frozenset({"KarateClub", "Reddit", "Reddit2", "Flickr", "Yelp", "Actor"})
"""Dataset classes that hold a single graph, so that PyG gives it no name."""


class Part(BaseModel):
    """A part of a study: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
