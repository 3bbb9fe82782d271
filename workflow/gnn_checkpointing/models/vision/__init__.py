"""Vision GNN (Han et al., 2022): image patches are nodes, and each block builds a new graph of nearest neighbours."""
