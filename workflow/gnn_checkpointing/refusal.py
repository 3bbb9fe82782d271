"""Refusals of user input: one sentence for the user (what, where, what is allowed, what to do)."""

import re
from traceback import format_exception_only

_LONGEST_WORD, _LONGEST = 200, 2000


def plain(text: object) -> str:
    """One line that a terminal can show: control characters as escapes, long words and long texts without their middle.

    Messages hold what users' files say, and those can hold anything: 50 MB in an id, escape codes, lone surrogates.
    """
    short = _shortened(str(text), _LONGEST)
    words = re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", lambda word: _shortened(word[0], _LONGEST_WORD), short)
    return escaped(words)


def escaped(text: str, kept: str = "") -> str:
    """A text whose control characters are escapes, but for those that are `kept`."""
    return "".join(one if one.isprintable() or one in kept else one.encode("unicode_escape").decode() for one in text)


def shown(value: object) -> str:
    """A value as a message may hold it: at most 200 characters, blanks among them."""
    return plain(_shortened(str(value), _LONGEST_WORD))


def reason(error: BaseException) -> str:
    """An exception in one short line, also one that cannot be printed."""
    return shown(" ".join("".join(format_exception_only(error)).split()))


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}…{text[1 - most + most // 2 :]}"


class Refusal(Exception):  # noqa: N818 - a refusal of input is not a fault of the program
    """Bad input, in one sentence; the command line prints it and exits with code 2."""

    def __init__(self, text: object) -> None:
        super().__init__(plain(text))


def out_of_reach(path: object, error: OSError) -> Refusal:
    """The refusal of a file that the system does not let anyone read: nothing is said against what it holds."""
    return Refusal(f"{path}: {(error.strerror or str(error)).lower()}; correct the path, or make it readable")


class Unavailable(Refusal):
    """Something that was asked for needs what this machine does not have; the text says what."""
