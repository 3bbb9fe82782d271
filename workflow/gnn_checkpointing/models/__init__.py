"""Stacks of graph convolutions, written without any knowledge of checkpointing."""
