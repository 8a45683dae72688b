"""The fake horde: what it is told to be, what it was asked, and the transport between.

`answers` has what it answers to each operation. Everything else here is settings and memory.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from ordu.client import AsyncHorde, Horde
from ordu.client.testing import answers
from ordu.client.testing.answers import Call, FakeRequest, refused
from ordu.protocol import operations
from ordu.protocol.errors import RC
from ordu.protocol.operations import Operation
from ordu.protocol.requests import GenerationInput

URL = "http://fake.horde"
KEY = "fake-key-22-characters"
Draw = Callable[[GenerationInput], bytes]
Looks = Callable[[GenerationInput], int | None]


class FakeHorde(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A horde in memory that is an httpx transport for both clients.

    A request waits for one look, is drawn for one, and is done at the next: `looks` says how many
    it takes, or is a function of the request that does; None: it is never done. Its pictures are
    taken from `pictures` in turn, again from the first after the last, or made by a function of the
    request. Each costs `price` kudos, taken from `kudos` when the request is done. `has_events`
    tells what happens as Ordu's servers do; `honours_keys` does what comes with the same
    `Idempotency-Key` once.

    Example:
        fake = FakeHorde(looks=3, has_events=True)
        with fake.horde() as horde:
            pictures = horde.generate("a fox", n=2)
    """

    def __init__(
        self,
        *,
        pictures: Sequence[bytes] | Draw = (answers.DOT,),
        looks: int | Looks | None = 2,
        price: float = 10.0,
        kudos: float = 1000.0,
        has_events: bool = False,
        honours_keys: bool = True,
        models: Sequence[str] = ("stable_diffusion",),
    ) -> None:
        self.looks = looks
        self.price = price
        self.kudos = kudos
        self.has_events = has_events
        self.honours_keys = honours_keys
        self.models = list(models)
        self.calls: list[Call] = []
        self.requests: dict[str, FakeRequest] = {}
        self.now_s = 0.0  # its clock; the clients that it gives out sleep by moving it
        self._pictures = pictures
        self._drawn = 0
        self._next: dict[str, deque[httpx.Response | Exception | _AfterActing]] = {}
        self._always: dict[str, httpx.Response] = {}
        self._faults = 0
        self._kept: dict[str, tuple[bytes, httpx.Response]] = {}

    # -- clients -------------------------------------------------------------------------------

    def horde(self, apikey: str | None = KEY, **more: Any) -> Horde:
        """A client of this horde that never really sleeps; `more` as for `Horde`."""
        return Horde(URL, apikey, transport=self, sleep=self._sleep, clock=self._clock, **more)

    def async_horde(self, apikey: str | None = KEY, **more: Any) -> AsyncHorde:
        """The same, async."""
        return AsyncHorde(
            URL, apikey, transport=self, sleep=self._sleep_async, clock=self._clock, **more
        )

    def _clock(self) -> float:
        return self.now_s

    def _sleep(self, seconds: float) -> None:
        self.now_s += seconds

    async def _sleep_async(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)  # others have their turn, as they would

    # -- what shall happen ---------------------------------------------------------------------

    def refuse(
        self,
        operation: str,
        rc: str,
        message: str = "Refused by the test.",
        *,
        status: int | None = None,
        retry_after_s: int | None = None,
        times: int = 1,
    ) -> None:
        """Refuse the next calls of an operation with this `rc`, and the status that goes with it.

        Raises:
            ValueError: there is no such operation, or no such rc and no status.

        Example:
            fake.refuse("post_async_generate", "KudosUpfront", "You have 3 kudos.")
        """
        if status is None and rc not in RC:
            raise ValueError(f"{rc!r} is no rc that hordes answer with; give a status with it.")
        known_status = RC[rc][0] if status is None else status
        for _ in range(times):
            self._queue(operation).append(refused(known_status, rc, message, retry_after_s))

    def answer(self, operation: str, body: Any, *, status: int | None = None) -> None:
        """Answer an operation with this JSON from now on, whatever is asked.

        Raises:
            ValueError: there is no such operation.

        Example:
            fake.answer("get_workers", [{"name": "attic", "online": True}])
        """
        row = _row(operation)
        self._always[operation] = answers.as_json(body, row.status if status is None else status)

    def lose(self, operation: str, *, times: int = 1, is_done: bool = False) -> None:
        """Break the connection off instead of answering; `is_done`: after doing what was asked.

        Example:
            fake.lose("post_async_generate", is_done=True)
        """
        lost = httpx.ReadError("broken off by the test")
        for _ in range(times):
            self._queue(operation).append(_AfterActing(lost) if is_done else lost)

    def be_away(self, operation: str, *, times: int = 1) -> None:
        """Be nobody who listens there, for the next calls of an operation.

        Example:
            fake.be_away("get_async_check", times=3)
        """
        for _ in range(times):
            self._queue(operation).append(httpx.ConnectError("away by the test"))

    def fault(self, requests: int = 1) -> None:
        """Have the next requests fail: they end as faulted, with all but one of their pictures.

        Example:
            fake.fault()
        """
        self._faults += requests

    # -- what happened -------------------------------------------------------------------------

    def calls_of(self, operation: str) -> list[Call]:
        """The calls of one operation, in their order."""
        name = _row(operation).name
        return [call for call in self.calls if call.operation == name]

    @property
    def cancelled(self) -> list[FakeRequest]:
        """The requests that were taken back before they were done."""
        return [request for request in self.requests.values() if request.is_cancelled]

    # -- the transport -------------------------------------------------------------------------

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """What it answers to a call of the sync client."""
        request.read()
        return self._answered(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """What it answers to a call of the async client."""
        await request.aread()
        await asyncio.sleep(0)  # a network would let others have their turn
        return self._answered(request)

    def _answered(self, request: httpx.Request) -> httpx.Response:
        row, id_ = _operation_of(request)
        name = "" if row is None else row.name
        call = Call(
            name,
            request.method,
            request.url.path,
            _json_of(request.content),
            request.content,
            dict(request.headers),
        )
        self.calls.append(call)
        planned = self._next[name].popleft() if self._next.get(name) else None
        if isinstance(planned, Exception):
            raise planned
        if isinstance(planned, httpx.Response):
            return planned
        answer = self._once(call, lambda: answers.answer(self, call, id_))
        if isinstance(planned, _AfterActing):
            raise planned.error
        return answer

    def _once(self, call: Call, act: Callable[[], httpx.Response]) -> httpx.Response:
        key = call.idempotency_key
        if call.operation in self._always:
            return answers.again(self._always[call.operation])
        if key is None or not self.honours_keys:
            return act()
        scoped = f"{call.operation} {call.apikey} {key}"
        if scoped not in self._kept:
            answer = act()
            if answer.status_code >= 400:
                return answers.with_key(answer, key)
            self._kept[scoped] = call.content, answer
        before, answer = self._kept[scoped]
        if before != call.content:
            message = "This Idempotency-Key came with another body before."
            return answers.with_key(refused(400, "IdempotencyKeyConflict", message), key)
        return answers.with_key(answers.again(answer), key)

    # -- for the answers -----------------------------------------------------------------------

    def draw(self, wanted: GenerationInput) -> bytes:
        """The next picture, for this request."""
        self._drawn += 1
        if callable(self._pictures):
            return self._pictures(wanted)
        return self._pictures[(self._drawn - 1) % len(self._pictures)]

    def looks_of(self, wanted: GenerationInput) -> int | None:
        """How many looks this request takes."""
        return self.looks(wanted) if callable(self.looks) else self.looks

    def takes_fault(self) -> bool:
        """Whether the request that comes now is to fail."""
        if not self._faults:
            return False
        self._faults -= 1
        return True

    def _queue(self, operation: str) -> "deque[httpx.Response | Exception | _AfterActing]":
        return self._next.setdefault(_row(operation).name, deque())


@dataclass(frozen=True)
class _AfterActing:
    """An error that comes after the horde did what was asked."""

    error: Exception


def _row(name: str) -> Operation:
    if name not in operations.BY_NAME:
        raise ValueError(f"There is no operation {name!r}; one is 'post_async_generate'.")
    return operations.BY_NAME[name]


def _json_of(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None  # nothing, or nothing that can be read


_PATHS = [
    (row, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(row.path))))
    for row in operations.TABLE
]


def _operation_of(request: httpx.Request) -> tuple[Operation | None, str]:
    """Which operation a call is, and the `id` in its path."""
    for row, path in _PATHS:
        found = path.fullmatch(request.url.path)
        if found and row.method == request.method and not row.path.startswith("/pictures"):
            return row, found.groupdict().get("id", "")
    return None, ""
