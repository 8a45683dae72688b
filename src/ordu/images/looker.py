"""Who looks at pictures: one at a time, in a process apart, with a bound on what waits for it.

Decoding takes 1 to 20 ms for most pictures, which is more than all else that one costs a server.
So strangers' pictures are always looked at and wait for their turn, and those of trusted people as
long as that takes a twentieth of the time: some, and never so many that anybody waits.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ordu.images import apart
from ordu.images.looks import Look
from ordu.protocol.errors import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WAITING_MAX = 100  # pictures in hand; each takes its bytes
TRUSTED_SHARE = 0.05  # of the time
RETRY_AFTER_S = 5


class Looker:
    """Looks at pictures, one at a time; made once in a process."""

    def __init__(self, seconds: Callable[[], float] = time.perf_counter) -> None:
        self.trusted_share = TRUSTED_SHARE
        self._seconds = seconds
        self._seat = asyncio.Lock()
        self._in_hand = 0
        self._trusted_from_s = 0.0  # before then no picture of the trusted is looked at

    def has_time(self) -> bool:
        """Whether a picture that need not be looked at may be."""
        is_idle = not self._in_hand and self.trusted_share > 0
        return is_idle and self._seconds() >= self._trusted_from_s

    async def look(self, read: Callable[[], Awaitable[bytes | None]]) -> Look | None:
        """Look at what `read` gives when its turn has come; None when that is nothing.

        Raises:
            UnreadableError: it cannot be decoded.
            Refused: Unavailable, too many wait already; or what `read` raises.
        """
        async with self._turn():
            data = await read()
            if data is None:
                return None
            seen = await apart.run("looked", data)
            return Look(seen.uneven, seen.data)

    @asynccontextmanager
    async def _turn(self) -> "AsyncIterator[None]":
        if self._in_hand >= WAITING_MAX:
            raise Refused(
                "Unavailable",
                f"{WAITING_MAX} pictures are being looked at already. Bring this one again soon.",
                retry_after_s=RETRY_AFTER_S,
            )
        self._in_hand += 1
        try:
            async with self._seat:
                began_s = self._seconds()
                try:
                    yield
                finally:
                    self._rest(self._seconds() - began_s)
        finally:
            self._in_hand -= 1

    def _rest(self, took_s: float) -> None:
        """Look at nothing of the trusted for so long that it takes their share of the time."""
        if self.trusted_share > 0:
            self._trusted_from_s = self._seconds() + took_s * (1 / self.trusted_share - 1)
