"""Calls made again with the same `Idempotency-Key`: one effect, and the same answer."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS, POP
from tests.api.sockets import served, until
from tests.builders import a_picture

from ordu.engine.once import DAY_MS, forget_answers
from ordu.engine.sweeper import expire_requests
from ordu.protocol.errors import Refused
from ordu.server.app import make_app
from ordu.server.run import open_horde

pytestmark = pytest.mark.anyio

ASYNC, SYNC, REGISTER = "/api/v2/generate/async", "/api/v2/generate/sync", "/register"
TRANSFER, AWARD, USERS = "/api/v2/kudos/transfer", "/api/v2/kudos/award", "/api/v2/users"
ASK = {"prompt": "a fox", "params": {"width": 512, "height": 512, "steps": 20}}
KEY = "3f1c7a52-98e0-4b6d-9a42-0c5e77f1b2aa"
ONCE = {"Idempotency-Key": KEY}


@pytest.fixture
def many(horde):
    """How many rows there are of something."""

    async def count(table):
        row = await horde.read(lambda tx: tx.one(f"SELECT COUNT(*) AS many FROM {table}"))
        return row["many"]

    return count


@pytest.fixture
def elsewhere(opened):
    """A client at another address."""

    @contextlib.asynccontextmanager
    async def at(address) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(
            make_app(opened.horde, opened.secret), client=(address, 4711)
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
            yield client

    return at


def is_again(reply):
    return reply.headers.get("Idempotency-Replayed") == "true"


# post_async_generate


async def test_post_async_generate_again_is_answered_the_same_and_places_nothing(api, many):
    first = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    again = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["message"], "nobody can serve it, and both say so"
    assert again.content == first.content
    for name in ("Idempotency-Key", "Location", "Link"):
        assert again.headers[name] == first.headers[name]
    assert (is_again(first), is_again(again)) == (False, True)
    assert await many("requests") == 1


async def test_without_a_key_every_call_places_and_nothing_is_kept(api, many):
    replies = [await api.post(ASYNC, json=ASK, headers=ADMIN) for _ in range(2)]
    assert replies[0].json()["id"] != replies[1].json()["id"]
    assert not any(name.startswith("idempotency") for name in replies[0].headers)
    assert (await many("requests"), await many("answers")) == (2, 0)


async def test_a_price_is_held_once(api, horde, register):
    horde.settings = msgspec.structs.replace(horde.settings, upfront="all")
    ferris = await register("ferris")
    await api.put(f"{USERS}/2", json={"kudos": 1000}, headers=ADMIN)
    for _ in range(3):
        reply = await api.post(ASYNC, json=ASK, headers=ferris | ONCE)
    held = await horde.read(lambda tx: tx.one("SELECT SUM(bill) AS sum FROM requests"))
    assert held["sum"] == round(reply.json()["kudos_exact"] * 100)


async def test_a_request_that_was_made_lighter_is_so_again(api, register, many):
    ferris = await register("ferris")
    size = {"width": 2048, "height": 1024, "steps": 200}
    body = {"prompt": "a fox", "params": size, "slow_workers": False, "allow_downgrade": True}
    first = await api.post(ASYNC, json=body, headers=ferris | ONCE)
    assert "made lighter" in first.json()["message"]
    again = await api.post(ASYNC, json=body, headers=ferris | ONCE)
    assert (again.content, is_again(again)) == (first.content, True)
    assert await many("requests") == 1


async def test_it_is_answered_again_though_all_has_changed(api, horde, clock, many):
    first = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    horde.modes["maintenance_mode"] = True
    assert (await api.post(ASYNC, json=ASK, headers=ADMIN)).status_code == 503
    assert (await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)).content == first.content
    clock.forward(s=7200)
    await expire_requests(horde)
    assert await many("requests") == 0
    again = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    assert (again.status_code, again.content) == (202, first.content)
    assert (await api.get(again.headers["Location"])).json()["rc"] == "RequestNotFound"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            '{"params": {"steps": 20, "height": 512, "width": 512}, "prompt": "a fox"}',
            id="fields in another order",
        ),
        pytest.param(
            '{"prompt":"a\\u0020fox","params":{"width":512,"height":512,"steps":20}}',
            id="written otherwise",
        ),
        pytest.param(json.dumps(ASK | {"dry_run": False}), id="a default said aloud"),
        pytest.param(json.dumps(ASK | {"no_such_field": 1}), id="a field nobody reads"),
    ],
)
async def test_a_body_that_says_the_same_is_the_same(api, raw):
    first = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    given = {"content": raw, "headers": ADMIN | ONCE | {"Content-Type": "application/json"}}
    again = await api.post(ASYNC, **given)
    assert (again.content, is_again(again)) == (first.content, True)


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        (ASYNC, ASK, ASK | {"prompt": "a hen"}),
        (REGISTER, {"username": "ferris"}, {"username": "corro"}),
        (AWARD, {"username": "1", "amount": 5}, {"username": "1", "amount": 6}),
    ],
    ids=["a request", "an account", "an award"],
)
async def test_the_same_key_with_another_body_is_refused(api, many, path, body, other):
    assert (await api.post(path, json=body, headers=ADMIN | ONCE)).status_code < 300
    reply = await api.post(path, json=other, headers=ADMIN | ONCE)
    assert (reply.status_code, reply.json()["rc"]) == (400, "IdempotencyKeyConflict")
    assert "Idempotency-Key" not in reply.headers
    assert await many("answers") == 1


@pytest.mark.parametrize(
    "key",
    ["", "x" * 256, "sch\xf6n", "tab\tbed"],
    ids=["empty", "too long", "no ASCII", "not visible"],
)
@pytest.mark.parametrize(
    ("path", "body"),
    [(ASYNC, ASK), (SYNC, ASK), (REGISTER, {"username": "ferris"}), (TRANSFER, {"username": "1"})],
    ids=["async", "sync", "register", "transfer"],
)
async def test_what_is_no_key_is_refused(api, many, path, body, key):
    headers = ADMIN | {"Idempotency-Key": key.encode("latin-1")}
    reply = await api.post(path, json=body, headers=headers)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")
    assert "Idempotency-Key" in reply.json()["message"]
    assert (await many("requests"), await many("users"), await many("answers")) == (0, 2, 0)


async def test_the_longest_key_is_one(api):
    key = {"Idempotency-Key": '"' + "~" * 254}
    for expected in (False, True):
        reply = await api.post(ASYNC, json=ASK, headers=ADMIN | key)
        assert (reply.status_code, is_again(reply)) == (202, expected)
        assert reply.headers["Idempotency-Key"] == key["Idempotency-Key"]


async def test_a_refusal_is_not_kept(api, horde, many):
    horde.settings = msgspec.structs.replace(horde.settings, upfront="all")
    reply = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    assert (reply.status_code, reply.json()["rc"]) == (403, "KudosUpfront")
    assert (await many("answers"), await many("requests")) == (0, 0)
    await api.put(f"{USERS}/1", json={"kudos": 1000}, headers=ADMIN)
    reply = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    assert (reply.status_code, is_again(reply)) == (202, False)


async def test_a_dry_run_is_not_kept(api, many):
    for _ in range(2):
        reply = await api.post(ASYNC, json=ASK | {"dry_run": True}, headers=ADMIN | ONCE)
        assert (reply.status_code, is_again(reply)) == (200, False)
    assert await many("answers") == 0


async def test_each_caller_and_each_operation_has_keys_of_its_own(api, register, many):
    ferris = await register("ferris")
    ids = set()
    for headers in (ADMIN, ferris, ANONYMOUS):
        reply = await api.post(ASYNC, json=ASK, headers=headers | ONCE)
        assert not is_again(reply)
        ids.add(reply.json()["id"])
    assert len(ids) == 3
    body = {"username": "ferris#2", "amount": 5}
    assert (await api.post(AWARD, json=body, headers=ADMIN | ONCE)).json() == {"awarded": 5}


async def test_who_is_anonymous_is_told_apart_by_address(elsewhere, horde, many):
    ids = {}
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1", "2001:db8::2"):
        async with elsewhere(address) as client:
            reply = await client.post(ASYNC, json=ASK, headers=ANONYMOUS | ONCE)
            ids.setdefault(reply.json()["id"], []).append((address, is_again(reply)))
    assert list(ids.values()) == [
        [("192.0.2.1", False), ("192.0.2.1", True)],
        [("192.0.2.2", False)],
        [("2001:db8::1", False), ("2001:db8::2", True)],  # one network, as limits count it
    ]
    kept = await horde.read(lambda tx: tx.all("SELECT scope, key_hash FROM answers"))
    assert not any(KEY in str(tuple(row)) or "192.0.2" in str(tuple(row)) for row in kept)


async def test_a_mask_is_the_calls_own(api):
    first = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    again = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE | {"X-Fields": "id"})
    assert again.json() == {"id": first.json()["id"]}
    assert is_again(again)


async def test_pictures_that_came_with_a_repeated_call_are_not_kept(horde, api, many):
    """Both looked before either had placed: the second finds out in its transaction."""
    body = ASK | {"source_image": base64.b64encode(a_picture()).decode()}
    calls = [api.post(ASYNC, json=body, headers=ADMIN | ONCE) for _ in range(2)]
    replies = await asyncio.gather(*calls)
    assert sorted(map(is_again, replies)) == [False, True]
    assert await many("requests") == 1
    stored = [name async for name, _ in horde.pictures.older_than(2**60)]
    assert [name.partition("_")[0] for name in stored] == [replies[0].json()["id"]]


@pytest.mark.parametrize("times", [2, 12])
async def test_twins_in_flight_get_one_answer(api, many, times):
    calls = [api.post(ASYNC, json=ASK, headers=ADMIN | ONCE) for _ in range(times)]
    replies = await asyncio.gather(*calls)
    assert {reply.status_code for reply in replies} == {202}
    assert len({reply.content for reply in replies}) == 1
    assert sorted(map(is_again, replies)) == [False] + [True] * (times - 1)
    assert await many("requests") == 1


async def test_of_twins_in_flight_with_other_bodies_one_is_refused(api, many):
    bodies = [ASK, ASK | {"prompt": "a hen"}]
    calls = [api.post(ASYNC, json=body, headers=ADMIN | ONCE) for body in bodies]
    replies = await asyncio.gather(*calls)
    assert sorted(reply.status_code for reply in replies) == [202, 400]
    assert await many("requests") == 1


async def test_a_twin_of_one_that_is_refused_is_as_if_it_were_the_first(api, horde, many):
    horde.settings = msgspec.structs.replace(horde.settings, upfront="all")
    calls = [api.post(ASYNC, json=ASK, headers=ADMIN | ONCE) for _ in range(4)]
    assert {reply.json()["rc"] for reply in await asyncio.gather(*calls)} == {"KudosUpfront"}
    assert await many("answers") == 0


async def test_a_failed_commit_answers_neither_twin(api, horde, monkeypatch, many):
    """A repeat in the group of the first must not be told what was never committed."""
    if horde.settings.is_postgres:
        pytest.skip("each call has a transaction of its own there")

    def full():
        raise OSError("No space left on device")

    monkeypatch.setattr(horde.database, "before_commit", full)
    calls = [api.post(ASYNC, json=ASK, headers=ADMIN | ONCE) for _ in range(2)]
    assert [reply.status_code for reply in await asyncio.gather(*calls)] == [503, 503]
    assert await many("answers") == 0


async def test_an_answer_is_kept_for_a_day(api, horde, clock, many):
    first = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    clock.forward(ms=DAY_MS)
    await forget_answers(horde)
    assert (await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)).content == first.content
    clock.forward(ms=1)
    await forget_answers(horde)
    anew = await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)
    assert (anew.status_code, is_again(anew)) == (202, False)
    assert anew.json()["id"] != first.json()["id"]


async def test_that_kudos_went_is_kept_for_longer(api, horde, clock):
    body = {"username": "1", "amount": 5}
    await api.post(AWARD, json=body, headers=ADMIN | ONCE)
    for days, expected in ((30, True), (1, False)):
        clock.forward(ms=days * DAY_MS)
        await forget_answers(horde)
        assert is_again(await api.post(AWARD, json=body, headers=ADMIN | ONCE)) is expected


async def test_many_old_answers_are_dropped_in_bounded_steps(horde, clock, monkeypatch, many, api):
    monkeypatch.setattr("ordu.store.answers.FORGET_MAX", 2)
    for number in range(5):
        key = {"Idempotency-Key": f"k{number}"}
        await api.post(AWARD, json={"username": "1", "amount": 1}, headers=ADMIN | key)
    clock.forward(ms=31 * DAY_MS)
    monkeypatch.setattr("ordu.engine.once.ROUNDS_MAX", 1)
    await forget_answers(horde)
    assert await many("answers") == 3
    monkeypatch.setattr("ordu.engine.once.ROUNDS_MAX", 9)
    await forget_answers(horde)
    assert await many("answers") == 0


async def test_a_restart_in_between_changes_nothing(settings, clock):
    contents = []
    for _ in range(2):
        async with open_horde(settings, "http://horde.test", clock=clock) as opened:
            transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
            async with httpx.AsyncClient(transport=transport, base_url="http://h.test") as client:
                for path, body in ((ASYNC, ASK), (REGISTER, {"username": "ferris"})):
                    reply = await client.post(path, json=body, headers=ADMIN | ONCE)
                    assert reply.status_code < 300
                    contents.append(reply.content)
    assert contents[:2] == contents[2:]


# post_sync_generate


@pytest.fixture
async def able(pop):
    """A worker that could serve what is asked for."""
    await pop()


async def deliver(pop, submit, horde):
    await until(lambda: horde.lanes.requests)
    job = await pop()
    assert (await submit(job["id"])).status_code == 200


async def test_post_sync_generate_again_waits_for_the_same_request(
    api, able, pop, submit, horde, many
):
    calls = [asyncio.ensure_future(api.post(SYNC, json=ASK, headers=ADMIN | ONCE))]
    await until(lambda: horde.sync_waits.taken == 1)
    calls.append(asyncio.ensure_future(api.post(SYNC, json=ASK, headers=ADMIN | ONCE)))
    await until(lambda: horde.sync_waits.taken == 2)
    await deliver(pop, submit, horde)
    first, second = await asyncio.gather(*calls)
    assert first.json()["generations"] == second.json()["generations"] != []
    assert (is_again(first), is_again(second)) == (False, True)
    third = await api.post(SYNC, json=ASK, headers=ADMIN | ONCE)
    assert third.json()["generations"] == first.json()["generations"]
    assert third.headers["Idempotency-Key"] == KEY
    assert await many("requests") == 1


async def test_post_sync_generate_with_a_key_outlives_its_caller(
    opened, horde, api, able, pop, submit, many
):
    body = json.dumps(ASK).encode()
    async with served(opened) as server:
        _, writer = await server.call("POST", SYNC, body, apikey=ADMIN["apikey"], **ONCE)
        await until(lambda: horde.sync_waits.taken == 1)
        await server.hang_up(writer)
        await until(lambda: horde.sync_waits.taken == 0)
        await deliver(pop, submit, horde)
    again = await api.post(SYNC, json=ASK, headers=ADMIN | ONCE)
    assert len(again.json()["generations"]) == 1
    assert is_again(again)
    assert await many("requests") == 1


async def test_post_sync_generate_at_a_server_that_stops_may_be_asked_again(
    api, able, horde, pop, submit
):
    call = asyncio.ensure_future(api.post(SYNC, json=ASK, headers=ADMIN | ONCE))
    await until(lambda: horde.sync_waits.taken == 1)
    horde.stop()
    reply = await call
    assert (reply.status_code, reply.json()["rc"]) == (503, "Unavailable")
    assert "same Idempotency-Key" in reply.json()["message"]
    horde.is_stopping = False
    await deliver(pop, submit, horde)
    assert len((await api.post(SYNC, json=ASK, headers=ADMIN | ONCE)).json()["generations"]) == 1


async def test_post_sync_generate_again_says_that_the_pictures_are_gone(
    api, able, horde, pop, submit, clock
):
    call = asyncio.ensure_future(api.post(SYNC, json=ASK, headers=ADMIN | ONCE))
    await deliver(pop, submit, horde)
    assert (await call).status_code == 200
    clock.forward(s=7200)
    await expire_requests(horde)
    again = await api.post(SYNC, json=ASK, headers=ADMIN | ONCE)
    assert (again.status_code, again.json()["rc"]) == (410, "RequestExpired")
    assert "another Idempotency-Key" in again.json()["message"]


async def test_post_sync_generate_again_needs_room_to_wait(api, able, horde, many):
    call = asyncio.ensure_future(api.post(SYNC, json=ASK, headers=ADMIN | ONCE))
    await until(lambda: horde.sync_waits.taken == 1)
    horde.settings = msgspec.structs.replace(horde.settings, sync_waiters=1)
    reply = await api.post(SYNC, json=ASK, headers=ADMIN | ONCE)
    assert (reply.status_code, reply.json()["rc"]) == (429, "TooManyWaiters")
    horde.stop()
    await call


async def test_post_sync_generate_without_anybody_able_keeps_nothing(api, many):
    reply = await api.post(SYNC, json=ASK, headers=ADMIN | ONCE)
    assert (reply.status_code, reply.json()["rc"]) == (503, "NoValidWorkers")
    assert await many("answers") == 0


# post_register


async def test_post_register_again_tells_the_same_account_and_key(api, many):
    replies = [await api.post(REGISTER, json={"username": "ferris"}, headers=ONCE) for _ in "abc"]
    assert len({reply.content for reply in replies}) == 1
    assert [is_again(reply) for reply in replies] == [False, True, True]
    account = replies[0].json()
    assert len(account["api_key"]) == 22
    me = await api.get("/api/v2/find_user", headers={"apikey": account["api_key"]})
    assert (me.json()["id"], me.json()["username"]) == (account["id"], "ferris#2")
    assert await many("users") == 3


async def test_post_register_twins_make_one_account(api, many):
    calls = [api.post(REGISTER, json={"username": "ferris"}, headers=ONCE) for _ in range(6)]
    replies = await asyncio.gather(*calls)
    assert len({reply.content for reply in replies}) == 1
    assert sorted(map(is_again, replies)) == [False] + [True] * 5
    assert await many("users") == 3


async def test_no_key_of_an_account_is_kept_in_clear(api, horde):
    reply = await api.post(REGISTER, json={"username": "ferris"}, headers=ONCE)
    (row,) = await horde.read(lambda tx: tx.all("SELECT * FROM answers"))
    kept = " ".join(str(value) for value in row)
    assert reply.json()["api_key"] not in kept
    assert KEY not in kept


async def test_post_register_again_after_a_day_is_another_account_with_another_key(
    api, horde, clock
):
    first = await api.post(REGISTER, json={"username": "ferris"}, headers=ONCE)
    clock.forward(ms=DAY_MS + 1)
    await forget_answers(horde)
    second = await api.post(REGISTER, json={"username": "ferris"}, headers=ONCE)
    assert (first.json()["id"], second.json()["id"]) == (2, 3)
    assert first.json()["api_key"] != second.json()["api_key"]


async def test_post_register_at_another_address_is_another_account(elsewhere):
    accounts = []
    for address in ("192.0.2.1", "192.0.2.2"):
        async with elsewhere(address) as client:
            reply = await client.post(REGISTER, json={"username": "ferris"}, headers=ONCE)
            accounts.append(reply.json())
    assert [account["id"] for account in accounts] == [2, 3]
    assert accounts[0]["api_key"] != accounts[1]["api_key"]


async def test_post_register_takes_no_key_that_could_be_guessed(api, many):
    headers = {"Idempotency-Key": "x" * 21}
    reply = await api.post(REGISTER, json={"username": "ferris"}, headers=headers)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")
    assert "22" in reply.json()["message"]
    assert await many("users") == 2


async def test_post_register_again_is_answered_in_a_raid_though_nobody_new_is(api, horde):
    first = await api.post(REGISTER, json={"username": "ferris"}, headers=ONCE)
    horde.modes["raid_mode"] = True
    again = await api.post(REGISTER, json={"username": "ferris"}, headers=ONCE)
    assert again.content == first.content
    other = {"Idempotency-Key": KEY[::-1]}
    reply = await api.post(REGISTER, json={"username": "ferris"}, headers=other)
    assert reply.json()["rc"] == "RegistrationClosed"


async def test_the_form_makes_an_account_each_time(api, many):
    """A browser sends no key; whoever adds one to a form is a program and may send JSON."""
    for _ in range(2):
        await api.post(REGISTER, data={"username": "ferris"}, headers=ONCE)
    assert await many("users") == 4


# jobs


async def test_a_pop_takes_no_key(api, ask):
    """Two pops are two jobs, whatever they are called with: a lost one goes back by itself."""
    for _ in range(2):
        await ask(ADMIN)
    jobs = [await api.post("/api/v2/generate/pop", json=POP, headers=ADMIN | ONCE) for _ in "ab"]
    assert len({job.json()["id"] for job in jobs}) == 2
    assert "Idempotency-Key" not in jobs[0].headers


async def test_when_it_cannot_be_written_nothing_is_kept(api, horde, monkeypatch):
    async def write(*_):
        raise Refused("Unavailable", "The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(horde.database, "write", write)
        assert (await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)).status_code == 503
    assert (await api.post(ASYNC, json=ASK, headers=ADMIN | ONCE)).status_code == 202
