"""Attention over incoming edges with its gradient written out, for blocks of edges; plain functions of tensors."""
