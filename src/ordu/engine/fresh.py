"""Fresh: what must not repeat or be guessed: ids, keys, seeds and random choices.

Made beside the clock and handed to verbs like `now`; tests hand in one with a known start.
"""

import base64
import random

from ordu.rules.lifecycle import SEED_LIMIT, Millis

RANDOM_BITS = 74
KEY_BYTES = 16  # 22 characters


class Fresh:
    """A source of ids and chance; by default the operating system's."""

    def __init__(self, source: random.Random | None = None) -> None:
        self.source = source or random.SystemRandom()

    def id(self, now: Millis) -> str:
        """A UUID of version 7 with 74 fresh random bits: unguessable, and sorted by time."""
        chance = self.source.getrandbits(RANDOM_BITS)
        high, low = chance >> 62, chance & (2**62 - 1)
        number = (now & (2**48 - 1)) << 80 | 7 << 76 | high << 64 | 2 << 62 | low
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def seed(self) -> int:
        """A seed for a picture."""
        return self.source.randrange(SEED_LIMIT)

    def choice(self) -> int:
        """A random number to choose by."""
        return self.source.getrandbits(32)

    def key(self) -> str:
        """An API key: 22 URL-safe characters."""
        chance = self.source.getrandbits(KEY_BYTES * 8).to_bytes(KEY_BYTES, "big")
        return base64.urlsafe_b64encode(chance).rstrip(b"=").decode()
