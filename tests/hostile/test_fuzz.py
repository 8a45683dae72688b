"""Thousands of calls that are almost right, to every operation and door of one server."""

import contextlib
import os
from collections import Counter

import pytest
from tests.conftest import ADMIN_KEY
from tests.hostile import fuzzing
from tests.hostile.conftest import Besieged
from tests.hostile.wire import NOTHING, Answer, Wire, ask, call

PER_CHANGE = 5000
PER_RUN = 500  # with one address and one connection, as long as that is kept
RIGHT = {501, 503}  # what is not served, and what is closed at the moment, are answers too


def answered(siege: Besieged, seed: int, many: int, key: str) -> dict[int, int]:
    """Make these calls; how often each status came."""
    statuses: dict[int, int] = {}
    aims = fuzzing.targets(siege.victim_id)
    with contextlib.closing(Line(siege.url)) as line:
        for _, raw, what in fuzzing.calls(aims, key, seed, many):
            try:
                answer = line.ask(raw)
            except TimeoutError:
                pytest.fail(f"no answer ({what}): {raw[:2000]!r}")
            check(answer, what, raw)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
    return statuses


class Line:
    """A connection that is kept as long as the server keeps it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.wire: Wire | None = None

    def ask(self, raw: bytes) -> Answer:
        """What the server answers."""
        wire, self.wire = self.wire or Wire(self.url), None
        wire.say(raw)
        answer = wire.hear(of=raw.split(b" ", 1)[0].decode())
        if answer.is_closed:
            wire.socket.close()
        else:
            self.wire = wire
        return answer

    def close(self) -> None:
        """Close what is still open."""
        if self.wire is not None:
            self.wire.socket.close()


def check(answer: Answer, what: str, raw: bytes) -> None:
    """An answer is none of a fault of ours, and a refusal says what it is."""
    status = answer.status
    assert status < 500 or status in RIGHT, f"{what}: {answer.body[:500]!r}\n{raw[:2000]!r}"
    assert b"x-injected" not in answer.head.lower(), what
    assert b"evil.test" not in answer.head.lower() + answer.body, what
    if status >= 400 and answer.body and b"application/json" in answer.head.lower():
        body = answer.json()
        assert body.get("rc") or body.get("error") or body.get("detail"), what
        assert len(answer.body) < 20_000, what


def open_again(siege: Besieged) -> None:
    """Undo what the administrator's calls may have done."""
    body = b'{"maintenance": false, "invite_only": false, "raid": false}'
    raw = call("PUT", "/api/v2/status/modes", body, {"apikey": ADMIN_KEY})
    assert ask(siege.url, raw) != NOTHING


@pytest.mark.parametrize("part", range(PER_CHANGE // PER_RUN))
def test_calls_that_are_almost_right_are_answered(siege: Besieged, part):
    with siege.bounded():
        statuses = answered(siege, part, PER_RUN, siege.stranger_key)
    assert sum(statuses.values()) == PER_RUN
    assert {200, 400, 404} <= statuses.keys(), statuses


def test_the_administrators_calls_are_answered_too(siege: Besieged):
    try:
        answered(siege, 1000, PER_RUN, ADMIN_KEY)
    finally:
        open_again(siege)
    siege.is_serving()


WIDE_SEEDS = int(os.environ.get("HOSTILE_SEEDS", "400"))  # of 500 calls each


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_very_many_calls_that_are_almost_right_are_answered(siege: Besieged):
    statuses: Counter[int] = Counter()
    try:
        for seed in range(10_000, 10_000 + WIDE_SEEDS):
            key = ADMIN_KEY if seed % 4 == 0 else siege.stranger_key
            statuses.update(answered(siege, seed, PER_RUN, key))
    finally:
        open_again(siege)
        print(dict(sorted(statuses.items())))
    siege.is_serving()
