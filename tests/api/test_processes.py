"""Several processes of one horde: what one commits the others know, and what they share is exact.

The processes are hordes of their own in one event loop, with their own connections to one
PostgreSQL; nothing else connects them.
"""

import asyncio
import base64
import contextlib
from dataclasses import dataclass

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, POP
from tests.builders import HandClock, a_picture
from tests.conftest import ADMIN_KEY

from ordu.engine.clock import SystemClock
from ordu.engine.elsewhere import RARELY
from ordu.engine.sweeper import Sweeper
from ordu.protocol.errors import Refused
from ordu.rules.trust import DAY_MS
from ordu.server.app import make_app
from ordu.server.run import Opened, open_horde
from ordu.settings import ServerSettings
from ordu.store import ledger, workers
from ordu.store.database import unavailable

pytestmark = pytest.mark.anyio

API = "/api/v2"


async def until(look):
    """Wait until this is so: what other programs do takes time."""
    async with asyncio.timeout(20):
        while not look():
            await asyncio.sleep(0.005)


@dataclass(eq=False)
class Process:
    """One process of a horde, and a way to call it."""

    opened: Opened
    api: httpx.AsyncClient
    sweeper: Sweeper

    @property
    def horde(self):
        return self.opened.horde

    async def place(self, **body):
        reply = await self.api.post(
            f"{API}/generate/async", json={"prompt": "a fox"} | body, headers=ADMIN
        )
        assert reply.status_code == 202, reply.text
        return reply.json()["id"]

    async def pop(self, name="attic", headers=ADMIN):
        reply = await self.api.post(
            f"{API}/generate/pop", json=POP | {"name": name}, headers=headers
        )
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def submit(self, job_id, picture=None):
        generation = base64.b64encode(picture or a_picture()).decode()
        return await self.api.post(
            f"{API}/generate/submit",
            json={"id": job_id, "generation": generation, "seed": 1},
            headers=ADMIN,
        )

    async def check(self, request_id):
        return (await self.api.get(f"{API}/generate/check/{request_id}")).json()


@contextlib.asynccontextmanager
async def a_process(settings):
    async with open_horde(settings, "http://horde.test", clock=SystemClock()) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as api:
            yield Process(opened, api, Sweeper(opened.horde, opened.elsewhere))


@pytest.fixture
def url(postgres):
    url = postgres.new()
    yield url
    postgres.drop(url)


@pytest.fixture
def shared(tmp_path, url):
    return ServerSettings(
        data=str(tmp_path / "horde"),
        admin_key=ADMIN_KEY,
        rate_limits=False,
        database=url,
        database_connections=4,
    )


@pytest.fixture
async def one(shared):
    async with a_process(shared) as process:
        yield process


@pytest.fixture
async def two(one, shared):
    async with a_process(shared) as process:
        yield process


# Tidings


async def test_a_request_reaches_a_worker_that_waits_at_another_process(one, two):
    waits = asyncio.create_task(
        two.api.post(f"{API}/generate/pop", json=POP, headers=ADMIN | {"Prefer": "wait=30"})
    )
    await until(lambda: two.horde.idle.waiters)
    request_id = await one.place()
    job = (await waits).json()
    assert job["id"]
    await until(lambda: request_id not in one.horde.lanes.requests)
    assert await one.check(request_id) | {"processing": 1, "waiting": 0} == await one.check(
        request_id
    )


async def test_a_key_that_one_process_replaced_stops_at_the_other(one, two):
    told = (await one.api.post("/register", json={"username": "ada"})).json()
    old = {"apikey": told["api_key"]}
    assert (await two.api.get(f"{API}/find_user", headers=old)).status_code == 200
    # What the other remembers would be believed for a second; the clock that says so stands still.
    two.horde.known.users.believed_ms = 3_600_000
    assert (await one.api.post(f"{API}/users/{told['id']}/key", headers=old)).status_code == 200
    await until(lambda: told["id"] not in two.horde.known.callers)
    assert (await two.api.get(f"{API}/find_user", headers=old)).status_code == 404


async def test_who_waits_at_one_process_hears_of_a_picture_brought_to_another(one, two):
    request_id = await one.place()
    await until(lambda: request_id in two.horde.lanes.requests)
    job = await two.pop()
    await until(lambda: one.horde.running.job(job["id"]))
    version = (await one.api.get(f"{API}/generate/check/{request_id}")).headers["etag"]
    waits = asyncio.create_task(
        one.api.get(
            f"{API}/generate/check/{request_id}",
            headers={"Prefer": "wait=30", "If-None-Match": version},
        )
    )
    await until(lambda: one.horde.wakeups.many)
    assert (await two.submit(job["id"])).status_code == 200
    assert (await waits).json()["done"] is True
    await until(lambda: not one.horde.running.by_id)
    status = (await one.api.get(f"{API}/generate/status/{request_id}")).json()
    assert base64.b64decode(status["generations"][0]["img"]) == a_picture()


async def test_what_is_cancelled_at_one_process_is_handed_out_by_none(one, two):
    request_id = await one.place(params={"n": 3})
    await until(lambda: request_id in two.horde.lanes.requests)
    await one.api.delete(f"{API}/generate/status/{request_id}")
    await until(lambda: request_id not in two.horde.lanes.requests)
    assert (await two.pop())["id"] is None


async def test_a_job_that_failed_at_one_process_is_offered_to_others_first_at_all(one, two):
    request_id = await one.place()
    job = await one.pop("attic")
    body = {"id": job["id"], "state": "faulted", "generation": "faulted", "seed": 1}
    await one.api.post(f"{API}/generate/submit", json=body, headers=ADMIN)
    await until(lambda: two.horde.failures.get(request_id))
    assert two.horde.failures[request_id] == one.horde.failures[request_id]


async def test_many_workers_at_two_processes_get_each_picture_once(one, two):
    for process in (one, two, one, two):
        await process.place(params={"n": 4})
    both = [one, two]
    await until(lambda: all(len(each.horde.lanes.requests) == 4 for each in both))
    jobs = []

    async def work(process, name):
        while job := (await process.pop(name))["id"]:
            jobs.append(job)
            assert (await process.submit(job)).status_code == 200

    names = [(each, f"w{number}{at}") for at, each in enumerate(both) for number in range(4)]
    await asyncio.gather(*(work(process, name) for process, name in names))
    assert len(jobs) == len(set(jobs)) == 16
    await until(lambda: not any(each.horde.lanes.requests for each in both))
    assert await one.horde.read(ledger.audit) == []


async def test_processes_that_reach_for_the_same_head_choose_among_a_few(one, two):
    for _ in range(30):
        await one.place()
    both = [one, two]
    await until(lambda: len(two.horde.lanes.requests) == 30)
    spreads = []

    async def work(process, name):
        while (await process.pop(name))["id"]:
            spreads.append(process.horde.spread)

    await asyncio.gather(*(work(each, f"w{n}{at}") for at, each in enumerate(both) for n in "abcd"))
    assert len(spreads) == 30
    assert max(spreads) > 1
    assert not one.horde.lanes.requests
    assert not two.horde.lanes.requests


# What is lost heals


def deaf(process, monkeypatch):
    """From now on this process hears nothing."""
    monkeypatch.setattr(process.horde.tidings.channel, "on_text", lambda text: None)


async def test_tidings_that_were_lost_are_found_in_the_database(one, two, monkeypatch):
    gone = await one.place()
    await until(lambda: gone in two.horde.lanes.requests)
    deaf(two, monkeypatch)
    await one.api.delete(f"{API}/generate/status/{gone}")
    kept = await one.place()
    await two.opened.elsewhere.round()
    assert set(two.horde.lanes.requests) == {kept}


async def test_a_gap_makes_a_process_compare_everything(one, two, monkeypatch):
    monkeypatch.setattr("ordu.engine.elsewhere.PAGE", 2)
    first = await one.place()
    await until(lambda: first in two.horde.lanes.requests)
    deaf(two, monkeypatch)
    lost = [await one.place() for _ in range(5)]
    await asyncio.sleep(0.1)  # the notices have come and were not heard
    monkeypatch.undo()
    last = await one.place()
    await until(lambda: two.opened.elsewhere.is_behind)
    monkeypatch.setattr("ordu.engine.elsewhere.PAGE", 2)
    await two.opened.elsewhere.round()
    assert set(two.horde.lanes.requests) == {first, *lost, last}


async def test_a_channel_that_was_cut_comes_back_and_catches_up(one, two, postgres):
    channel = two.horde.tidings.channel
    before = channel.connection
    await one.horde.read(
        lambda tx: tx.all(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'ordu channel' AND datname = current_database()"
        )
    )
    await until(lambda: channel.connection is not before)
    await until(lambda: two.opened.elsewhere.is_behind)
    request_id = await one.place()
    await two.opened.elsewhere.round()
    assert request_id in two.horde.lanes.requests
    await until(lambda: one.horde.is_keeper != two.horde.is_keeper)


async def thorough_round(process):
    """The round in which also what changes seldom is compared."""
    process.opened.elsewhere.rounds = RARELY - 1
    await process.opened.elsewhere.round()


async def test_changes_of_workers_and_modes_that_were_lost_are_found(one, two, monkeypatch):
    paused, removed = [await a_known_worker(one, two, name) for name in ("attic", "loft")]
    deaf(two, monkeypatch)
    await one.api.put(f"{API}/workers/{paused}", json={"paused": True}, headers=ADMIN)
    await one.api.delete(f"{API}/workers/{removed}", headers=ADMIN)
    await one.api.put(f"{API}/status/modes", json={"raid_mode": True}, headers=ADMIN)
    await thorough_round(two)
    assert two.horde.presence.by_id[paused].is_paused
    assert removed not in two.horde.presence.by_id
    assert two.horde.modes["raid_mode"]


async def a_known_worker(one, two, name):
    """A worker that both know of; returns its id."""
    await one.pop(name)
    await one.sweeper.sweep()
    await two.opened.elsewhere.round()
    return two.horde.presence.by_name[name].id


async def test_failures_of_requests_that_are_gone_are_forgotten(one, two):
    two.horde.failures["gone"] = {"attic"}
    kept = await one.place()
    two.horde.failures[kept] = {"attic"}
    await thorough_round(two)
    assert set(two.horde.failures) == {kept}


async def test_time_that_one_process_has_counted_is_not_taken_by_another(one, two):
    worker = await a_known_worker(one, two, "attic")
    one.horde.presence.by_id[worker].uptime_s = 500
    for process in (one, two):  # the second was there later, and knows of less time
        await process.pop("attic")
        await process.sweeper.sweep()
        if process is one:
            two.horde.presence.by_id[worker].uptime_s = 0
    row = await one.horde.read(lambda tx: workers.by_id(tx, worker))
    assert row.uptime_s == 500


async def test_jobs_that_run_elsewhere_are_known_and_forgotten(one, two, monkeypatch):
    deaf(two, monkeypatch)
    await one.place()
    job = await one.pop()
    await two.opened.elsewhere.compare_jobs()
    assert two.horde.running.job(job["id"])
    await one.submit(job["id"])
    await two.opened.elsewhere.compare_jobs()
    assert not two.horde.running.by_id


def mute(process, monkeypatch):
    """From now on this process tells nothing, like one that is killed after each commit."""
    monkeypatch.setattr(process.horde.tidings.channel, "send", lambda text: None)


async def test_a_worker_that_waits_gets_what_nobody_told_of(one, two, monkeypatch):
    waits = asyncio.create_task(
        two.api.post(f"{API}/generate/pop", json=POP, headers=ADMIN | {"Prefer": "wait=60"})
    )
    await until(lambda: two.horde.idle.waiters)
    (waiter,) = two.horde.idle.waiters
    mute(one, monkeypatch)
    await one.place()
    await two.opened.elsewhere.round()
    assert waiter.event.is_set(), "else it looks by itself, seconds later"
    assert (await waits).json()["id"]


async def test_who_waits_for_a_picture_hears_of_it_though_nobody_told(one, two, monkeypatch):
    request_id = await one.place()
    await until(lambda: request_id in two.horde.lanes.requests)
    job = await one.pop()
    await until(lambda: two.horde.running.job(job["id"]))
    version = (await two.api.get(f"{API}/generate/check/{request_id}")).headers["etag"]
    waits = asyncio.create_task(
        two.api.get(
            f"{API}/generate/check/{request_id}",
            headers={"Prefer": "wait=60", "If-None-Match": version},
        )
    )
    await until(lambda: two.horde.wakeups.many)
    mute(one, monkeypatch)
    assert (await one.submit(job["id"])).status_code == 200
    await two.opened.elsewhere.compare_jobs()
    async with asyncio.timeout(20):
        assert (await waits).json()["done"] is True


async def unreachable(operation):
    raise unavailable("The database is away.")


async def test_tidings_that_could_not_be_read_up_on_are_made_good(one, two, monkeypatch):
    monkeypatch.setattr(two.horde.database, "read", unreachable)
    request_id = await one.place()
    await until(lambda: two.opened.elsewhere.is_behind)
    monkeypatch.undo()
    await two.opened.elsewhere.round()
    assert request_id in two.horde.lanes.requests


async def test_a_comparison_that_fails_is_made_again(two, monkeypatch):
    elsewhere = two.opened.elsewhere
    elsewhere.missed()
    monkeypatch.setattr(elsewhere, "compare_jobs", lambda: unreachable(None))
    with pytest.raises(Refused):
        await elsewhere.round()
    assert elsewhere.is_behind
    monkeypatch.undo()
    await elsewhere.round()
    assert not elsewhere.is_behind


# What they share


async def test_there_is_one_keeper_and_another_takes_over(shared, one):
    await until(lambda: one.horde.is_keeper)
    async with a_process(shared) as other, a_process(shared) as third:
        await third.sweeper.sweep()
        assert (other.horde.is_keeper, third.horde.is_keeper) == (False, False)
        await one.horde.tidings.channel.stop()
        await until(lambda: other.horde.is_keeper or third.horde.is_keeper)
        assert other.horde.is_keeper != third.horde.is_keeper


async def test_a_worker_that_pops_at_one_process_is_here_for_all(one, two):
    await one.pop("attic")
    await one.sweeper.sweep()
    await two.sweeper.sweep()
    (worker,) = two.horde.online()
    assert worker.name == "attic"
    request_id = await two.place()
    assert (await two.check(request_id))["is_possible"] is True


async def test_maintenance_of_a_worker_holds_at_all_processes(one, two):
    await one.pop("attic")
    await two.pop("attic")
    worker_id = one.horde.presence.by_name["attic"].id
    await one.api.put(f"{API}/workers/{worker_id}", json={"maintenance": True}, headers=ADMIN)
    await until(lambda: two.horde.presence.by_id[worker_id].maintenance_text)
    await one.api.delete(f"{API}/workers/{worker_id}", headers=ADMIN)
    await until(lambda: worker_id not in two.horde.presence.by_id)


async def test_modes_of_the_horde_hold_at_all_processes(one, two):
    await one.api.put(f"{API}/status/modes", json={"maintenance": True}, headers=ADMIN)
    await until(lambda: two.horde.modes["maintenance_mode"])
    reply = await two.api.post(f"{API}/generate/async", json={"prompt": "x"}, headers=ADMIN)
    assert reply.json()["rc"] == "MaintenanceMode"


async def test_calls_are_counted_over_all_processes(shared, url):
    settings = msgspec.structs.replace(shared, rate_limits=True)
    async with a_process(settings) as one, a_process(settings) as two:
        answers = []
        for number in range(20):
            process = (one, two)[number % 2]
            answers.append(await process.api.post("/register", json={"username": "x"}))
            await asyncio.sleep(0.02)  # the time that telling takes
        allowed = [each.status_code for each in answers].count(200)
        limit = int(answers[0].headers["x-ratelimit-limit"])
        assert limit <= allowed < limit + 2 * max(1, limit // 8) + 2
        assert answers[-1].json()["rc"] == "RateLimited"


async def test_a_time_out_of_an_address_holds_at_all_processes(one, two):
    one.horde.tell(offence := offended("8.8.8.8", one.horde.now()))
    await until(lambda: two.horde.timeouts.records)
    assert two.horde.timeouts.records["8.8.8.8"].until > offence.at
    assert two.horde.timeouts.records["8.8.8.8"].until < offence.at + DAY_MS


def offended(address, at):
    from ordu.engine.tidings import Offended

    return Offended(address, at)


@pytest.mark.parametrize("times", range(3))
async def test_of_two_pictures_of_one_job_the_paid_one_is_shown(one, two, times):
    request_id = await one.place()
    job = await one.pop()
    await until(lambda: two.horde.running.job(job["id"]))
    colours = {one: a_picture(colour="red"), two: a_picture(colour="blue")}
    answers = await asyncio.gather(*(each.submit(job["id"], colours[each]) for each in colours))
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) == [200, 404] or sorted(codes) == [200, 400], codes
    paid = list(colours.values())[codes.index(200)]
    status = (await two.api.get(f"{API}/generate/status/{request_id}")).json()
    assert base64.b64decode(status["generations"][0]["img"]) == paid
    assert await one.horde.read(ledger.audit) == []


async def test_many_who_register_at_once_get_numbers_of_their_own(one, two):
    names = [f"user {number}" for number in range(40)]
    answers = await asyncio.gather(
        *(
            (one, two)[number % 2].api.post("/register", json={"username": name})
            for number, name in enumerate(names)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 40


# Calls made again


AGAIN = {"Idempotency-Key": "3f1c7a52-98e0-4b6d-9a42-0c5e77f1b2aa"}


@pytest.mark.parametrize(
    ("path", "body", "table"),
    [
        (f"{API}/generate/async", {"prompt": "a fox"}, "requests"),
        ("/register", {"username": "ferris"}, "users WHERE id > 1"),
        (f"{API}/kudos/award", {"username": "1", "amount": 5}, "entries"),
    ],
    ids=["a request", "an account", "an award"],
)
async def test_twins_at_several_processes_have_one_effect_and_one_answer(
    one, two, path, body, table
):
    calls = [
        each.api.post(path, json=body, headers=ADMIN | AGAIN)
        for _ in range(4)
        for each in (one, two)
    ]
    replies = await asyncio.gather(*calls)
    assert len({reply.content for reply in replies}) == 1
    assert replies[0].status_code < 300
    replayed = [reply.headers.get("Idempotency-Replayed") for reply in replies]
    assert sorted(replayed, key=str) == [None] + ["true"] * 7
    row = await one.horde.read(lambda tx: tx.one(f"SELECT COUNT(*) AS many FROM {table}"))
    assert row["many"] == 1


async def test_a_call_that_waits_may_be_made_again_at_another_process(one, two):
    await one.pop()
    ask = {"prompt": "a fox"}
    first = asyncio.ensure_future(
        one.api.post(f"{API}/generate/sync", json=ask, headers=ADMIN | AGAIN)
    )
    await until(lambda: one.horde.sync_waits.taken)
    second = asyncio.ensure_future(
        two.api.post(f"{API}/generate/sync", json=ask, headers=ADMIN | AGAIN)
    )
    await until(lambda: two.horde.sync_waits.taken)
    job = await one.pop()
    await one.submit(job["id"])
    replies = [(await call).json() for call in (first, second)]
    assert replies[0]["generations"] == replies[1]["generations"] != []


# Samples


async def test_a_sample_is_of_the_whole_horde_and_written_once(one, two):
    """What both did in a minute is in the one row that the keeper writes."""
    clock = HandClock(one.horde.now() // 60_000 * 60_000 + 10_000)
    for process, name in ((one, "attic"), (two, "cellar")):
        process.horde.clock = clock
        await process.place()
        job = await process.pop(name)
        assert (await process.submit(job["id"])).status_code == 200
    await one.place(params={"n": 3})
    await until(lambda: two.horde.lanes.jobs == one.horde.lanes.jobs == 3)
    await until(lambda: one.horde.is_keeper != two.horde.is_keeper)
    for _ in range(3):
        for process in (one, two):
            await process.sweeper.sweep()
        clock.forward(s=30)
    for process in (one, two):
        (point,) = (await process.api.get(f"{API}/status/history")).json()["points"]
        assert (point["images"], point["waiting"], point["workers"]) == (2, 3, 2)
    rows = await one.horde.read(lambda tx: tx.all("SELECT samples FROM samples"))
    assert [row["samples"] for row in rows] == [1, 1, 1, 1]
