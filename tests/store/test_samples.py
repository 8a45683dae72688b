"""Samples in SQL: sums over minutes in rows of four lengths, forgotten at four ages."""

import pytest
from tests.builders import NOON

from ordu.rules.lifecycle import Millis
from ordu.store import samples
from ordu.store.samples import Gauges, Span, floor, window

pytestmark = pytest.mark.anyio

DAY_MS = 24 * 3600 * 1000
MIDNIGHT = Millis(NOON - NOON % DAY_MS)
HOUR_MS = 3600 * 1000
MINUTE_MS = 60 * 1000


def gauges(**change):
    return Gauges(
        **{"waiting": 4, "processing": 1, "workers": 3, "workers_busy": 1, "workers_paused": 0,
           "threads": 3, "wait_s": 12.0}
        | change
    )  # fmt: skip


async def take(horde, minute, *, pictures=2, work=6_000_000, **change):
    return await horde.write(
        lambda tx: samples.add(tx, Millis(minute), gauges(**change), pictures, work)
    )


async def look(horde, span, now, **more):
    return await horde.read(lambda tx: samples.within(tx, window(span, Millis(now), **more)))


async def test_a_point_is_the_mean_of_its_minutes(horde):
    for minute, waiting, wait_s in [(0, 10, 30.0), (1, 2, None), (2, 3, 60.0)]:
        start = MIDNIGHT + minute * MINUTE_MS
        assert await take(horde, start, waiting=waiting, wait_s=wait_s, pictures=minute)
    (point,) = await look(horde, Span.DAY, MIDNIGHT + 3 * MINUTE_MS)
    assert point.start_at == MIDNIGHT
    assert (point.waiting, point.waiting_max, point.workers) == (5, 10, 3)
    assert (point.pictures, point.wait_s) == (3, 45)
    assert point.work_per_s == 100_000, "three minutes of six megapixelsteps each"
    minutes = await look(horde, Span.HOUR, MIDNIGHT + 3 * MINUTE_MS)
    assert [point.waiting for point in minutes] == [10, 2, 3]
    assert [point.wait_s for point in minutes] == [30, None, 60]


async def test_a_minute_is_sampled_once(horde):
    assert await take(horde, MIDNIGHT, pictures=5)
    assert not await take(horde, MIDNIGHT + 30_000, pictures=7)
    for span in Span:
        (point,) = await look(horde, span, MIDNIGHT + MINUTE_MS)
        assert point.pictures == 5


async def test_what_was_not_sampled_is_a_gap(horde):
    for minute in (0, 1, 7, 30):
        await take(horde, MIDNIGHT + minute * MINUTE_MS)
    minutes = await look(horde, Span.HOUR, MIDNIGHT + HOUR_MS - 1)
    assert [(point.start_at - MIDNIGHT) // MINUTE_MS for point in minutes] == [0, 1, 7, 30]
    (first, later) = await look(horde, Span.DAY, MIDNIGHT + HOUR_MS - 1)
    assert (later.start_at - first.start_at) == 30 * MINUTE_MS
    assert first.work_per_s == later.work_per_s == 100_000, "time without samples slows nothing"


@pytest.mark.parametrize("span", Span)
async def test_a_span_ends_now_and_begins_with_a_step(span):
    now = Millis(MIDNIGHT + 5 * HOUR_MS + 7 * MINUTE_MS + 11_000)
    for is_week_earlier in (False, True):
        view = window(span, now, is_week_earlier=is_week_earlier)
        assert view.until == now - 7 * DAY_MS * is_week_earlier
        assert view.since % (view.step_s * 1000) == 0
        length_ms = samples.LENGTH_S[span] * 1000
        assert length_ms <= view.until - view.since < length_ms + view.step_s * 1000
        kept_ms = samples.KEPT[view.row_s] * 1000
        assert view.since >= floor(now, view.row_s) - kept_ms, "all of it is kept"


async def test_what_is_kept_is_bounded(horde):
    """A year and more of samples every few minutes, and one day of one a minute."""
    moments = [*range(0, 402 * DAY_MS, 3 * HOUR_MS)]
    moments += range(392 * DAY_MS, 402 * DAY_MS, 5 * MINUTE_MS)
    moments += range(401 * DAY_MS, 402 * DAY_MS, MINUTE_MS)
    last = MIDNIGHT + max(moments)

    def fill(tx):
        added = sum(
            samples.add(tx, Millis(MIDNIGHT + each), gauges(), 1, 1) for each in set(moments)
        )
        return added, samples.forget_old(tx, Millis(last))

    added, forgotten = await horde.write(fill)
    rows = await horde.read(
        lambda tx: tx.all(
            "SELECT step_s, COUNT(*) AS kept, MIN(start_at) AS first, SUM(pictures) AS pictures"
            " FROM samples GROUP BY step_s ORDER BY step_s"
        )
    )
    kept = {row["step_s"]: row["kept"] for row in rows}
    assert kept == {60: 121, 300: 2_593, 21_600: 161, 86_400: 401}
    assert sum(kept.values()) == samples.ROWS_MAX == 3_276
    assert forgotten > 0
    for row in rows:
        assert row["first"] >= last - (samples.KEPT[row["step_s"]] + row["step_s"]) * 1000
    assert int(rows[-1]["pictures"]) > added - 402, "old minutes live on in their days"


async def test_old_rows_go_though_nothing_is_sampled(horde):
    await take(horde, MIDNIGHT)
    ages = [(2 * HOUR_MS, 4), (2 * HOUR_MS + MINUTE_MS, 3), (10 * DAY_MS, 2), (50 * DAY_MS, 1),
            (401 * DAY_MS, 0)]  # fmt: skip
    for age_ms, left in ages:
        now = Millis(MIDNIGHT + age_ms)
        await horde.write(lambda tx, now=now: samples.forget_old(tx, now))
        rows = await horde.read(lambda tx: tx.all("SELECT step_s FROM samples"))
        assert len(rows) == left, age_ms
