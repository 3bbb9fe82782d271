"""One generator or loader a file; every one ends in the same kind of graph."""
