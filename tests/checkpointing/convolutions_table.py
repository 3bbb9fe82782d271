"""What every convolution did under every policy, as the page docs/convolutions.md."""

import re
from collections.abc import Mapping

PAGE = """# Convolutions and policies

Every convolution of PyG with the arguments of its documentation, called as documented, under the policies that wrap
single layers. `CONVOLUTIONS_TABLE=docs/convolutions.md pytest tests/checkpointing/test_every_convolution.py` made this
page, and a test compares it with what it finds.

- **exact**: outputs, the gradients of all inputs and weights, and buffers are those of the plain layer, in two steps.
  A layer that draws random numbers is compared as it evaluates; in training its gradient is the slope of the function
  that was computed.
- **refused**: `apply` refuses the policy when it is asked for by name; the note has the reason.
- **not tried**: the convolution needs a package that the tests do not install.

`edge_blocks` and `fused_edge_blocks` ran with blocks of eight edges. `fused_edge_blocks` takes a kernel where the layer
has one, and blocks where it has none. `auto` never refuses: what blocks would change it recomputes whole or leaves
alone, and on small or sparse graphs, such as those of this table, it changes nothing. Several lines for a convolution
are several ways to build or call it; *pair* is a call on source and destination nodes.

{table}
{notes}
"""


def page(outcomes: Mapping[str, Mapping[str, str]], untried: Mapping[str, str]) -> str:
    """The page; an outcome is `exact` or begins with a word, a colon and the reason."""
    policies = list(next(iter(outcomes.values())))
    notes: dict[str, int] = {}
    rows = [["convolution", *(f"`{policy.partition('(')[0]}`" for policy in policies)], ["---"] * (len(policies) + 1)]
    rows += [[name, *(_cell(found, notes) for found in by_policy.values())] for name, by_policy in outcomes.items()]
    rows += [[name, *[_cell(f"not tried: {reason}", notes)] * len(policies)] for name, reason in untried.items()]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return PAGE.format(table=table, notes="".join(f"\n{number}. {text}" for text, number in notes.items()))


def _cell(found: str, notes: dict[str, int]) -> str:
    """The kind of outcome, with the number of its reason."""
    kind, _, reason = found.partition(": ")
    if not reason:
        return kind
    # The reason without the name of the policy: it is the same for all of them.
    text = re.sub(r"^(policy \S+:|\S+ cannot wrap) ", "", reason)
    return f"{kind} ({notes.setdefault(text, len(notes) + 1)})"
