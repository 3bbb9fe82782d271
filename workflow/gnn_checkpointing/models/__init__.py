"""Stacks of graph convolutions that do not know that they are checkpointed."""
