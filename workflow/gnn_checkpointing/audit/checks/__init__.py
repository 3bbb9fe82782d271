"""The checks by theme: each is one small function from the audit's inputs to an answer; `rubric.yaml` has its rule."""
