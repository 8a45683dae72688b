"""How the horde stood over time, and who gave most this month."""

from datetime import UTC, datetime

import pytest
from tests.api.conftest import ADMIN, ANONYMOUS

from ordu.engine import sweeper
from ordu.engine.sweeper import Sweeper
from ordu.store import givers

pytestmark = pytest.mark.anyio

HISTORY = "/api/v2/status/history"
WORK = 512 * 512 * 30
SIZE = {"n": 1, "width": 512, "height": 512, "steps": 30}
WEEK_S = 7 * 86_400


@pytest.fixture
def chores(horde, clock):
    """The chores of a server that runs on; time passes a minute at a time, from a whole one."""
    clock.forward(s=60 - clock.now() // 1000 % 60)
    keeper = Sweeper(horde)

    async def pass_minutes(count=1):
        for _ in range(count):
            await keeper.sweep()
            clock.forward(s=60)
            await keeper.sweep()
            clock.forward(s=5)
            await keeper.sweep()
            clock.forward(s=-5)

    return pass_minutes


async def history(api, **query):
    reply = await api.get(HISTORY, params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def iso(moment):
    return datetime.fromtimestamp(moment // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_get_horde_history_of_a_horde_that_has_none(api, clock):
    found = await history(api)
    assert (found["span"], found["step"], found["points"]) == ("hour", 60, [])
    assert found["until"] == iso(clock.now())
    assert found["now"] == {
        "date": iso(clock.now()), "waiting": 0, "processing": 0, "workers": 0,
        "workers_drawing": 0, "threads": 0, "megapixelsteps_per_second": 0.0, "wait_time": None,
    }  # fmt: skip


async def test_get_horde_history(api, clock, chores, ask, pop, submit):
    await chores()
    started = clock.now()
    await ask(params=SIZE | {"n": 3})
    done, begun = await pop(), await pop()
    clock.forward(s=4)
    assert (await submit(done["id"])).status_code == 200
    clock.forward(s=-4)
    await chores()
    found = await history(api)
    assert found["points"][-1] == {
        "start": iso(started), "waiting": 1.0, "waiting_max": 1, "processing": 1.0,
        "workers": 1.0, "threads": 1.0, "images": 1,
        "megapixelsteps_per_second": pytest.approx(WORK / 6e7, 0.01),
        "wait_time": found["points"][-1]["wait_time"],
    }  # fmt: skip
    now = found["now"]
    assert (now["waiting"], now["processing"], now["workers"]) == (1, 1, 1)
    assert (now["workers_drawing"], now["threads"]) == (1, 1)
    assert now["wait_time"] > 0
    assert (await submit(begun["id"])).status_code == 200
    clock.forward(s=2)
    assert (await history(api))["now"]["workers_drawing"] == 0


async def test_get_horde_history_leaves_out_when_no_server_was_there(api, clock, chores):
    await chores(2)
    started = clock.now()
    clock.forward(s=600)  # it was down
    await chores(1)
    starts = [point["start"] for point in (await history(api))["points"]]
    assert starts == [iso(started - 120_000), iso(started - 60_000), iso(started + 600_000)]


@pytest.mark.parametrize(("span", "step"), [("hour", 60), ("day", 900), ("month", 21_600),
                                            ("year", 86_400)])  # fmt: skip
async def test_get_horde_history_in_steps_that_grow(api, chores, span, step):
    await chores(3)
    found = await history(api, span=span)
    assert (found["span"], found["step"]) == (span, step)
    assert sum(1 for _ in found["points"]) == (3 if span == "hour" else 1)


async def test_get_horde_history_of_a_week_earlier(api, clock, chores, ask):
    await chores(1)
    await ask(params=SIZE)
    await chores(6)
    then = await history(api)
    clock.forward(s=WEEK_S)
    await chores(1)
    found = await history(api, before="week")
    assert "now" not in found
    assert found["step"] == 300
    assert found["points"][-1]["waiting"] > 0
    assert found["points"][0]["start"] <= then["points"][-1]["start"] <= found["until"]
    assert (await history(api))["points"][0]["waiting"] == 0, "the request is over by now"


async def test_get_horde_history_refuses_what_is_no_span(api):
    for query in ({"span": "decade"}, {"before": "day"}, {"span": "x" * 9000}):
        reply = await api.get(HISTORY, params=query)
        assert (reply.status_code, reply.json()["rc"]) == (400, "ValidationFailed")
        assert list(reply.json()["errors"]) == list(query)
    assert (await api.get(HISTORY, params={"span": ""})).status_code == 200


async def test_only_the_keeper_writes_samples(api, horde, clock, chores, monkeypatch):
    monkeypatch.setattr(type(horde), "is_keeper", property(lambda _: False))
    await chores(2)
    assert (await history(api))["points"] == []
    monkeypatch.undo()
    await chores(1)
    assert len((await history(api))["points"]) == 1


async def test_a_sample_that_could_not_be_written_is_tried_again(api, horde, clock, monkeypatch):
    keeper = Sweeper(horde)
    for _ in range(2):
        await keeper.sweep()
        clock.forward(s=30)
    write, failures = type(horde).write, []

    async def fails_once(self, operation, *more):
        if operation.__qualname__.startswith("Sampler") and not failures:
            failures.append(operation)
            raise OSError
        return await write(self, operation, *more)

    monkeypatch.setattr(type(horde), "write", fails_once)
    await keeper.sweep()
    assert (len(failures), (await history(api))["points"]) == (1, [])
    for _ in range(2):
        await keeper.sweep()
        assert len((await history(api))["points"]) == 1


async def test_what_a_new_picture_takes_grows_with_what_goes_before(api, clock, ask, pop, submit):
    await pop()
    assert (await history(api))["now"]["wait_time"] is None, "nobody knows how fast it is"
    await draw_one(clock, ask, pop, submit)
    alone = (await history(api))["now"]["wait_time"]
    await ask(headers=ADMIN, params=SIZE | {"n": 5})
    clock.forward(s=2)
    behind = (await history(api))["now"]["wait_time"]
    assert alone == pytest.approx(8)
    assert behind == pytest.approx(6 * alone, rel=0.05)
    clock.forward(s=400)  # the worker is away
    assert (await history(api))["now"]["wait_time"] is None


async def draw_one(clock, ask, pop, submit):
    """One ordinary picture, in eight seconds."""
    await ask(params=SIZE)
    job = await pop()
    clock.forward(s=8)
    assert (await submit(job["id"])).status_code == 200


async def test_who_asks_as_a_guest_goes_after_the_ordinary_picture(api, clock, ask, pop, submit):
    await draw_one(clock, ask, pop, submit)
    alone = (await history(api))["now"]["wait_time"]
    await ask(headers=ANONYMOUS, params=SIZE | {"n": 5})
    clock.forward(s=2)
    assert (await history(api))["now"]["wait_time"] <= 2 * alone


# Who gave most


async def test_get_users_by_what_they_gave_this_month(
    api, horde, clock, register, ask, pop, submit
):
    moss, fern = await register("moss"), await register("fern")
    for headers, pictures in ((moss, 1), (fern, 3)):
        for number in range(pictures):
            await ask(params=SIZE)
            job = await pop(headers, name=f"{number} of {headers['apikey'][:4]}")
            assert (await submit(job["id"], headers)).status_code == 200
    await sweeper.fold_statistics(horde)
    found = (await api.get("/api/v2/users", params={"sort": "month"})).json()
    assert [each["username"] for each in found] == ["fern#3", "moss#2"]
    month = givers.month_of(clock.now())
    assert [each["this_month"]["fulfillments"] for each in found] == [3, 1]
    assert {each["this_month"]["month"] for each in found} == {month}
    earned = [each["this_month"]["kudos"] for each in found]
    assert earned[0] == pytest.approx(3 * earned[1])
    assert earned[1] > 0
    assert (await api.get("/api/v2/users", params={"sort": "month", "page": 2})).json() == []
    for other in ("kudos", "age"):
        users = (await api.get("/api/v2/users", params={"sort": other})).json()
        assert not any("this_month" in each for each in users)


async def test_a_new_month_begins_with_nothing(api, horde, clock, ask, pop, submit):
    await ask(params=SIZE)
    assert (await submit((await pop())["id"])).status_code == 200
    await sweeper.fold_statistics(horde)
    assert len((await api.get("/api/v2/users", params={"sort": "month"})).json()) == 1
    clock.forward(s=32 * 86_400)
    assert (await api.get("/api/v2/users", params={"sort": "month"})).json() == []
    await sweeper.forget_old_givers(horde)
    rows = await horde.read(lambda tx: tx.all("SELECT 1 FROM totals WHERE subject LIKE 'gave:%'"))
    assert rows == []


async def test_a_worker_says_that_it_draws(api, ask, pop, submit):
    await ask(params=SIZE)
    job = await pop()
    (worker,) = (await api.get("/api/v2/workers")).json()
    assert worker["drawing"] is True
    assert (await submit(job["id"])).status_code == 200
    (worker,) = (await api.get("/api/v2/workers")).json()
    assert worker["drawing"] is False
