"""Can a report be believed? It grades itself by a published rubric, and `validate` computes all of it again."""
