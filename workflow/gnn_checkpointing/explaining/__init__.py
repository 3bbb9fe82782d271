"""What the graphs of a Vision GNN look like, block by block: the measures of arXiv 2504.19682, exactly defined."""
