"""What the horde has made: `/stats/…`."""

from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.stats import (
    ImgModelStats,
    SinglePeriodImgStat,
    SinglePeriodTxtStat,
    StatsImgTotals,
    StatsTxtTotals,
    TxtModelStats,
)
from ordu.server.call import Call, handles
from ordu.store import made

MODEL_STATES = ("known", "custom", "all")


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
    """How many pictures each model made; as long as there is no list of models, all are known."""
    state = call.query.get("model_state", "known")
    if state not in MODEL_STATES:
        raise Refused(
            "BadRequest", f"`model_state` is one of {', '.join(MODEL_STATES)}; not {state[:40]!r}."
        )
    if state == "custom":
        return ImgModelStats(day={}, month={}, total={})
    now = call.horde.now()
    return ImgModelStats(**await call.horde.read(lambda tx: made.by_model(tx, now)))


@handles(operations.get_text_horde_stats_totals)
async def get_text_horde_stats_totals(_: Call[None]) -> StatsTxtTotals:
    """No texts."""
    none = SinglePeriodTxtStat(requests=0, tokens=0)
    return StatsTxtTotals(minute=none, hour=none, day=none, month=none, total=none)


@handles(operations.get_text_horde_stats_models)
async def get_text_horde_stats_models(_: Call[None]) -> TxtModelStats:
    """No texts of any model."""
    return TxtModelStats(day={}, month={}, total={})
