"""Running one command: what it refuses becomes one sentence and an exit code."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence

from gnn_checkpointing.cli.parser import parser
from gnn_checkpointing.refusal import Refusal

_SURROUNDINGS = {
    errno.ENOSPC: "free some space, and run it again",
    errno.EDQUOT: "free some space, and run it again",
    errno.EFBIG: "raise the limit of a file's size, and run it again",
    errno.EROFS: "name a folder that can be written to",
    errno.EACCES: "change its permissions, or name another place",
    errno.EPERM: "change its permissions, or name another place",
    errno.ENOTDIR: "a file stands where a folder is needed; move it away, or name another place",
    errno.EISDIR: "a folder stands where a file is needed; move it away, or name another place",
    errno.EEXIST: "a file stands where a folder is needed; move it away, or name another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EIO: "the disk does not answer; look at it, and run it again",
    errno.EMFILE: "raise the limit of open files, and run it again",
    errno.ENFILE: "raise the limit of open files, and run it again",
}
"""What the system refuses for no fault of the program, and what to do then; whatever else goes wrong is a fault."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; bad input is one sentence on standard error and exit code 2."""
    parsed = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = parsed.run
    try:
        command(parsed)
    except Refusal as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "gnn_checkpointing"):
            raise
        print(f"error: {_missing(parsed.run.__name__, package)}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
    except OSError as error:
        if error.errno not in _SURROUNDINGS:
            raise
        print(f"error: {_told(error)}", file=sys.stderr)
        return 2
    return 0


def _missing(command: str, package: str) -> str:
    """Which package a command lacks, and the extra that brings it; the library alone needs torch and PyG."""
    return f"{command} needs {package}, which is not installed; pip install 'gnn-checkpointing[report]' brings it"


def _told(error: OSError) -> str:
    """Return in one sentence which file the system refused, why, and what to do."""
    where = "" if error.filename is None else f"{error.filename}: "
    what = (error.strerror or type(error).__name__).lower()
    return f"{where}{what}; {_SURROUNDINGS[error.errno or 0]}"
