"""What the horde has made: `/stats/…`."""

from ordu.protocol import operations
from ordu.protocol.stats import (
    ImgModelStats,
    SinglePeriodImgStat,
    SinglePeriodTxtStat,
    StatsImgTotals,
    StatsTxtTotals,
    TxtModelStats,
)
from ordu.server import modelstate
from ordu.server.call import Call, handles
from ordu.store import made


@handles(operations.get_image_horde_stats_totals)
async def get_image_horde_stats_totals(call: Call[None]) -> StatsImgTotals:
    """How many pictures were delivered, and how much work they were."""
    now = call.horde.now()
    found = await call.horde.read(lambda tx: made.totals(tx, now))
    spans = {
        span: SinglePeriodImgStat(images=each.pictures, ps=each.work)
        for span, each in found.items()
    }
    return StatsImgTotals(**spans)


@handles(operations.get_image_horde_stats_models)
async def get_image_horde_stats_models(call: Call[None]) -> ImgModelStats:
    """How many pictures each model made."""
    is_wanted = modelstate.choice(call, "known")
    now = call.horde.now()
    spans = await call.horde.read(lambda tx: made.by_model(tx, now))
    return ImgModelStats(
        **{
            span: {name: many for name, many in models.items() if is_wanted(name)}
            for span, models in spans.items()
        }
    )


@handles(operations.get_text_horde_stats_totals)
async def get_text_horde_stats_totals(_: Call[None]) -> StatsTxtTotals:
    """No texts."""
    none = SinglePeriodTxtStat(requests=0, tokens=0)
    return StatsTxtTotals(minute=none, hour=none, day=none, month=none, total=none)


@handles(operations.get_text_horde_stats_models)
async def get_text_horde_stats_models(_: Call[None]) -> TxtModelStats:
    """No texts of any model."""
    return TxtModelStats(day={}, month={}, total={})
