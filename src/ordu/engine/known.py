"""What is known without asking SQL again: who calls, and how far requests are.

Polls are most of what a horde answers, and most of them find nothing changed. The memories are
bounded and are told when what they remember changes. They believe themselves for a second only,
for what other programs write; of requests, where only this process changes them, for a minute.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from ordu.rules.lifecycle import Millis, RequestId
from ordu.rules.matching import Requirement
from ordu.store.jobs import Job
from ordu.store.requests import Request
from ordu.store.users import User

BELIEVED_MS = 1_000
REQUESTS_BELIEVED_MS = 60_000
USERS_MAX = 10_000
CALLERS_OF_A_USER_MAX = 64  # keys: the account's own and those of browsers, and what was replaced
REQUESTS_MAX = 20_000
OUTLOOKS_MAX = 4_000
READS_MAX = 5  # of what changes all the time

Key = TypeVar("Key")
Value = TypeVar("Value")


class Standing(NamedTuple):
    """A request with its jobs and its requirement, as SQL has them."""

    request: Request
    jobs: tuple[Job, ...]
    requirement: Requirement

    def with_jobs(self, request: Request, changed: Iterable[Job]) -> "Standing":
        """The same after a commit that changed these jobs, or added them."""
        jobs = {job.id: job for job in self.jobs}
        jobs |= {job.id: job for job in changed}
        return Standing(request, tuple(jobs[each] for each in sorted(jobs)), self.requirement)


class Memory(Generic[Key, Value]):
    """Values that were read lately, so many at most: the oldest make room."""

    def __init__(self, most: int, believed_ms: int = BELIEVED_MS) -> None:
        self.most = most
        self.believed_ms = believed_ms
        self.values: OrderedDict[Key, tuple[Millis, Value]] = OrderedDict()
        self.reading: dict[Key, asyncio.Future[None]] = {}  # what is read now, unless it changed

    def get(self, key: Key, now: Millis) -> Value | None:
        """What is remembered, unless it is too old."""
        found = self.values.get(key)
        if found is None or not 0 <= now - found[0] < self.believed_ms:
            return None
        return found[1]

    def put(self, key: Key, value: Value, now: Millis) -> None:
        """Remember this."""
        self.values.pop(key, None)
        if len(self.values) >= self.most:
            self.values.popitem(last=False)
        self.values[key] = (now, value)

    async def recall(
        self,
        key: Key,
        now: Callable[[], Millis],
        read: Callable[[], Awaitable[Value | None]],
    ) -> Value | None:
        """What is remembered, or else what `read` gives, which is remembered from then on.

        Who asks while somebody reads waits for that. What was changed while it was read is read
        again, so that it is never older than the call.
        """
        for _ in range(READS_MAX):
            value = self.get(key, now())
            if value is not None:
                return value
            reading = self.reading.get(key)
            if reading is not None:
                await asyncio.wait([reading])
                continue
            value, is_whole = await self.read_alone(key, now(), read)
            if is_whole:
                return value
        return value

    async def read_alone(
        self, key: Key, now: Millis, read: Callable[[], Awaitable[Value | None]]
    ) -> tuple[Value | None, bool]:
        """Read a value and remember it; says whether it was left alone meanwhile."""
        mark: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reading[key] = mark
        try:
            value = await read()
        finally:
            is_whole = self.reading.get(key) is mark
            if is_whole:
                del self.reading[key]
            mark.set_result(None)
        if value is not None and is_whole:
            self.put(key, value, now)
        return value, is_whole

    def renew(self, key: Key, change: Callable[[Value], Value]) -> None:
        """It was changed: what is remembered becomes this, and grows old all the same."""
        self.reading.pop(key, None)
        found = self.values.get(key)
        if found is not None:
            self.values[key] = (found[0], change(found[1]))

    def forget(self, key: Key) -> None:
        """It was changed, and nobody knows to what."""
        self.reading.pop(key, None)
        self.values.pop(key, None)


class Known:
    """The memories of one server process."""

    def __init__(self, *, is_shared: bool = False) -> None:
        requests_ms = BELIEVED_MS if is_shared else REQUESTS_BELIEVED_MS
        self.users: Memory[bytes, User] = Memory(USERS_MAX)  # by what says who calls
        self.callers: dict[int, set[bytes]] = {}  # the same the other way around
        self.requests: Memory[RequestId, Standing] = Memory(REQUESTS_MAX, requests_ms)
        self.outlooks: Memory[Requirement, Any] = Memory(OUTLOOKS_MAX)  # of `engine.outlook`

    def forget_all(self) -> None:
        """Much was missed."""
        for memory in (self.users, self.requests, self.outlooks):
            memory.values.clear()
            memory.reading.clear()

    def remember_user(self, caller: bytes, user: User, now: Millis) -> None:
        """Remember who calls with this; a user may call with several."""
        if len(self.callers) >= 2 * USERS_MAX:  # most of them are forgotten by the other
            self.callers.clear()
            self.users.values.clear()
        if len(self.callers.get(user.id, ())) >= CALLERS_OF_A_USER_MAX:
            self.forget_users(frozenset({user.id}))
        self.users.put(caller, user, now)
        self.callers.setdefault(user.id, set()).add(caller)

    def forget_users(self, user_ids: frozenset[int]) -> None:
        """These users were changed."""
        for user_id in user_ids:
            for caller in self.callers.pop(user_id, ()):
                self.users.forget(caller)
