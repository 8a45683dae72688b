"""Limits on calls: how often who may call what (protocol sheet 01 §8).

Each operation's row names its limits; here they are counted, in fixed windows, in the event loop's
memory. What is counted is bounded: when there are too many counters, the one whose window began
first is forgotten, so that a flood of addresses or ids costs a little justice and no memory.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeAlias

import msgspec
from starlette.requests import Request as HttpRequest

from ordu.engine.tidings import Counted
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.operations import Counts, Limit, Operation
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ANONYMOUS, UserId
from ordu.settings import ServerSettings

ADDRESSES_MAX = 10_000  # remembered as they are counted
COUNTERS_MAX = 50_000  # for each length of window
TOLD_PARTS = 8  # others are told when such a part of a limit was counted
IPV6_PREFIX = 64  # whoever has one address of version 6 has all that share its first half
# Who rents one machine after the other gets neighbours: a network around an address, by version.
NETWORK_PREFIX = {4: 24, 6: 48}
NAME_LENGTH_MAX = 64  # of an address that a proxy made up
PATH_LENGTH_MAX = 200  # longer ones name nothing here, and would be kept whole

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
Key: TypeAlias = tuple[str, int, str]  # an operation, which of its limits, and who calls


@dataclass(slots=True)
class Window:
    """How often was called since the window began."""

    began_at: Millis
    calls: int = 0
    untold: int = 0  # of these, other processes of the horde do not know yet


class Count(msgspec.Struct, frozen=True):
    """A limit after one more call has been counted."""

    limit: Limit
    calls_max: int
    left: int
    ends_at: Millis

    def headers(self, policies: bytes, now: Millis) -> Headers:
        """What the answer says of it, in the words of today's servers and of the draft standard.

        They are made as they are sent: this is done for nearly every call.
        """
        left = max(0, self.left)
        return (
            (b"x-ratelimit-limit", b"%d" % self.calls_max),
            (b"x-ratelimit-remaining", b"%d" % left),
            (b"x-ratelimit-reset", b"%d" % -(-self.ends_at // 1000)),
            (b"ratelimit", b'"%s";r=%d;t=%d' % (name_of(self.limit), left, self.wait_s(now))),
            (b"ratelimit-policy", policies),
        )

    def wait_s(self, now: Millis) -> int:
        """In how many seconds its window ends."""
        return max(1, -(-(self.ends_at - now) // 1000))


@cache
def name_of(limit: Limit) -> bytes:
    """The name of a limit as it is sent."""
    return limit.policy.encode()


def in_words(limits: tuple[Limit, ...], *, is_anonymous: bool) -> bytes:
    """All limits of an operation, as a list of structured fields (draft-ietf-httpapi-ratelimit)."""
    return ", ".join(
        f'"{limit.policy}";q={limit.calls_anonymous if is_anonymous else limit.calls}'
        f";w={limit.per_s}"
        for limit in limits
    ).encode()


def as_set(settings: ServerSettings) -> dict[str, tuple[Limit, ...]]:
    """The limits of the operations whose numbers are settings, by the operations' names."""

    def with_number(limit: Limit) -> Limit:
        if not limit.setting:
            return limit
        return msgspec.structs.replace(limit, calls=getattr(settings, limit.setting))

    return {
        row.name: tuple(map(with_number, row.limits))
        for row in operations.TABLE
        if any(limit.setting for limit in row.limits)
    }


class RateLimits:
    """The counters of one server process, which `tell`s the others of its horde, if there are any.

    It tells of every eighth of a limit at once. So a caller who spreads calls over P processes gets
    through P eighths more than the limit at most, and what comes within the milliseconds that
    telling takes. A limit of eight calls or fewer is exact but for these.
    """

    def __init__(
        self,
        counters_max: int = COUNTERS_MAX,
        tell: Callable[[Counted], None] | None = None,
        limits: Mapping[str, tuple[Limit, ...]] | None = None,
    ) -> None:
        self.counters_max = counters_max
        self.limits = limits or {}  # of operations that have others than the table says
        self.policies: dict[tuple[str, bool], bytes] = {}  # made once
        self.tell = tell
        # By the length of the window: then the one that began first is first.
        self.windows: dict[int, dict[Key, Window]] = {}

    def check_address(self, operation: Operation, http: HttpRequest, now: Millis) -> None:
        """Count a call against what its address may, before anything else is looked at.

        Raises:
            Refused: RateLimited.
        """
        address = address_of(http)
        path = http.scope["path"][:PATH_LENGTH_MAX]
        who = {Counts.ADDRESS: address, Counts.PATH: f"{address} {path}"}
        counts = []
        for number, limit in enumerate(self.limits_of(operation)):
            if limit.counts is Counts.NETWORK:
                network = network_of(address)
                counts.append(self.count(operation, number, limit, network, limit.calls, now))
            elif limit.counts in who:
                caller = who[limit.counts]
                counts.append(self.count(operation, number, limit, caller, limit.calls, now))
        answer_with(http, counts, self.policies_of(operation, is_anonymous=False), now)

    def check_key(
        self, operation: Operation, http: HttpRequest, user_id: UserId, now: Millis
    ) -> None:
        """Count a call against what its caller may, once it is known who calls.

        Raises:
            Refused: RateLimited.
        """
        counts = []
        is_anonymous = user_id == ANONYMOUS
        for number, limit in enumerate(self.limits_of(operation)):
            if limit.counts is Counts.KEY:
                calls_max = limit.calls_anonymous if is_anonymous else limit.calls
                counts.append(self.count(operation, number, limit, str(user_id), calls_max, now))
        answer_with(http, counts, self.policies_of(operation, is_anonymous=is_anonymous), now)

    def limits_of(self, operation: Operation) -> tuple[Limit, ...]:
        """The limits of an operation: those of its row, or as they are set."""
        return self.limits.get(operation.name, operation.limits)

    def policies_of(self, operation: Operation, *, is_anonymous: bool) -> bytes:
        """The same as they are sent."""
        key = (operation.name, is_anonymous)
        known = self.policies.get(key)
        if known is None:
            known = in_words(self.limits_of(operation), is_anonymous=is_anonymous)
            self.policies[key] = known
        return known

    def count(
        self,
        operation: Operation,
        number: int,
        limit: Limit,
        who: str,
        calls_max: int,
        now: Millis,
    ) -> Count:
        """Count a call; what is left is below zero when it was one too many."""
        length_ms = limit.per_s * 1000
        began_at = Millis(now - now % length_ms)
        window = self.window((operation.name, number, who), limit.per_s, began_at)
        if window.calls <= calls_max:
            window.calls += 1
            window.untold += 1
        if self.tell is not None and window.untold * TOLD_PARTS >= calls_max:
            self.tell(Counted(operation.name, number, who, limit.per_s, began_at, window.untold))
            window.untold = 0
        return Count(limit, calls_max, calls_max - window.calls, Millis(began_at + length_ms))

    def window(self, key: Key, per_s: int, began_at: Millis) -> Window:
        """The counter of this window; a new one when there is none of it."""
        windows = self.windows.setdefault(per_s, {})
        window = windows.get(key)
        if window is None or window.began_at < began_at:
            windows.pop(key, None)  # so that it goes to the end
            if len(windows) >= self.counters_max:
                del windows[next(iter(windows))]
            window = windows[key] = Window(began_at)
        return window

    def forget_over(self, now: Millis) -> None:
        """Forget who called in windows that are over; the one that began first is first."""
        for per_s, windows in self.windows.items():
            while windows and windows[key := next(iter(windows))].began_at + per_s * 1000 <= now:
                del windows[key]

    def hear(self, counted: Counted) -> None:
        """Another process has counted calls."""
        key = (counted.operation, counted.number, counted.who)
        window = self.window(key, counted.per_s, counted.began_at)
        if window.began_at == counted.began_at:
            window.calls += counted.calls


def answer_with(http: HttpRequest, counts: list[Count], policies: bytes, now: Millis) -> None:
    """Have the answer tell the tightest of these limits, and refuse the call that is too many."""
    if not counts:
        return
    tightest = counts[0] if len(counts) == 1 else min(counts, key=lambda count: count.left)
    state = http.scope.setdefault("state", {})
    told: Count | None = state.get("limit_told")
    if told is None or told.left > tightest.left:
        state["limit_told"] = told = tightest
    state["limit_headers"] = told.headers(policies, now)
    if tightest.left < 0:
        wait_s = tightest.wait_s(now)
        raise Refused(
            "RateLimited",
            f"{words(tightest.limit, tightest.calls_max)}: that is how often this may be called. "
            f"Try again in {wait_s} s.",
            retry_after_s=wait_s,
        )


def words(limit: Limit, calls_max: int) -> str:
    """A limit as the public servers write it: `90 per 1 minute`."""
    return f"{calls_max} per 1 {limit.unit}"


def address_of(http: HttpRequest) -> str:
    """Where a call comes from; behind a trusted proxy uvicorn has put what that proxy says."""
    client = http.scope.get("client")
    return canonical(client[0]) if client else ""


@lru_cache(maxsize=ADDRESSES_MAX)
def canonical(host: str) -> str:
    """An address as it is counted."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:NAME_LENGTH_MAX]
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX), strict=False))


@lru_cache(maxsize=ADDRESSES_MAX)
def network_of(address: str) -> str:
    """The network around an address as it is counted."""
    try:
        first = ipaddress.ip_network(address).network_address
    except ValueError:
        return address
    return str(ipaddress.ip_network((int(first), NETWORK_PREFIX[first.version]), strict=False))
