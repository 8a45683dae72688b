"""Proof of work: some of a computer's time, which a horde may ask for before it makes an account.

It is a puzzle in `parts` equal parts. For each part, counted from 0, a number is wanted for which
the SHA-256 of `CHALLENGE.PART.NUMBER`, all as text, begins with `bits` zero bits. Finding one takes
2**bits hashes on average, checking it takes one. There are many small parts instead of a large one
because the time for one is pure luck (one in twenty takes three times as long), and that for 16 is
not; and because whoever waits can be told how many are done.
"""

import hashlib
from collections.abc import Iterable

PARTS = 16
PARTS_BITS = 4  # 2**4 parts: so the whole work has this many bits more than a part
NUMBER_MAX = 2**53 - 1  # the largest that a script in a browser counts to


def part_bits(bits: int) -> int:
    """How many zero bits each part of a work of so many bits has."""
    return max(0, bits - PARTS_BITS)


def is_solution(challenge: str, part: int, number: int, bits: int) -> bool:
    """Whether a number solves a part."""
    digest = hashlib.sha256(f"{challenge}.{part}.{number}".encode()).digest()
    return begins_with(digest, bits)


def begins_with(digest: bytes, bits: int) -> bool:
    """Whether a hash begins with so many zero bits, 64 at most."""
    return int.from_bytes(digest[:8], "big") >> (64 - bits) == 0


def solve(challenge: str, part: int, bits: int, numbers: Iterable[int]) -> int | None:
    """The first of these numbers that solves a part, if one does."""
    start = hashlib.sha256(f"{challenge}.{part}.".encode())
    for number in numbers:
        tried = start.copy()
        tried.update(b"%d" % number)
        if begins_with(tried.digest(), bits):
            return number
    return None
