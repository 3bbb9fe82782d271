"""Running one command: what it refuses becomes one sentence and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from gnn_checkpointing.cli.parser import parser
from gnn_checkpointing.refusal import Refusal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; bad input is one sentence on standard error and exit code 2."""
    parsed = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = parsed.run
    try:
        command(parsed)
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
    return 0
