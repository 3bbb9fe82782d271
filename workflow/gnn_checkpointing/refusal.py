"""Refusals of user input: one sentence for the user (what, where, what is allowed, what to do)."""

import difflib
import re
from collections.abc import Iterable
from traceback import format_exception_only

_LONGEST_WORD, _LONGEST = 200, 2000


def plain(text: object) -> str:
    """Make one line that a terminal can show: control characters escaped, the middle of long words and texts left out.

    Messages quote users' files, which can hold anything: 50 MB in an id, escape codes, lone surrogates.
    """
    short = _shortened(str(text), _LONGEST)
    words = re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", lambda word: _shortened(word[0], _LONGEST_WORD), short)
    return escaped(words)


def escaped(text: str, kept: str = "") -> str:
    """Escape the control characters of a text, except those in `kept`."""
    return "".join(one if one.isprintable() or one in kept else one.encode("unicode_escape").decode() for one in text)


def shown(value: object) -> str:
    """Format a value for a message: at most 200 characters, including blanks."""
    return plain(_shortened(str(value), _LONGEST_WORD))


def reason(error: BaseException) -> str:
    """Describe an exception in one short line, even one that cannot be printed."""
    return shown(" ".join("".join(format_exception_only(error)).split()))


def unknown(what: str, given: str, allowed: Iterable[str], listed: str = "") -> str:
    """Say that a name is none of those allowed, and which of them is like it; `listed` describes them where it must."""
    names = {name.lower(): name for name in allowed}
    like = [f" (did you mean {names[name]}?)" for name in difflib.get_close_matches(given[:60].lower(), names, 1)]
    return f"unknown {what}{''.join(like)}; allowed: {listed or ', '.join(names.values())}"


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}…{text[1 - most + most // 2 :]}"


class Refusal(Exception):  # noqa: N818 - a refusal of input is not a fault of the program
    """Bad input, in one sentence; the command line prints it and exits with code 2."""

    def __init__(self, text: object) -> None:
        super().__init__(plain(text))


def out_of_reach(path: object, error: OSError) -> Refusal:
    """Refusal for a file that the system does not let us read; it says nothing about the file's content."""
    return Refusal(f"{path}: {(error.strerror or str(error)).lower()}; correct the path, or make it readable")


class Unavailable(Refusal):
    """A request needs something that this machine does not have; the text says what."""
