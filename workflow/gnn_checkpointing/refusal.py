"""The one exception whose text is meant for the user: what, where, what is allowed, what to do."""


class Refusal(Exception):  # noqa: N818 - a refusal of input is not a fault of the program
    """Bad input, told in one sentence; the command line prints it and exits with code 2."""


class Unavailable(Refusal):
    """Something that was asked for needs what this machine does not have; the text says what."""
