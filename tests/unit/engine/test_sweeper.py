"""Chores: each does its work, and one that fails stops no other."""

import pytest
from tests.builders import a_requirement
from tests.unit.engine.test_verbs import a_user, a_worker, placed, popped

from ordu.engine import end, sweeper
from ordu.protocol.errors import Refused
from ordu.store import stats

pytestmark = pytest.mark.anyio


async def test_pictures_that_belong_to_nothing_are_removed_after_an_hour(horde, clock):
    user = await a_user(horde)
    request = await placed(horde, user)
    job = await popped(horde, await a_worker(horde, user))
    kept = [end.upload_name(job.id), end.source_name(request.id), "young.webp"]
    for name in (*kept[:2], "orphan.webp"):
        await horde.pictures.put(name, b"x")
    clock.forward(s=9000)
    await horde.pictures.put(kept[2], b"x")
    await sweeper.remove_orphans(horde)
    assert await horde.pictures.get("orphan.webp") is None
    assert all([await horde.pictures.get(name) for name in kept])


async def test_a_chore_that_fails_stops_no_other(horde, clock, monkeypatch, caplog):
    request = await placed(horde, await a_user(horde))
    clock.forward(s=1300)

    async def broken(horde):
        raise ZeroDivisionError

    async def refused(horde):
        raise Refused("Unavailable", "The disk is full.")

    monkeypatch.setattr(sweeper, "fail_overdue", broken)
    monkeypatch.setattr(sweeper, "fold_statistics", refused)
    await sweeper.Sweeper(horde).sweep()
    assert request.id not in horde.lanes.requests
    assert "ZeroDivisionError" in caplog.text
    assert "The disk is full." in caplog.text


async def test_statistics_are_folded_whole(horde):
    deltas = [("user:1", "used", 1)] * 7
    await horde.write(lambda tx: stats.append(tx, deltas))
    await sweeper.fold_statistics(horde)
    await horde.write(lambda tx: stats.append(tx, deltas))
    await sweeper.fold_statistics(horde)
    assert await horde.read(lambda tx: stats.of(tx, "user:1")) == {"used": 14}
    assert not await horde.read(stats.has_deltas)


async def test_requirements_that_nobody_has_any_more_are_dropped(horde, clock):
    user = await a_user(horde)
    await placed(horde, user, requirement=a_requirement(nsfw=True))
    await sweeper.forget_lanes(horde)
    assert len(await horde.read(lambda tx: tx.all("SELECT 1 FROM lanes"))) == 1
    clock.forward(s=1300)
    await sweeper.expire_requests(horde)
    await sweeper.forget_lanes(horde)
    assert not await horde.read(lambda tx: tx.all("SELECT 1 FROM lanes"))


async def test_a_worker_that_is_away_is_written_before_it_is_forgotten(horde, clock):
    await a_worker(horde, await a_user(horde), "attic")
    clock.forward(s=400)
    horde.presence.forget_stale(horde.now())
    assert "attic" in horde.presence.by_name
    await sweeper.write_presence(horde)
    assert "attic" not in horde.presence.by_name
