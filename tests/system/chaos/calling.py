"""Calls to a horde that is under attack: each is noted, and made again as programs do.

A connection that breaks and 503 are tried again, at either address. Any other failure inside is
wrong, and so is an answer that does not come.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from tests.system.chaos.journal import Journal

from ordu.client import AsyncHorde, HordeError
from ordu.client.errors import Unreachable

T = TypeVar("T")

ANSWER_S = 20.0  # more than any fault lasts; no answer for so long is a call that hangs
INSIST_S = 90.0  # how long a call is made again
PAUSE_S = (0.05, 0.5)


class GaveUp(Exception):  # noqa: N818 - a fact, not an error
    """A call was made again and again, and nobody knows whether it had its effect."""


class Refusal(Exception):  # noqa: N818 - an answer
    """The horde said no."""

    def __init__(self, rc: str, status: int) -> None:
        super().__init__(f"{status} {rc}")
        self.rc = rc


Ask = Callable[[AsyncHorde], Awaitable[T]]


class Addresses:
    """The two addresses of a horde, and what is noted of calls to them."""

    def __init__(self, urls: list[str], journal: Journal, chance: random.Random) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        transport = httpx.AsyncHTTPTransport(limits=limits)
        self.transport = transport
        self.hordes = [AsyncHorde(url, timeout_s=ANSWER_S, transport=transport) for url in urls]
        self.journal = journal
        self.chance = chance

    def one(self) -> AsyncHorde:
        """One of them."""
        return self.chance.choice(self.hordes)

    async def once(
        self, name: str, ask: Ask[T], *, wait_s: float = 0, at: AsyncHorde | None = None
    ) -> T | None:
        """The answer to a call, or None when none came or only 503.

        Raises:
            Refusal: it was refused.
        """
        horde = at or self.one()
        began = time.monotonic()
        try:
            async with asyncio.timeout(wait_s + ANSWER_S):
                found = await ask(horde)
        except TimeoutError:
            return self.hangs(name, horde, began)
        except Unreachable as error:
            if isinstance(error.__cause__, httpx.TimeoutException):
                return self.hangs(name, horde, began)
            self.journal.calls[name, "connection broken"] += 1
            return None
        except HordeError as error:
            return self.refused(name, error)
        self.journal.calls[name, "answered"] += 1
        return found

    def hangs(self, name: str, horde: AsyncHorde, began: float) -> None:
        """No answer came."""
        self.journal.calls[name, "no answer"] += 1
        took = time.monotonic() - began
        self.journal.is_wrong(f"{name} at {horde.url} had no answer after {took:.0f} s")

    def refused(self, name: str, error: HordeError) -> None:
        """An answer that is none of success."""
        status = error.status or 0
        if status == 503:
            self.journal.calls[name, "503"] += 1
            return
        if status >= 500 or status == 0:
            self.journal.calls[name, f"{status}"] += 1
            self.journal.is_wrong(f"{name} was answered {status} ({error}; {error.request_id})")
            return
        self.journal.calls[name, f"{status} {error.rc}"] += 1
        raise Refusal(error.rc or "", status) from error

    async def insist(self, name: str, ask: Ask[T], *, at: AsyncHorde | None = None) -> T:
        """The answer to a call that is made until one comes.

        Raises:
            Refusal: it was refused.
            GaveUp: none came in time.
        """
        ends_at = time.monotonic() + INSIST_S
        while time.monotonic() < ends_at:
            found = await self.once(name, ask, at=at)
            if found is not None:
                return found
            at = None  # whoever does not get through tries elsewhere as well
            await asyncio.sleep(self.chance.uniform(*PAUSE_S))
        raise GaveUp(name)

    async def close(self) -> None:
        """Close all connections."""
        await self.transport.aclose()
