"""Other densities of a real graph: one way of removing or adding edges a file; the nodes stay as they are."""
