"""The one exception whose text is meant for the user: what, where, what is allowed, what to do."""

LONGEST = 2_000
"""Characters of a message; a user's file may hold an id of megabytes."""


class Refusal(Exception):  # noqa: N818 - a refusal of input is not a fault of the program
    """Bad input, explained in one sentence; the command line prints it and exits with code 2."""

    def __str__(self) -> str:
        """The sentence on one line, safe to print on a terminal."""
        return shown(super().__str__(), LONGEST)


class Unavailable(Refusal):
    """Something that was asked for needs what this machine does not have; the text says what."""


def shown(text: str, longest: int = 80) -> str:
    r"""A user's text on one line: control characters as escapes such as `\x1b`, a long text without its middle."""
    if len(text) > longest:
        text = f"{text[: longest * 2 // 3]}...{text[-(longest // 4) :]}"
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
