"""What happens to files: seeded, each a function from the bytes there were to those there are."""

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def truncated(content: bytes, chance: random.Random) -> bytes:
    """The beginning, as a disk leaves it that was full."""
    return content[: chance.randrange(len(content))]


def flipped(content: bytes, chance: random.Random) -> bytes:
    """The content with one bit turned."""
    place, bit = chance.randrange(len(content)), chance.randrange(8)
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


def another_digit(content: bytes, chance: random.Random) -> bytes:
    """The content with one digit turned into another: as readable as before, and wrong."""
    places = [place for place, byte in enumerate(content) if 48 <= byte <= 57]
    if not places:
        return flipped(content, chance)
    place = chance.choice(places)
    digit = chance.choice([byte for byte in range(48, 58) if byte != content[place]])
    return content[:place] + bytes([digit]) + content[place + 1 :]


def zeroed(content: bytes, chance: random.Random) -> bytes:
    """The content with a piece of zeros, as after a power cut."""
    start = chance.randrange(len(content))
    stop = min(len(content), start + chance.randrange(1, 4096))
    return content[:start] + bytes(stop - start) + content[stop:]


def longer(content: bytes, chance: random.Random) -> bytes:
    """The content with something behind it."""
    return content + chance.randbytes(chance.randrange(1, 100))


DAMAGES: tuple[Damage, ...] = (truncated, flipped, another_digit, zeroed, longer)
