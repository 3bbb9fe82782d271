"""One PyG layer a file: its forward pass cut into what edges read, the per-edge stage of a block, and the finish.

The per-edge stage calls the layer's own `edge_update`, `message` and `aggregate`, so that what is computed stays
PyG's; only the node-level maps move out of the blocks.
"""
