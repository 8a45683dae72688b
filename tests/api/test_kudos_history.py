"""Kudos history over HTTP: who sees what of it, page by page, by day, and as a table."""

import base64
import csv
import io
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS, POP
from tests.builders import a_picture

from ordu.engine import rewards, sweeper
from ordu.rules.money import UserId
from ordu.store import ledger, users

pytestmark = pytest.mark.anyio

HISTORY, TRANSFER, AWARD = "/api/v2/kudos/history", "/api/v2/kudos/transfer", "/api/v2/kudos/award"
ASKED = {"prompt": "a secret fox", "params": {"width": 512, "height": 704, "steps": 20}}


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(settings, rate_limits=False)


@pytest.fixture
def draw(api):
    """Have one user ask for a picture and another's worker make it; returns the worker's id."""

    async def once(payer, owner, worker="attic"):
        placed = await api.post("/api/v2/generate/async", json=ASKED, headers=payer)
        assert placed.status_code == 202, placed.text
        job = await api.post("/api/v2/generate/pop", json=POP | {"name": worker}, headers=owner)
        body = {
            "id": job.json()["id"],
            "generation": base64.b64encode(a_picture()).decode(),
            "seed": 1,
        }
        done = await api.post("/api/v2/generate/submit", json=body, headers=owner)
        assert done.status_code == 200, done.text
        status = await api.get(f"/api/v2/generate/status/{placed.json()['id']}")
        return status.json()["generations"][0]["worker_id"]

    return once


@pytest.fixture
async def people(api, register):
    """Headers of user 2, who has kudos and asks, and of user 3, who is trusted and draws."""
    asks, draws = await register("ada"), await register("brun")
    await api.put("/api/v2/users/2", json={"kudos": 500}, headers=ADMIN)
    await api.put("/api/v2/users/3", json={"trusted": True}, headers=ADMIN)
    return asks, draws


async def entries(api, headers, **query):
    reply = await api.get(HISTORY, headers=headers, params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()["entries"]


async def test_get_kudos_history_shows_both_sides_of_a_picture(api, people, draw):
    asks, draws = people
    worker_id = await draw(asks, draws)
    spent, given = await entries(api, asks)
    (earned,) = await entries(api, draws)
    about = {"model": "stable_diffusion", "width": 512, "height": 704, "pictures": 1}
    assert (spent["kind"], spent["action"], earned["kind"]) == ("spent", "picture", "earned")
    assert spent["about"] == earned["about"] == about
    assert spent["worker_id"] == earned["worker_id"] == worker_id
    assert spent["worker_name"] == earned["worker_name"] == "attic"
    assert spent["balance"] == 500 + spent["amount"] < 500
    assert (given["kind"], given["action"], given["amount"], given["balance"]) == (
        *("other", "admin"),
        *(500, 500),
    )
    assert earned["balance"] == earned["amount"] > 0
    assert spent["id"].split(".")[0] == earned["id"].split(".")[0]


async def test_get_kudos_history_tells_neither_side_who_the_other_is(api, people, draw):
    asks, draws = people
    await draw(asks, draws)
    said = (await api.get(HISTORY, headers=draws)).text
    for secret in ("ada", "fox", "prompt", "user"):
        assert secret not in said
    assert "brun" not in (await api.get(HISTORY, headers=asks)).text


async def test_get_kudos_history_names_the_other_side_of_a_transfer(api, people):
    asks, draws = people
    await api.post(TRANSFER, json={"username": "brun#3", "amount": 70}, headers=asks)
    await api.put("/api/v2/users/2", json={"username": "ada two"}, headers=asks)
    (given, _), (received,) = await entries(api, asks), await entries(api, draws)
    assert (given["kind"], given["amount"], given["balance"]) == ("given", -70, 430)
    assert given["about"] == {"user": "brun#3"}
    assert (received["kind"], received["amount"]) == ("received", 70)
    assert received["about"] == {"user": "ada two#2"}


async def test_get_kudos_history_keeps_what_is_evaluated_apart(api, people, draw, register):
    newcomer = await register("cleo")
    await draw(people[0], newcomer)
    (earned,) = await entries(api, newcomer)
    assert earned["evaluating"] > 0
    assert earned["balance"] == earned["amount"]
    await api.put("/api/v2/users/4", json={"trusted": True}, headers=ADMIN)
    trust, _ = await entries(api, newcomer)
    assert (trust["kind"], trust["action"]) == ("other", "trust")
    assert trust["amount"] == -trust["evaluating"] == earned["evaluating"]
    assert trust["balance"] == earned["amount"] + trust["amount"]


async def test_get_kudos_history_of_who_draws_their_own_picture_has_both_movements(
    api, people, draw
):
    await api.put("/api/v2/users/2", json={"trusted": True}, headers=ADMIN)
    await draw(people[0], people[0])
    first, second, _ = await entries(api, people[0])
    spent, earned = sorted((first, second), key=lambda each: each["amount"])
    assert spent["amount"] < 0 < earned["amount"]
    assert first["balance"] == second["balance"] + first["amount"]
    assert second["balance"] == 500 + second["amount"]


async def test_get_kudos_history_of_having_been_there(api, opened, people, draw):
    horde, owner = opened.horde, people[1]
    await draw(people[0], owner)
    worker = horde.presence.by_name["attic"]
    worker.uptime_s = 700
    await rewards.reward_uptime(horde, worker)
    uptime, _ = await entries(api, owner)
    assert (uptime["kind"], uptime["action"], uptime["about"]) == ("earned", "uptime", None)
    assert uptime["worker_name"] == "attic"
    assert await entries(api, owner, worker_id=worker.id, limit=1) == [uptime]


async def test_get_kudos_history_of_a_worker_that_was_deleted_has_no_name(api, people, draw):
    worker_id = await draw(*people)
    await api.delete(f"/api/v2/workers/{worker_id}", headers=people[1])
    (earned,) = await entries(api, people[1])
    assert (earned["worker_id"], earned["worker_name"]) == (worker_id, None)


# Parts of it


@pytest.fixture
async def many(api, register, clock):
    """Headers of user 2, who was awarded 1 to 25 kudos, one every hour from the first day on."""
    headers = await register("ada")
    for amount in range(1, 26):
        body = {"username": "2", "amount": amount}
        assert (await api.post(AWARD, json=body, headers=ADMIN)).status_code == 200
        clock.forward(s=3600)
    return headers


async def test_get_kudos_history_page_by_page_has_each_movement_once(api, many):
    found, cursor, parts = [], None, 0
    while True:
        query = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        part = (await api.get(HISTORY, headers=many, params=query)).json()
        found += part["entries"]
        parts += 1
        cursor = part["next"]
        if cursor is None:
            break
        # What comes meanwhile is newer than all that is still to be read.
        await api.post(AWARD, json={"username": "2", "amount": 1000}, headers=ADMIN)
    assert parts == 4
    assert [each["amount"] for each in found] == list(range(25, 0, -1))
    balances = [each["balance"] for each in found]
    assert balances == [number * (number + 1) / 2 for number in range(25, 0, -1)]


async def test_get_kudos_history_between_two_moments(api, many, clock):
    start = datetime.fromtimestamp(clock.now() / 1000, UTC) - timedelta(hours=25)
    since, until = start + timedelta(hours=4), start + timedelta(hours=9)
    found = await entries(api, many, since=since.isoformat(), until=until.isoformat())
    assert [each["amount"] for each in found] == [9, 8, 7, 6, 5]
    naive = {
        "since": since.replace(tzinfo=None).isoformat(),
        "until": until.isoformat().replace("+00:00", "Z"),
    }
    assert await entries(api, many, **naive) == found
    assert await entries(api, many, until=start.isoformat()) == []
    late = await entries(api, many, since=(start + timedelta(hours=26)).isoformat())
    assert late == []


async def test_get_kudos_history_of_one_kind_looks_through_the_others(
    api, many, register, monkeypatch
):
    monkeypatch.setattr("ordu.engine.history.SCANNED_MAX", 10)
    monkeypatch.setattr("ordu.engine.history.SCANNED_AT_ONCE", 4)
    other = await register("brun")
    await api.put("/api/v2/users/3", json={"kudos": 5}, headers=ADMIN)
    await api.post(TRANSFER, json={"username": "2", "amount": 5}, headers=other)
    for _ in range(12):
        await api.post(AWARD, json={"username": "2", "amount": 1}, headers=ADMIN)
    first = (await api.get(HISTORY, headers=many, params={"kind": "received"})).json()
    assert (first["entries"], first["next"] is not None) == ([], True)
    query = {"kind": "received", "cursor": first["next"]}
    second = (await api.get(HISTORY, headers=many, params=query)).json()
    assert [each["amount"] for each in second["entries"]] == [5]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"limit": "0"}, "1 to 200"),
        ({"limit": "201"}, "1 to 200"),
        ({"limit": "many"}, "1 to 200"),
        ({"kind": "stolen"}, "`earned`"),
        ({"cursor": "-1"}, "`next`"),
        ({"cursor": "9" * 16}, "`next`"),
        ({"since": "yesterday"}, "2026-11-26"),
        ({"until": "1969-01-01"}, "2026-11-26"),
        ({"until": "9999-12-31T23:59:59-23:00"}, "2026-11-26"),
        ({"by": "week"}, "`day`"),
        ({"by": "day", "since": "2020-01-01"}, "1 to 92 days"),
        ({"by": "day", "since": "2026-01-02", "until": "2026-01-01"}, "1 to 92 days"),
    ],
)
async def test_get_kudos_history_refuses_what_cannot_be_meant(api, register, query, word):
    headers = await register("ada")
    reply = await api.get(HISTORY, headers=headers, params=query)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadParameter")
    assert word in reply.json()["message"]


@pytest.mark.parametrize("query", [{}, {"by": "day"}])
async def test_get_kudos_history_of_nobody(api, query):
    reply = await api.get(HISTORY, headers=ANONYMOUS, params=query)
    assert (reply.status_code, reply.json()["rc"]) == (403, "AnonForbidden")
    assert (await api.get(HISTORY)).json()["rc"] == "InvalidAPIKey"


async def test_get_kudos_history_is_not_stored_by_anybody(api, many):
    reply = await api.get(HISTORY, headers=many)
    assert reply.headers["cache-control"] == "no-store"


# By day


async def test_get_kudos_history_by_day(api, opened, people, draw, clock):
    asks, draws = people
    worker_id = await draw(asks, draws)
    clock.forward(s=86_400)
    await draw(asks, draws)
    await api.post(TRANSFER, json={"username": "2", "amount": 3}, headers=draws)
    await sweeper.fold_statistics(opened.horde)
    found = await entries(api, draws)
    rewards_ = [each["amount"] for each in found if each["kind"] == "earned"]
    reply = await api.get(HISTORY, headers=draws, params={"by": "day"})
    days = reply.json()["days"]
    assert len(days) == 30
    assert days[-1]["date"] == datetime.fromtimestamp(clock.now() / 1000, UTC).date().isoformat()
    assert [day["earned"] for day in days[-2:]] == rewards_[::-1]
    assert (days[-1]["given"], days[-3]["earned"], days[-1]["evaluating"]) == (-3, 0, 0)
    spent = (await api.get(HISTORY, headers=asks, params={"by": "day"})).json()["days"][-1]
    assert (spent["spent"], spent["received"]) == ((await entries(api, asks))[1]["amount"], 3)
    query = {"by": "day", "worker_id": worker_id, "since": days[-2]["date"]}
    of_worker = (await api.get(HISTORY, headers=draws, params=query)).json()["days"]
    assert [(day["earned"], day["given"]) for day in of_worker] == [(r, 0) for r in rewards_[::-1]]
    # What somebody else's worker earns is nobody's business.
    others = (await api.get(HISTORY, headers=asks, params=query)).json()["days"]
    assert {day["earned"] for day in others} == {0}


# As a table


async def test_get_kudos_history_as_csv(api, people, draw):
    asks, draws = people
    await api.put("/api/v2/users/3", json={"username": "=HYPERLINK(1)"}, headers=draws)
    await draw(asks, draws, worker="+cmd|calc")
    await api.post(TRANSFER, json={"username": "3", "amount": 70}, headers=asks)
    reply = await api.get(HISTORY, headers=asks | {"Accept": "text/csv"})
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in reply.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert [row["kind"] for row in rows] == ["given", "spent", "other"]
    assert (rows[0]["user"], rows[0]["amount"]) == ("'=HYPERLINK(1)#3", "-70.0")
    assert (rows[1]["worker_name"], rows[1]["width"]) == ("'+cmd|calc", "512")


async def test_get_kudos_history_as_csv_goes_on_where_it_ended(api, many, monkeypatch):
    monkeypatch.setattr("ordu.server.movements.CSV_ROWS_MAX", 10)
    headers, found, path = many | {"Accept": "text/csv"}, [], f"{HISTORY}?kind=other"
    while path:
        reply = await api.get(path, headers=headers)
        found += csv.DictReader(io.StringIO(reply.text))
        path = reply.links.get("next", {}).get("url")
    assert [float(row["amount"]) for row in found] == list(range(25, 0, -1))


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("text/csv", True),
        ("*/*", False),
        ("application/json", False),
        ("text/csv;q=0.5, application/json", False),
        ("application/json, text/csv", True),
        ("text/csv;q=0", False),
    ],
)
async def test_get_kudos_history_is_a_table_for_who_wants_one(api, register, accept, is_csv):
    headers = await register("ada")
    reply = await api.get(HISTORY, headers=headers | {"Accept": accept})
    assert reply.headers["content-type"].startswith("text/csv" if is_csv else "application/json")


# The books behind it


async def test_the_audit_sees_a_history_that_does_not_end_where_the_balance_is(opened, many):
    def lie(tx):
        tx.run("UPDATE lines SET balance = balance + 1 WHERE user_id = 2")
        return ledger.audit(tx), users.by_id(tx, UserId(2))

    wrong, user = await opened.horde.write(lie)
    assert wrong == [f"the newest movement of user 2 left {user.kudos + 1}, which has {user.kudos}"]
