"""Webhooks: what becomes of a message after an attempt to deliver it, and what is sent next.

A **delivery** is one message to one webhook: a picture is there, or a request has ended. It waits,
is tried at longer and longer intervals, and ends delivered, failed or gone. Nothing here knows SQL,
HTTP or time.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from ordu.rules.lifecycle import Counts, Millis, RequestState, is_done
from ordu.rules.money import UserId

# Seconds before the next try: the steps that Standard Webhooks suggests, some 17 hours in all.
PAUSES_S = (5, 60, 300, 1_800, 7_200, 18_000, 36_000)
TRIES_MAX = len(PAUSES_S) + 1
JITTER = 0.2  # of a pause at most is added, so that what failed together is not tried together
SEATS = 16  # messages on their way at once in a process; each has a picture in memory
SEATS_OF_HOST = 4  # so that one that hangs leaves room for others
SEATS_OF_USER = 8  # so that one with many hosts does, too
GONE = 410


class DeliveryState(StrEnum):
    """Where a delivery is in its life."""

    WAITING = "waiting"  # for its first try, or for the next
    DELIVERED = "delivered"
    FAILED = "failed"  # every try failed
    GONE = "gone"  # the receiver wants no more of this request


class WebhookEvent(StrEnum):
    """What a message tells of."""

    GENERATION = "generation"  # a picture is there
    DONE = "request.done"
    FAULTED = "request.faulted"
    CANCELLED = "request.cancelled"
    EXPIRED = "request.expired"


class Outcome(msgspec.Struct, frozen=True):
    """What becomes of a delivery after a try; `pause_ms` is given when it waits for the next."""

    state: DeliveryState
    pause_ms: int | None = None


def outcome(status: int | None, tries: int, chance: float) -> Outcome:
    """What becomes of a delivery that was tried so often, the last time with this status.

    `status` is None when there was no answer; `chance` is from 0 to 1.
    """
    if status is not None and 200 <= status < 300:
        return Outcome(DeliveryState.DELIVERED)
    if status == GONE:
        return Outcome(DeliveryState.GONE)
    if tries >= TRIES_MAX:
        return Outcome(DeliveryState.FAILED)
    pause_s = PAUSES_S[max(tries, 1) - 1] * (1 + JITTER * chance)
    return Outcome(DeliveryState.WAITING, round(pause_s * 1000))


def ended_as(
    before: tuple[RequestState, Counts], state: RequestState, counts: Counts
) -> WebhookEvent | None:
    """What is told of a request that was like this before; None unless it has ended just now."""
    if is_done(*before) or not is_done(state, counts):
        return None
    if state is RequestState.FAULTED:
        return WebhookEvent.FAULTED
    return WebhookEvent.CANCELLED if state is RequestState.CANCELLED else WebhookEvent.DONE


# Who is next


class Due(msgspec.Struct, frozen=True):
    """A delivery whose time has come."""

    id: str
    user_id: UserId
    host: str
    due_at: Millis


def chosen(due: Iterable[Due], under_way: Sequence[Due]) -> list[Due]:
    """Those of the due that are sent now, while these are under way: the longest due first."""
    hosts = Counter(each.host for each in under_way)
    people = Counter(each.user_id for each in under_way)
    left = SEATS - len(under_way)
    taken: list[Due] = []
    for each in sorted(due, key=lambda each: (each.due_at, each.id)):
        has_seat = hosts[each.host] < SEATS_OF_HOST and people[each.user_id] < SEATS_OF_USER
        if len(taken) < left and has_seat:
            taken.append(each)
            hosts[each.host] += 1
            people[each.user_id] += 1
    return taken


class Busy(msgspec.Struct, frozen=True):
    """Who has no seat left, so that nothing of theirs has to be looked at."""

    hosts: tuple[str, ...]
    users: tuple[UserId, ...]


def busy(under_way: Sequence[Due]) -> Busy:
    """Hosts and users with all the seats they may have."""
    hosts = Counter(each.host for each in under_way)
    people = Counter(each.user_id for each in under_way)
    return Busy(
        tuple(host for host, many in hosts.items() if many >= SEATS_OF_HOST),
        tuple(user_id for user_id, many in people.items() if many >= SEATS_OF_USER),
    )
