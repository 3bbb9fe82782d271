"""The checks by theme: each is one small function from the audit's inputs to an answer; its docstring is its rule."""
