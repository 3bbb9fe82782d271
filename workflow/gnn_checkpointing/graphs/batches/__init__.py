"""Mini-batches of a graph as graphs of their own, made by PyG's loaders: one way of sampling a file."""
