"""A storm of retries: the same call again and again while servers die under it, with one effect.

Programs that hear nothing call again. With an `Idempotency-Key` that is safe: whatever was lost,
kudos move once, one request is placed, one account is made, and whoever gets an answer gets the
same one, byte for byte.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.crash.cases import ferris
from tests.crash.stage import Caller, Stage, calling_at, demand_death

from ordu.store.database import Transaction

MOMENTS = ("before", "after", "unanswered")


PATHS = {
    "transfer": ("/api/v2/kudos/transfer", {"username": "2", "amount": 5}, {200}),
    "award": ("/api/v2/kudos/award", {"username": "2", "amount": 5}, {200}),
    "accept": ("/api/v2/generate/async", {"prompt": "a fox"}, {202}),
    "register": ("/register", {"username": "corro"}, {200}),
}


def rounds(turns: range, two_of: str = "") -> Iterator[Any]:
    """Every call in every round; for each change each call once, and one of them twice."""
    for number, name in enumerate(PATHS):
        due = {turns[number % 3]} | ({turns[1]} if name == two_of else set())
        for turn in turns:
            marks = [] if turn in due else [pytest.mark.slow]
            yield pytest.param(name, turn, id=f"{name} {turn}", marks=marks)


def storm(caller: Caller, name: str, key: str, many: int) -> list[bytes]:
    """The answers to so many calls at the same time; some may get none."""

    path, body, statuses = PATHS[name]

    def call(_: int) -> bytes | None:
        try:
            answer = caller.http.post(path, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return None
        assert answer.status_code in statuses, answer.text
        return answer.content

    with ThreadPoolExecutor(many) as pool:
        return [answer for answer in pool.map(call, range(many)) if answer is not None]


@pytest.mark.parametrize(("name", "turn"), list(rounds(range(1, 54), two_of="transfer")))
def test_one_effect_and_one_answer(stage: Stage, name: str, turn: int) -> None:
    storm_and_demand(stage, name, turn)


@pytest.mark.parametrize(("name", "turn"), list(rounds(range(4, 30))))
def test_one_effect_and_one_answer_on_postgresql(
    postgres_stage: Stage, name: str, turn: int
) -> None:
    storm_and_demand(postgres_stage, name, turn)


READ_FIRST = {"accept", "register"}
EFFECTS = {"transfer": 0, "award": 0, "accept": 0, "register": 0}


def effects(tx: Transaction) -> dict[str, int]:
    """How often each of the calls had its effect, beyond what was prepared."""
    found = tx.one(
        "SELECT (SELECT COUNT(*) FROM transfers) AS transfer,"
        " (SELECT COUNT(*) FROM lines WHERE user_id = 2 AND action = 'awarded') AS award,"
        " (SELECT COUNT(*) FROM requests) - 1 AS accept,"
        " (SELECT COUNT(*) FROM users WHERE username = 'corro') AS register"
    )
    assert found is not None
    return {name: found[name] for name in EFFECTS}


def storm_and_demand(stage: Stage, name: str, turn: int) -> None:
    """Call at three servers in turn, of which some die, and demand one effect and one answer."""
    stage.facts = stage.inside(ferris)
    many = 1 + turn % 5
    first, second = MOMENTS[turn % 3], MOMENTS[turn // 3 % 3]
    answers: list[bytes] = []
    then = f"{name}:{second}:{min(2, many)}"
    if name in READ_FIRST:  # what is kept is read, and then nothing is written
        then = f"{name}:{second}" if first == "before" else ""
    for failpoint in (f"{name}:{first}", then, ""):
        server = stage.server(failpoint)
        with calling_at(server) as caller:
            answers += storm(caller, name, f"a-key-that-nobody-guesses-{turn}", many)
        if failpoint:
            demand_death(server)
        else:
            server.kill()
    assert len(answers) >= many, "at the end all were answered"
    assert len(set(answers)) == 1
    assert stage.look(effects) == EFFECTS | {name: 1}
    stage.demand_order()
    audit = stage.ordu.run("audit", "--data", stage.settings.data, *stage.where)
    assert audit.returncode == 0, audit.stdout
