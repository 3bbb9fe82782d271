"""Whole graph kernels of our own: forward and gradient of message passing without a value kept per edge.

Each family takes node tensors and the graph's edges, sorted by `kernel_edges`, and gives node tensors: `attention`, and
neighbours' `rows` reduced.
"""
