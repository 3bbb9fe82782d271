"""Checkpointing policies that wrap a model from outside."""
