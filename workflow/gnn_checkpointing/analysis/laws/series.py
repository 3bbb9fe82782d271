"""The data of one law, cells of one convolution and policy with a response, and the forms that a law may take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from gnn_checkpointing.analysis.fitting import observed
from gnn_checkpointing.analysis.results import PredictiveLaw, Residual, Response
from gnn_checkpointing.analysis.rounding import Floats
from gnn_checkpointing.analysis.table import Row


@dataclass(frozen=True)
class Sizes:
    """Inputs of a law, each `[num_rows]`: nodes, edges, and the edges that a policy works on at once.

    `at_once` is None where the size of the policy's blocks was not recorded.
    """

    nodes: Floats
    edges: Floats
    at_once: Floats | None

    @classmethod
    def of(cls, *graphs: tuple[float, float, float | None]) -> Self:
        """Sizes from each graph's nodes, edges and edges at once."""
        nodes, edges, at_once = (np.array(each, dtype=np.float64) for each in zip(*graphs, strict=True))
        return cls(nodes, edges, None if np.isnan(at_once).any() else at_once)  # None becomes NaN


@dataclass(frozen=True)
class Series:
    """The cells of one convolution and policy on generated graphs, all with the response."""

    rows: Sequence[Row]
    response: Response

    def only(self, places: list[int]) -> Self:
        """Some of the cells."""
        return type(self)([self.rows[place] for place in places], self.response)

    @cached_property
    def sizes(self) -> Sizes:
        """Inputs of a law for the graphs of all cells."""
        return Sizes.of(*((row.num_nodes, row.num_edges, row.edges_at_once) for row in self.rows))

    @cached_property
    def values(self) -> Floats:
        """The response, `[num_rows]`."""
        return observed(self.rows, self.response)

    @property
    def key(self) -> tuple[str, str, Response]:
        """Convolution, policy and response."""
        return self.rows[0].convolution, self.rows[0].policy, self.response

    @property
    def name(self) -> str:
        """Convolution and policy as text for the reader."""
        return f"{self.rows[0].convolution}, {self.rows[0].policy}"

    @property
    def about(self) -> dict[str, str]:
        """Fields that identify the series in a result."""
        return dict(zip(("convolution", "policy", "response"), self.key, strict=True))

    def residuals(self, fitted: Floats, relative: Floats) -> list[Residual]:
        """Each cell's response and a law's value for it, and their difference as a share."""
        found = zip(self.rows, self.values.tolist(), fitted.tolist(), relative.tolist(), strict=True)
        return [
            Residual(
                **{name: getattr(row, name) for name in ("graph", "num_nodes", "num_edges", "started")},
                observed=value,
                fitted=expected,
                relative=share,
            )
            for row, value, expected, share in found
        ]

    def law(
        self, form: str, pieces: Sequence[Mapping[str, float]], knee: float | None, fitted: Floats, reach: float
    ) -> PredictiveLaw:
        """The law of the series; `reach` is the half-width of its interval as a share of the prediction."""
        relative = (self.values - fitted) / fitted
        nodes, edges = self.sizes.nodes, self.sizes.edges
        law = {
            "form": form,
            "pieces": pieces,
            "knee": knee,
            "cells": len(self.rows),
            "num_nodes": (int(nodes.min()), int(nodes.max())),
            "num_edges": (int(edges.min()), int(edges.max())),
            "num_features": self.rows[0].num_features,
            "half_width": reach,
            "held_out_error": None if self.response == "step_time_seconds" else reach,
            "median_relative_residual": float(np.median(np.abs(relative))),
            "worst_relative_residual": float(np.abs(relative).max()),
            "residuals": self.residuals(fitted, relative),
        }
        return PredictiveLaw.model_validate({**self.about, **law})


@dataclass(frozen=True)
class Form:
    """A sum of columns, or the maximum of several such sums; `logarithmic` forms model the response's logarithm.

    A peak is a maximum over instants, each with its own bytes per node and edge: hence the maximum of two. A policy of
    blocks holds the messages of one block: hence `edges_at_once`. During the second full block it also holds the sums
    of the first, a value per node and channel: hence `nodes_with_blocks`. Beyond some number of edges a cache is too
    small, and each further edge costs more: hence `edges_over_knee`.
    """

    columns: tuple[str, ...]
    pieces: int = 1
    logarithmic: bool = False

    @property
    def has_knee(self) -> bool:
        """Whether a column starts at a fitted number of edges."""
        return "edges_over_knee" in self.columns

    @property
    def is_curved(self) -> bool:
        """Whether it may grow faster than its graph, and so holds only within the measured range."""
        return self.logarithmic or "edges_squared" in self.columns

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return self.pieces * len(self.columns) + self.has_knee


_SUM = ("constant", "nodes", "edges")
FORMS: dict[str, Form] = {
    "additive": Form(_SUM),
    "blocks": Form((*_SUM, "edges_at_once")),
    "several_blocks": Form(("constant", "nodes", "nodes_with_blocks", "edges", "edges_at_once")),
    "largest_of_two": Form(_SUM, pieces=2),
    "largest_of_two_blocks": Form((*_SUM, "edges_at_once"), pieces=2),
    "knee": Form((*_SUM, "edges_over_knee")),
    "quadratic": Form((*_SUM, "edges_squared")),
    "power": Form(("constant", "log_nodes", "log_edges"), logarithmic=True),
}


def matrix(form: Form, sizes: Sizes, knee: float | None = None) -> Floats:
    """Design matrix of the form, `[num_rows, num_columns]`; `why_not_form` reports unknown block sizes."""
    nodes, edges = sizes.nodes, sizes.edges
    at_once = edges if sizes.at_once is None else sizes.at_once
    columns = {
        "constant": np.ones_like(nodes),
        "nodes": nodes,
        "edges": edges,
        "edges_at_once": at_once,
        "nodes_with_blocks": np.where(edges >= 2 * at_once, nodes, 0.0),
        "edges_squared": edges**2,
        "edges_over_knee": np.maximum(edges - (knee or 0.0), 0.0),
        "log_nodes": np.log(np.maximum(nodes, 1.0)),
        "log_edges": np.log(np.maximum(edges, 1.0)),
    }
    return np.column_stack([columns[name] for name in form.columns])
