"""A client of either form whose horde is a function."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from ordu.client import AsyncHorde, Horde

Far = Callable[[httpx.Request], httpx.Response]  # the other end
KEY = "a-key-of-22-characters"


@dataclass
class Hand:
    """A clock that only sleeping moves; every sleep is remembered."""

    now_s: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    def chance(self) -> float:
        """The whole pause, always."""
        return 1.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)


class Client:
    """Either client with all methods awaitable, and what it sent."""

    def __init__(self, horde: Any, hand: Hand, sent: list[httpx.Request]) -> None:
        self.horde = horde
        self.slept = hand.slept
        self.sent = sent

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.horde, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            result = method(*arguments, **named)
            return await result if inspect.isawaitable(result) else result

        return call


Connect = Callable[..., Client]


@pytest.fixture(params=["async", "sync"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Connect a client (of both forms in turn) to a function that answers for the horde."""
    hand = Hand()

    def connected(far: Far, *, apikey: str | None = KEY, url: str = "http://horde.test") -> Client:
        sent: list[httpx.Request] = []

        def answer(call: httpx.Request) -> httpx.Response:
            sent.append(call)
            return far(call)

        transport = httpx.MockTransport(answer)
        horde: AsyncHorde | Horde
        if request.param == "async":
            horde = AsyncHorde(
                url,
                apikey,
                transport=transport,
                sleep=hand.sleep_async,
                clock=hand.clock,
                chance=hand.chance,
            )
        else:
            horde = Horde(
                url,
                apikey,
                transport=transport,
                sleep=hand.sleep,
                clock=hand.clock,
                chance=hand.chance,
            )
        return Client(horde, hand, sent)

    return connected
