"""The command line: `python -m gnn_checkpointing <command>`; each command is one rule and works by hand too."""

from gnn_checkpointing.cli.guard import main

__all__ = ["main"]
