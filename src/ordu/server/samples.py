"""How the horde stood and stands, as the wire shows it and as its page draws it."""

from datetime import UTC, datetime

from msgspec import UNSET

from ordu.engine.horde import Horde
from ordu.engine.sampling import gauges_of
from ordu.protocol.status import HistoryNow, HistoryPoint, HordeHistory
from ordu.rules.lifecycle import Millis
from ordu.server.views import MEGA
from ordu.store import samples
from ordu.store.samples import Point, Span


async def history_of(horde: Horde, span: Span, *, is_week_earlier: bool = False) -> HordeHistory:
    """How the horde stood in a span that ends now, or a week ago."""
    window = samples.window(span, horde.now(), is_week_earlier=is_week_earlier)
    points = await horde.read(lambda tx: samples.within(tx, window))
    return HordeHistory(
        span=span,
        step=window.step_s,
        since=wire_moment(window.since),
        until=wire_moment(window.until),
        points=[point_view(point) for point in points],
        now=UNSET if is_week_earlier else now_view(horde),
    )


def point_view(point: Point) -> HistoryPoint:
    """A step of time as the wire shows it."""
    return HistoryPoint(
        start=wire_moment(point.start_at),
        waiting=round(point.waiting, 1),
        waiting_max=point.waiting_max,
        processing=round(point.processing, 1),
        workers=round(point.workers, 1),
        threads=round(point.threads, 1),
        megapixelsteps_per_second=speed(point.work_per_s),
        images=point.pictures,
        wait_time=None if point.wait_s is None else round(point.wait_s, 1),
    )


def now_view(horde: Horde) -> HistoryNow:
    """How the horde stands at this moment."""
    gauges = gauges_of(horde)
    return HistoryNow(
        date=wire_moment(horde.now()),
        waiting=gauges.waiting,
        processing=gauges.processing,
        workers=gauges.workers,
        workers_drawing=gauges.workers_busy,
        threads=gauges.threads,
        megapixelsteps_per_second=speed(horde.delivered_in_past_minute() / samples.MINUTE_S),
        wait_time=None if gauges.wait_s is None else round(gauges.wait_s, 1),
    )


def wire_moment(moment: Millis) -> str:
    """A moment to the second, as ISO 8601 writes it."""
    return datetime.fromtimestamp(moment // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def speed(work_per_s: float) -> float:
    """Pixelsteps per second in millions: to two decimals, and slow machines to more."""
    return float(f"{work_per_s / MEGA:.3g}") if work_per_s < MEGA else round(work_per_s / MEGA, 2)
