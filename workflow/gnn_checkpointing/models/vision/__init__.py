"""Vision GNN (Han et al., 2022): image patches as nodes, a graph of nearest neighbours drawn anew in every block."""
