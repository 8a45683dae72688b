"""The horde as a whole: `/status/…`."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ordu import __version__
from ordu.engine import keepers, news
from ordu.engine.demand import waiting_by_model
from ordu.engine.horde import Horde
from ordu.engine.news import NewsChange
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.status import (
    ActiveModel,
    DeletedNewspiece,
    Heartbeat,
    HordeHistory,
    HordeModes,
    HordePerformanceStable,
    Newspiece,
    PutHordeModesRequest,
    PutHordeNewsRequest,
)
from ordu.rules import rights
from ordu.rules.money import ADMINISTRATOR
from ordu.rules.rights import MODES_SEEN
from ordu.server import modelstate
from ordu.server.acts import by, reason_in_query
from ordu.server.call import Call, handles
from ordu.server.samples import history_of
from ordu.server.views import mega
from ordu.store import jobs
from ordu.store.news import Newspiece as StoredNewspiece
from ordu.store.news import newest as newest_news
from ordu.store.samples import Span

DIGITS_MAX = 9
COUNT_MAX = 10**DIGITS_MAX - 1
WEEK = "week"
ETA_NEVER_S = 10_000  # when something waits for a model that nobody has


@handles(operations.get_horde_load)
async def get_horde_load(call: Call[None]) -> HordePerformanceStable:
    """How much waits and runs, and who is here to do it."""
    horde = call.horde
    now = horde.now()
    running, running_work = await horde.read(jobs.running_load)
    here = list(horde.presence.here(now))
    return HordePerformanceStable(
        queued_requests=running + horde.lanes.jobs,
        queued_text_requests=0,
        worker_count=len(here),
        text_worker_count=0,
        thread_count=sum(worker.offer.threads for worker in here),
        text_thread_count=0,
        queued_megapixelsteps=mega(running_work + horde.lanes.work),
        past_minute_megapixelsteps=mega(horde.delivered_in_past_minute()),
        queued_forms=0,
        interrogator_count=0,
        interrogator_thread_count=0,
        queued_tokens=0,
        past_minute_tokens=0,
    )


@handles(operations.get_models)
async def get_models(call: Call[None]) -> list[ActiveModel]:
    """The models that workers offer now or that something waits for."""
    is_wanted = modelstate.choice(call, "all")
    if call.query.get("type", "image") != "image":
        return []
    queued, offered = waiting_by_model(call.horde.lanes), offered_models(call.horde)
    least, most = bound(call, "min_count", 0), bound(call, "max_count", COUNT_MAX)
    return [
        active_model(name, offered.get(name, []), *queued.get(name, (0, 0)))
        for name in sorted(offered.keys() | queued.keys())
        if is_wanted(name) and least <= threads_of(offered.get(name, [])) <= most
    ]


@handles(operations.get_model_single)
async def get_model_single(call: Call[None]) -> list[ActiveModel]:
    """One model, as a list of at most one entry."""
    name = call.path["model_name"]
    queued, offered = waiting_by_model(call.horde.lanes), offered_models(call.horde)
    if name not in queued and name not in offered:
        return []
    return [active_model(name, offered.get(name, []), *queued.get(name, (0, 0)))]


def bound(call: Call[None], name: str, otherwise: int) -> int:
    """A whole number in the query, or what holds without one.

    Raises:
        Refused: BadParameter.
    """
    text = call.query.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise Refused("BadParameter", f"`{name}` is a whole number of at most {DIGITS_MAX} digits.")
    return int(text)


def threads_of(offers: Sequence[tuple[int, float]]) -> int:
    """How many pictures workers with these offers make at once."""
    return sum(threads for threads, _ in offers)


def offered_models(horde: Horde) -> dict[str, list[tuple[int, float]]]:
    """For each model, threads and speed of the workers that have it."""
    offered: dict[str, list[tuple[int, float]]] = {}
    for worker in horde.online():
        for model in worker.capability.models:
            offered.setdefault(model, []).append((worker.offer.threads, worker.speed))
    return offered


def active_model(
    name: str, offers: Sequence[tuple[int, float]], waiting: int, work: int
) -> ActiveModel:
    """One model: who offers it, and how many pictures and how much work wait for it."""
    speed = sum(threads * pace for threads, pace in offers)
    mean = sum(pace for _, pace in offers) / len(offers) if offers else 0.0
    eta = 0
    if work:
        eta = int(work / speed) if speed else ETA_NEVER_S
    return ActiveModel(
        name=name,
        count=threads_of(offers),
        performance=round(mean, 1),
        queued=work,
        jobs=waiting,
        eta=eta,
        type="image",
    )


@handles(operations.get_horde_modes)
async def get_horde_modes(call: Call[None]) -> HordeModes:
    """The modes of the horde; raid mode is shown to moderators only."""
    modes = call.horde.modes
    shows_raid = call.stands(ADMINISTRATOR) >= MODES_SEEN["raid_mode"]
    return HordeModes(
        maintenance_mode=modes["maintenance_mode"],
        invite_only_mode=modes["invite_only_mode"],
        raid_mode=modes["raid_mode"] if shows_raid else None,
    )


@handles(operations.put_horde_modes)
async def put_horde_modes(call: Call[PutHordeModesRequest]) -> HordeModes:
    """Switch modes, in the names of either era; answers with those that were named."""
    body = call.body
    named = {
        "maintenance_mode": first(body.maintenance, body.maintenance_mode),
        "invite_only_mode": first(body.invite_only, body.invite_only_mode),
        "raid_mode": first(body.raid, body.raid_mode),
    }
    changes = {mode: is_on for mode, is_on in named.items() if is_on is not None}
    await keepers.set_modes(call.horde, call.user, changes, by(call, body.reason))
    return HordeModes(**named)


def first(*values: bool | None) -> bool | None:
    """The first value that was given."""
    return next((value for value in values if value is not None), None)


@handles(operations.get_horde_news)
async def get_horde_news(call: Call[None]) -> list[Newspiece]:
    """The news, newest first."""
    return [news_view(each) for each in await call.horde.read(newest_news)]


def news_view(piece: StoredNewspiece) -> Newspiece:
    """A piece of news on the wire."""
    return Newspiece(
        date_published=datetime.fromtimestamp(piece.published_at / 1000, UTC).date().isoformat(),
        newspiece=piece.newspiece,
        importance=piece.importance,
        title=piece.title,
        tags=piece.tags,
        more_info_urls=piece.more_info_urls,
        id=piece.id,
    )


@handles(operations.put_horde_news)
async def put_horde_news(call: Call[PutHordeNewsRequest]) -> Newspiece:
    """Publish a piece of news, or change one."""
    rights.check(rights.WRITE_NEWS, call.stands(ADMINISTRATOR), "write news")
    body, act = call.body, by(call, call.body.reason)
    change = NewsChange(
        newspiece=body.newspiece,
        importance=body.importance,
        title=body.title,
        tags=body.tags,
        more_info_urls=body.more_info_urls,
    )
    return news_view(await news.put_news(call.horde, body.id, change, act))


@handles(operations.delete_horde_news)
async def delete_horde_news(call: Call[None]) -> DeletedNewspiece:
    """Take a piece of news back."""
    rights.check(rights.WRITE_NEWS, call.stands(ADMINISTRATOR), "take news back")
    number = bound(call, "id", 0)
    act = by(call, reason_in_query(call))
    await news.delete_news(call.horde, number, act)
    return DeletedNewspiece(deleted_id=number)


@handles(operations.get_horde_history)
async def get_horde_history(call: Call[None]) -> HordeHistory:
    """How the horde stood over time, and how it stands."""
    span = one_of(call, "span", [*Span], Span.HOUR)
    before = one_of(call, "before", [WEEK], None)
    return await history_of(call.horde, Span(str(span)), is_week_earlier=before is not None)


def one_of(
    call: Call[None], name: str, choices: Sequence[str], otherwise: str | None
) -> str | None:
    """A parameter in the query that is one of these, or what holds without one.

    Raises:
        Refused: ValidationFailed.
    """
    text = call.query.get(name, otherwise)
    if text is not None and text not in choices:
        raise Refused(
            "ValidationFailed",
            "Input payload validation failed",
            errors={name: f"{text[:40]!r} is not one of: {', '.join(choices)}."},
        )
    return text


@handles(operations.get_heartbeat)
async def get_heartbeat(call: Call[None]) -> Heartbeat:
    """Whether this server is well."""
    database = call.horde.database
    return Heartbeat(
        message="OK",
        version=__version__,
        queue=database.waiting,
        threads=1,
        active_count=database.waiting,
        db_connection=True,
    )
