"""Running one command: whatever goes wrong becomes one sentence and an exit code.

0: done. 2: input or surroundings are refused. 70: a fault of the program; `--debug` shows its traceback.
"""

import codecs
import errno
import gc
import io
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from gnn_checkpointing import __version__
from gnn_checkpointing.refusal import Refusal, plain, shown, unknown

REFUSED, FAULT, INTERRUPTED = 2, 70, 130
FAULTS = "GNN_CHECKPOINTING_FAULTS"
"""Environment variable: a file that gets the traceback of every fault. The tests fail when it is not empty."""

_FREE_SPACE = "free some space, and run it again"
_PERMISSIONS = "change its permissions, or name another place"
_FOLDER_NEEDED = "a file stands where a folder is needed; move it away, or name another place"
_LIMIT = "raise the limit of open files, and run it again"
_DISK = "the disk does not answer; look at it, and run it again"
_ADVICE = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "raise the limit of a file's size, and run it again",
    errno.EROFS: "name a folder that can be written to",
    errno.EACCES: _PERMISSIONS,
    errno.EPERM: _PERMISSIONS,
    errno.ENOTDIR: _FOLDER_NEEDED,
    errno.EEXIST: _FOLDER_NEEDED,
    errno.ENOENT: "put it back, or change to a folder that is there",
    errno.EISDIR: "a folder stands where a file is needed; move it away, or name another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EBADF: "its output goes where nothing can be written; send it elsewhere",
    **dict.fromkeys((errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EREMOTEIO), _DISK),
    errno.EMFILE: _LIMIT,
    errno.ENFILE: _LIMIT,
}
"""What the system refuses for no fault of the program, and what to do then."""

_MEMORY = "{} ran out of memory; free some, or give it less"
_OUT_OF_MEMORY = ("failed to map segment", "can't allocate memory", "out of memory")
"""What the system's loader and torch say instead of MemoryError."""

_PACKAGE = Path(__file__).parents[1]

_KEEPING = (".judging", ".publishing")
"""Modules of commands that need to the end nearly all they make: looking for garbage took 7 to 20 % of their time."""

_DEEPEST = 200

_ALONE = ("--help", "-h", "--version")
"""Options that need no command."""

_LONG_DASH = re.compile("[\u2010-\u2015\u2212]+-*[a-z][a-z-]*(=|$)")
"""An option as word processors write it, with dashes in place of hyphens."""

_SIMILAR = {"\u00a0": " ", "\u2013": "-", "\u2212": "-", "\u00d7": "x", "…": "...", "≤": "<=", "≥": ">=", "\u2019": "'"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    command = next((argument for argument in given if not argument.startswith("-")), "gnn_checkpointing")
    codecs.register_error("nearest", _nearest)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # whoever started this closed it
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="nearest")
    try:
        code = _run(given)
        sys.stdout.flush()
        return code
    except Refusal as refusal:
        return _refused(refusal)
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        print(f"error: {command} was interrupted; run it again to resume", file=sys.stderr)
        return INTERRUPTED
    except MemoryError:
        return _refused(_MEMORY.format(command))
    except Exception as error:
        # cyclopts wraps the reason why the module of a command cannot be imported.
        cause = error.__cause__ if isinstance(error, ImportError) and isinstance(error.__cause__, Exception) else error
        sentence = _sentence(command, cause)
        if sentence is not None and not debug:
            return _refused(sentence)
        return _fault(command, error, debug)
    finally:
        for number, stream in ((1, sys.stdout), (2, sys.stderr)):
            try:
                stream.flush()
            except OSError:  # Python flushes once more at its end, and ends in 120 where that fails
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """For a letter that the terminal's encoding lacks: a similar one, else a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_SIMILAR.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


def _run(given: list[str]) -> int:
    try:
        from cyclopts import CycloptsError, UnusedCliTokensError

        from gnn_checkpointing.cli.app import COMMANDS, app
    except ModuleNotFoundError as error:
        # The library alone has no command line but these two.
        if (error.name or "").partition(".")[0] != "cyclopts" or not {"--version", "--help"} & {*given}:
            raise
        print(__version__ if "--version" in given else "Commands need more: pip install '.[report]' in a clone")
        return 0
    # Cyclopts would import every command, torch with it, to say what it does not know.
    names = [place.partition(":")[2] for place in COMMANDS]
    if wrong := next((argument for argument in given if "\0" in argument), None):
        raise Refusal(f"{wrong}: no path or text may hold a NUL; leave it out")
    if long := next(filter(_LONG_DASH.match, given), None):
        raise Refusal(f"{long}: begins with a dash that options do not; write it anew, with two hyphens")
    if given and given[0] not in (*names, *_ALONE):
        raise Refusal(unknown(f"command {given[0]}", given[0], (*names, *_ALONE)))
    try:
        command, bound, *_ = app.parse_args(given, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        said = str(error).removesuffix(".")
        if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
            said = f"{error.unused_tokens[0]} belongs to no option"
        raise Refusal(f"{said}; --help lists what is allowed") from None
    for name, value in bound.arguments.items():
        for path in value if isinstance(value, list) else [value]:
            if isinstance(path, Path):
                _refuse_path(name, path, bound.arguments.get("output"))
                if name in ("output", "output_folder"):
                    _try_writing(path.parent if name == "output" else path)
    with _keeping() if command.__module__.endswith(_KEEPING) else nullcontext():
        command(*bound.args, **bound.kwargs)
    return 0


@contextmanager
def _keeping() -> Iterator[None]:
    """Look for no garbage; a SIGTERM ends the command as Ctrl-C does, so that no temporary folder stays behind."""
    gc.disable()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        gc.enable()


def _refuse_path(name: str, path: Path, output: Path | None) -> None:
    """Refuse what would be read without an end, and a file that is read and written; a log may go anywhere."""
    option = f"--{name.replace('_', '-')}"
    if len(path.parts) > _DEEPEST:  # Python makes folders by recursion
        raise Refusal(f"{option} {path}: {len(path.parts)} folders deep; at most {_DEEPEST} are allowed")
    if name != "log" and path.exists() and not (path.is_file() or path.is_dir()):
        raise Refusal(f"{option} {path}: a device or pipe; name a file or a folder")
    if name == "templates" and not (path / "html").is_dir():
        raise Refusal(f"--templates {path}: no templates there; name the folder templates of the project")
    if output is not None and name != "output" and os.path.realpath(path) == os.path.realpath(output):
        raise Refusal(f"--output {output}: is the file of {option}, too; name another one")


def _try_writing(folder: Path) -> None:
    """Find at the start what would end a command when all is computed: a folder in which nothing can be written."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        error.filename = str(folder)
        raise


def _sentence(command: str, error: Exception) -> str | None:
    """What the surroundings lack, and what to do; None where the program is at fault."""
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        missing = f"{command} needs {package}, which is not installed; pip install '.[report]' in a clone brings it"
        return missing if package not in ("", "gnn_checkpointing") else None
    if type(error).__module__ == "jinja2.exceptions":
        name, line = getattr(error, "name", None) or "one of them", getattr(error, "lineno", None)
        what = "missing" if isinstance(error, LookupError) else error.args[0]
        where = f"{name}, line {line}" if line else name
        return f"--templates: {where}: {what}; correct it, or name the folder templates of the project"
    if any(words in str(error) for words in _OUT_OF_MEMORY) and isinstance(error, ImportError | RuntimeError):
        return _MEMORY.format(command)
    if isinstance(error, OSError) and error.errno and (error.errno in _ADVICE or error.filename is not None):
        what = (error.strerror or type(error).__name__).lower()
        if "usable temporary directory" in what:
            return f"{command} can write to no folder for temporary files; free some space, or name one in TMPDIR"
        place = error.filename2 or error.filename  # where a file was copied to
        where = "" if place is None else f"{os.fsdecode(place)}: "
        return f"{where}{what}; {_ADVICE.get(error.errno, 'correct it, and run it again')}"
    if statement := _failed_import(error):
        said = plain(shown(" ".join(f"{type(error).__name__}: {error}".split())))
        variables = "such as TORCH_LOGS, MPLBACKEND or PYTHONWARNINGS"
        return f"{command}: `{statement}` fails ({said}); unset the variables that libraries read, {variables}"
    return None


def _failed_import(error: Exception) -> str:
    """The statement of ours that imports the library in which an error came; nothing where it came in our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [place for place, frame in enumerate(frames) if Path(frame.filename).is_relative_to(_PACKAGE)]
    statement = (frames[ours[-1]].line or "") if ours and ours[-1] + 1 < len(frames) else ""
    return statement if statement.startswith(("import ", "from ")) else ""


def _refused(text: object) -> int:
    with suppress(OSError):  # a full disk takes no sentence, and the exit code tells
        print(f"error: {plain(text)}", file=sys.stderr)
    return REFUSED


def _fault(command: str, error: Exception, debug: bool) -> int:
    """Count a fault of the program, and say in one sentence what to do about it."""
    lines = "".join(traceback.format_exception(error))
    if place := os.environ.get(FAULTS):
        with Path(place).open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"{command}\n{lines}\n")
    if debug:
        print(lines, file=sys.stderr)
    last = traceback.extract_tb(error.__traceback__)[-1]
    print(
        f"error: {command} failed by a fault of the program ({plain(f'{type(error).__name__}: {error}')}, in "
        f"{Path(last.filename).name}, line {last.lineno}); please report it where you got gnn-checkpointing from, with "
        "the input and what --debug prints",
        file=sys.stderr,
    )
    return FAULT
