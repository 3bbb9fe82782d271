"""Every convolution of PyG under every policy for single layers: exact, or refused for a reason listed here.

CONVOLUTIONS_TABLE=FILE pytest tests/checkpointing/test_every_convolution.py also writes the outcomes as a page.
"""

import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from every_convolution import NEEDS_A_PACKAGE
from other_convolutions import CONVOLUTIONS
from torch_geometric.nn import conv

from gnn_checkpointing.checkpointing import cutting
from gnn_checkpointing.checkpointing.edge_blocks import cut_layers

POLICIES = ("edge_blocks(8)", "fused_edge_blocks(8)", "layers", "auto")
PAGE = Path(__file__).resolve().parents[2] / "docs/convolutions.md"
EXPECTED_REFUSALS = {
    (name, policy): word
    for policies, refused in {
        POLICIES[:3]: {"XConv": "message passing", "WLConv": "message passing"},
        POLICIES[:2]: {
            "MeshCNNConv": "groups of four",
            "MeshCNNConv, neighbours as sources": "groups of four",
            "SAGEConv, LSTM": "largest number of edges",
        },
    }.items()
    for policy in policies
    for name, word in refused.items()
}
"""Allowed refusals, with a word of the reason: no messages at all, or messages that depend on other edges."""


ANY_GRAPH = patch.multiple(sys.modules[cut_layers.__module__], WORTH_BYTES=0, WORTH_DEGREE=0)
"""Makes `auto` treat every graph as large and dense."""

TEXT = """# Convolutions and policies

Every convolution of PyG with the arguments of its documentation, called as documented, under the policies that wrap
single layers. `CONVOLUTIONS_TABLE=docs/convolutions.md pytest tests/checkpointing/test_every_convolution.py` made this
page, and a test compares it with what it finds.

- **exact**: the same function up to rounding. Outputs, the gradients of all inputs and weights, and buffers of two
  steps differ from those of the plain layer by less than about 1e-5 of their norm, because blocks and kernels add
  float32 numbers in another order. More terms round more: in the published frontier study, at 128 edges per node,
  gradients of nine layers of EdgeConv in blocks differed by 3e-5, which is above that study's tolerance of 1e-5. A
  layer that draws random numbers is compared as it evaluates; in training its gradient is the slope of the function
  that was computed.
- **refused**: `apply` refuses the policy when it is asked for by name; the note has the reason.
- **not tried**: the convolution needs a package that the tests do not install.

Blocks had eight edges. `fused_edge_blocks` takes a kernel where the layer has one, and blocks where it has none. `auto`
never refuses: what blocks would change it recomputes whole or leaves alone. Small and sparse graphs, such as those of
this table, it would leave alone altogether; here its thresholds were 0, and its column also says what it chose, `none`
where it left the layer alone. Several lines for a convolution are several ways to build or call it; *pair* is a call on
source and destination nodes.

{table}
{notes}
"""


def page(outcomes: Mapping[str, Mapping[str, str]], untried: Mapping[str, str]) -> str:
    """The page of outcomes; an outcome is `exact`, or a word, a colon and the reason."""
    policies = list(next(iter(outcomes.values())))
    notes: dict[str, int] = {}
    rows = [["convolution", *(f"`{policy.partition('(')[0]}`" for policy in policies)], ["---"] * (len(policies) + 1)]
    rows += [[name, *(_cell(found, notes) for found in by_policy.values())] for name, by_policy in outcomes.items()]
    rows += [[name, *[_cell(f"not tried: {reason}", notes)] * len(policies)] for name, reason in untried.items()]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return TEXT.format(table=table, notes="".join(f"\n{number}. {text}" for text, number in notes.items()))


def _cell(found: str, notes: dict[str, int]) -> str:
    """Kind of an outcome, with the number of its reason."""
    kind, _, reason = found.partition(": ")
    if not reason:
        return kind
    # The reason without the policy's name is the same for all policies.
    text = re.sub(r"^(policy \S+:|\S+ cannot wrap) ", "", reason)
    return f"{kind} ({notes.setdefault(text, len(notes) + 1)})"


@cache
def found(name: str, policy: str) -> str:
    with warnings.catch_warnings(), ANY_GRAPH, patch.object(cutting, "block_size", lambda *_: 8):
        warnings.simplefilter("ignore")  # PyG's own advice on SplineConv and the like
        outcome = CONVOLUTIONS[name].outcome(policy)
        return f"{outcome}, {CONVOLUTIONS[name].chosen()}" if (policy, outcome) == ("auto", "exact") else outcome


def outcomes() -> dict[str, dict[str, str]]:
    """Outcome of each policy for each configuration."""
    return {name: {policy: found(name, policy) for policy in POLICIES} for name in CONVOLUTIONS}


@pytest.fixture(scope="session", autouse=True)
def _written_table() -> Iterator[None]:
    yield
    if place := os.environ.get("CONVOLUTIONS_TABLE"):
        Path(place).write_text(page(outcomes(), NEEDS_A_PACKAGE), encoding="utf-8")


def test_the_table_has_every_convolution_that_pyg_exports() -> None:
    tried = {name.split(",")[0] for name in CONVOLUTIONS} | NEEDS_A_PACKAGE.keys()
    assert set(conv.__all__) - {"MessagePassing"} == tried
    assert len(CONVOLUTIONS) >= 74


@pytest.mark.parametrize("policy", ["none", *POLICIES])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_is_exact_or_refused_when_the_policy_is_applied(name: str, policy: str, compiler: None) -> None:
    """A plain layer repeats its step exactly, otherwise a difference under a policy would mean nothing."""
    expected = EXPECTED_REFUSALS.get((name, policy))
    assert re.match("exact" if expected is None else rf"refused: .*{expected}", found(name, policy))


def test_auto_has_something_to_choose_for_nearly_all_of_them(compiler: None) -> None:
    """Else its column would say nothing; what it leaves alone has no messages, or messages that depend on others."""
    left = {name for name in CONVOLUTIONS if found(name, "auto") == "exact, `none`"}
    assert left <= {name for name, _ in EXPECTED_REFUSALS}


def test_the_published_page_has_what_was_found(compiler: None) -> None:
    """At least 66 of 74 convolutions must work under edge blocks."""
    found = outcomes()
    kinds = [by_policy["edge_blocks(8)"] for by_policy in found.values()]
    assert kinds.count("exact") >= len(kinds) * 66 / 74
    if not os.environ.get("CONVOLUTIONS_TABLE"):
        assert PAGE.read_text(encoding="utf-8") == page(found, NEEDS_A_PACKAGE)
