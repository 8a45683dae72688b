"""What the horde has made: by minute, hour, day, month and in all, and by model."""

import pytest

from ordu.engine import sweeper
from ordu.server.run import open_horde

pytestmark = pytest.mark.anyio

WORK = 512 * 512 * 30
TOTALS = "/api/v2/stats/img/totals"
MODELS = "/api/v2/stats/img/models"
SPANS = ["minute", "hour", "day", "month", "total"]
DAY_S = 86_400


@pytest.fixture
def make(horde, ask, pop, submit):
    """Have a picture made and counted."""

    async def deliver():
        await ask(params={"n": 1, "width": 512, "height": 512, "steps": 30})
        job = await pop()
        assert (await submit(job["id"])).status_code == 200
        await sweeper.fold_statistics(horde)

    return deliver


async def images(api):
    reply = await api.get(TOTALS)
    assert reply.status_code == 200
    found = reply.json()
    assert list(found) == SPANS
    assert all(each["ps"] == each["images"] * WORK for each in found.values())
    return [each["images"] for each in found.values()]


async def test_get_image_horde_stats_totals(api, horde, clock, make):
    assert await images(api) == [0, 0, 0, 0, 0]
    await make()
    await make()
    assert await images(api) == [0, 2, 2, 2, 2], "the running minute is not whole yet"
    clock.forward(s=60)
    assert await images(api) == [2, 2, 2, 2, 2]
    clock.forward(s=60)
    assert await images(api) == [0, 2, 2, 2, 2]


@pytest.mark.parametrize("chores", [True, False])
async def test_get_image_horde_stats_totals_as_time_goes_by(api, horde, clock, make, chores):
    """What is moved into longer spans is counted as before; nothing is lost or counted twice."""
    await make()
    for after_s, expected in [
        (3600, [0, 1, 1, 1, 1]),
        (60, [0, 0, 1, 1, 1]),
        (23 * 3600 - 60, [0, 0, 1, 1, 1]),
        (3600, [0, 0, 0, 1, 1]),
        (29 * DAY_S - 3600, [0, 0, 0, 1, 1]),
        (DAY_S, [0, 0, 0, 0, 1]),
        (365 * DAY_S, [0, 0, 0, 0, 1]),
    ]:
        clock.forward(s=after_s)
        for _ in range(2 * chores):
            await sweeper.move_old_statistics(horde)
        assert await images(api) == expected, after_s
    await make()
    assert await images(api) == [0, 1, 1, 1, 2]


async def test_what_is_kept_of_what_was_made_is_bounded(horde, clock, make):
    for _ in range(4):
        await make()
        clock.forward(s=61)
    clock.forward(s=40 * DAY_S)
    await sweeper.move_old_statistics(horde)
    rows = await horde.read(
        lambda tx: tx.all("SELECT subject, name, amount FROM totals WHERE subject LIKE 'made:%'")
    )
    assert {(row["subject"], row["name"]): row["amount"] for row in rows} == {
        ("made:t:0000000000", "pictures:stable_diffusion"): 4,
        ("made:t:0000000000", "work"): 4 * WORK,
    }


async def test_what_was_made_survives_a_restart(opened, settings, clock, make, api):
    await make()
    before = (await api.get(MODELS)).json()
    async with open_horde(settings, "http://horde.test", clock=clock) as again:
        from ordu.store import made

        found = await again.horde.read(lambda tx: made.by_model(tx, clock.now()))
    assert found == before


async def test_get_image_horde_stats_models(api, clock, make):
    assert (await api.get(MODELS)).json() == {"day": {}, "month": {}, "total": {}}
    await make()
    await make()
    made = {"stable_diffusion": 2}
    for query in ("?model_state=known", "?model_state=all"):
        reply = await api.get(MODELS + query)
        assert reply.json() == {"day": made, "month": made, "total": made}
    clock.forward(s=2 * DAY_S)
    assert (await api.get(MODELS)).json() == {"day": {}, "month": made, "total": made}
    clock.forward(s=31 * DAY_S)
    assert (await api.get(MODELS)).json() == {"day": {}, "month": {}, "total": made}


async def test_get_image_horde_stats_models_of_a_state(api, make):
    await make()
    reply = await api.get(MODELS, params={"model_state": "custom"})
    assert reply.json() == {"day": {}, "month": {}, "total": {}}
    for unknown in ("Known", "x" * 5000):
        reply = await api.get(MODELS, params={"model_state": unknown})
        assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")
        assert "known, custom, all" in reply.json()["message"]


async def test_a_mask_picks_spans(api, make):
    await make()
    reply = await api.get(TOTALS, headers={"X-Fields": "total{images}"})
    assert reply.json() == {"total": {"images": 1}}
    reply = await api.get(MODELS, headers={"X-Fields": "total"})
    assert reply.json() == {"total": {"stable_diffusion": 1}}


async def test_a_picture_that_is_cancelled_is_not_counted(api, horde, ask, pop):
    placed = await ask()
    await pop()
    assert (await api.delete(f"/api/v2/generate/status/{placed['id']}")).status_code == 200
    await sweeper.fold_statistics(horde)
    assert await images(api) == [0, 0, 0, 0, 0]


async def test_get_text_horde_stats_totals(api):
    none = {"requests": 0, "tokens": 0}
    assert (await api.get("/api/v2/stats/text/totals")).json() == dict.fromkeys(SPANS, none)


async def test_get_text_horde_stats_models(api):
    reply = await api.get("/api/v2/stats/text/models")
    assert reply.json() == {"day": {}, "month": {}, "total": {}}
