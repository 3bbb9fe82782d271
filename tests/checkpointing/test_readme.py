"""The README's lines for a user's own model run as they stand, and the model computes what it computed."""

import re
from pathlib import Path

import torch
from torch_geometric.nn import GraphSAGE

ROOT = Path(__file__).resolve().parents[2]


def test_three_lines_give_a_pyg_model_edge_blocks() -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len([line for line in lines.splitlines() if line]) == 3
    names: dict[str, object] = {}
    exec(lines, names)
    model = names["model"]
    plain = GraphSAGE(16, 32, num_layers=3, out_channels=4)
    assert list(model.state_dict()) == list(plain.state_dict())
    plain.load_state_dict(model.state_dict())
    x, edge_index = torch.randn(50, 16), torch.randint(0, 50, (2, 400))
    torch.testing.assert_close(model(x, edge_index), plain(x, edge_index), rtol=1e-4, atol=1e-5)
    assert all(hasattr(conv, "_shared_edges") for conv in model.convs)
