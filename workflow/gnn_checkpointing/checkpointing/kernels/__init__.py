"""Kernels for message passing over whole graphs: forward pass and gradient, without keeping a value per edge.

Both families, `attention` and reductions of neighbours' `rows`, map node tensors and the graph's edges, sorted by
`kernel_edges`, to node tensors.
"""
