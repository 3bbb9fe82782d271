"""Generators and loaders of graphs, one per file; all of them make the same kind of graph."""
