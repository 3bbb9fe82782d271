"""Every group of cases: outputs, gradients and buffers of the last of several steps are exact, or it is refused."""

import pytest
import torch
from cases_of_aggregations import AGGREGATIONS
from cases_of_calls import CALLS
from cases_of_kernels import KERNELS
from cases_of_messages import HOSTS, MESSAGES, OVER_ALL_EDGES, edge_conv
from cases_of_reach import REACH
from cases_of_users import USERS
from small_inputs import EDGES, O, X
from steps_compared import difference, is_exact_or_refused, step, under

from gnn_checkpointing.refusal import Refusal

GROUPS = AGGREGATIONS | MESSAGES | CALLS | USERS | REACH | KERNELS
RUNS = [(group, name, policy) for group, row in GROUPS.items() for name in row.cases for policy in row.policies]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:Sparse CSR tensor support")
@pytest.mark.parametrize(("group", "name", "policy"), RUNS)
def test_a_case_is_exact_or_refused_where_it_may_be(group: str, name: str, policy: str) -> None:
    row = GROUPS[group]
    found = row.cases[name].outcome(policy, row.steps)
    assert found == "exact" or (policy in row.may_refuse and is_exact_or_refused(found))


@pytest.mark.parametrize("norm", OVER_ALL_EDGES)
def test_a_first_look_does_not_hide_a_norm(norm: str) -> None:
    """The first graph has one block, or the first call is in evaluation mode, so that blocks need not differ yet."""
    for training, first in ((True, EDGES[:, :6]), (False, EDGES)):
        torch.manual_seed(0)
        plain = edge_conv(OVER_ALL_EDGES[norm](O))
        found = []
        try:
            for model in (plain, under("edge_blocks(8)", plain)):
                step(model.train(training), (X, first))
                found.append(step(model.train(), (X, EDGES)))
        except Refusal:
            continue
        assert difference(*found) == ""


def test_every_host_computes_its_norm() -> None:
    """The norm changes the layer's output, otherwise the cases would test nothing."""
    for make, args in HOSTS.values():
        outs = []
        for norm in (torch.nn.Identity(), OVER_ALL_EDGES["softmax over edges"](O)):
            torch.manual_seed(0)
            outs.append(make(norm)(*args))
        assert not torch.allclose(*outs)
