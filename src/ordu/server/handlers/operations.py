"""What those who run the horde look at: `/operations/…`."""

from ordu import __version__
from ordu.engine import acts, auditing
from ordu.engine.acts import Told
from ordu.engine.auditing import Books
from ordu.engine.horde import Horde
from ordu.protocol import operations
from ordu.protocol.acts import ActChange, ActTarget, HordeAct, HordeActs
from ordu.protocol.running import BooksHealth, HordeHealth, HordeSetting, PicturesHealth
from ordu.rules import rights
from ordu.rules.money import ADMINISTRATOR
from ordu.server.call import Call, handles
from ordu.server.queries import limit_of, moment_of
from ordu.server.views import iso_date
from ordu.settings import Setting, describe
from ordu.settings.setting import as_text
from ordu.store import made, users, webhooks
from ordu.store.acts import Wanted
from ordu.store.database import Transaction
from ordu.store.migrations import NEWEST

PAGE_USUAL = 50


# The log of acts


@handles(operations.get_horde_audit)
async def get_horde_audit(call: Call[None]) -> HordeActs:
    """A part of the log of acts, newest first."""
    rights.check(rights.SEE_ACTS, call.stands(ADMINISTRATOR), "see the log of acts")
    limit = limit_of(call, usual=PAGE_USUAL, most=acts.PAGE_MAX)
    told, following = await acts.page(call.horde, wanted(call), call.query.get("cursor"), limit)
    return HordeActs(acts=[act_view(each) for each in told], next=following)


def wanted(call: Call[None]) -> Wanted:
    """Which acts the caller looks for.

    Raises:
        Refused: BadParameter.
    """
    query = call.query
    kind, _, target_id = query.get("target", "").partition(":")
    actor = query.get("actor")
    return Wanted(
        actor_id=None if actor is None else acts.actor_of(actor),
        operation=query.get("operation"),
        target_kind=kind or None,
        target_id=target_id or None,
        since=moment_of(call, "since"),
        until=moment_of(call, "until"),
    )


def act_view(told: Told) -> HordeAct:
    """An act on the wire."""
    act = told.act
    return HordeAct(
        id=act.id,
        date=iso_date(act.created_at),
        who=told.actor,
        operation=act.operation,
        target=ActTarget(kind=act.target_kind, id=act.target_id, name=act.target_name),
        changes=[
            ActChange(field=each.field, before=each.before, after=each.after)
            for each in act.changes
        ],
        reason=act.reason,
    )


# Settings


@handles(operations.get_horde_settings)
async def get_horde_settings(call: Call[None]) -> list[HordeSetting]:
    """The settings that the server runs with."""
    rights.check(rights.SEE_SETTINGS, call.stands(ADMINISTRATOR), "see the settings in force")
    settings = call.horde.settings
    return [setting_view(call.horde, each) for each in describe(type(settings))]


def setting_view(horde: Horde, setting: Setting) -> HordeSetting:
    """One setting on the wire; of a secret only whether it is set."""
    origin = horde.origins.get(setting.name)
    return HordeSetting(
        name=setting.name,
        value=setting.shown_in(horde.settings),
        default="" if setting.is_secret else as_text(setting.default),
        source="default" if origin is None else origin.source.value,
        origin="default" if origin is None else origin.words,
        meaning=setting.description,
        takes=setting.type_words,
        unit=setting.unit,
    )


# Health


@handles(operations.get_horde_health)
async def get_horde_health(call: Call[None]) -> HordeHealth:
    """How the horde is."""
    rights.check(rights.SEE_HEALTH, call.stands(ADMINISTRATOR), "see how the horde is")
    horde = call.horde
    now = horde.now()
    handing_out_ms = horde.tally.handing_out_ms()

    def read(tx: Transaction) -> tuple[made.Made, Books | None, int, int]:
        day = made.totals(tx, now)["day"]
        return day, auditing.found(tx), users.newest_id(tx), webhooks.waiting(tx)

    day, books, newest_user, messages = await horde.read(read)
    return HordeHealth(
        version=__version__,
        started=iso_date(horde.started_at),
        uptime_s=(now - horde.started_at) // 1000,
        database="postgresql" if horde.settings.is_postgres else "sqlite",
        schema=NEWEST,
        writes_waiting=horde.database.waiting,
        handing_out_ms=None if handing_out_ms is None else round(handing_out_ms, 1),
        jobs_handed_out=len(horde.tally.handed_out_s),
        pictures_day=day.pictures,
        faulted_day=day.faulted,
        pictures_waiting=horde.lanes.jobs,
        jobs_running=len(horde.running.by_id),
        workers=sum(1 for _ in horde.presence.here(now)),
        users=newest_user,
        webhooks_waiting=messages,
        books=None if books is None else books_view(books),
        pictures=pictures_view(horde),
    )


def books_view(books: Books) -> BooksHealth:
    """How the books were found, on the wire."""
    return BooksHealth(
        balanced=None if books.wrong is None else books.wrong == 0,
        wrong=books.wrong,
        entries=books.entries,
        checked=iso_date(books.checked_at),
    )


def pictures_view(horde: Horde) -> PicturesHealth:
    """How much room there is for pictures."""
    room = horde.pictures.room()
    if room is None:
        is_s3 = horde.settings.pictures_url().startswith("s3:")
        return PicturesHealth(
            place="s3" if is_s3 else "folder",
            disk_bytes=None,
            free_bytes=None,
            pictures_bytes=None,
        )
    return PicturesHealth(
        place="folder",
        disk_bytes=room.total,
        free_bytes=room.free,
        pictures_bytes=room.pictures,
    )
