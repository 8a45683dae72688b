"""Metrics: `/metrics`, numbers about this process and its horde as Prometheus reads them.

What happened is this process's own; how the horde stands is the same whichever process answers.
Nothing here names a user, a worker or an address.
"""

import hmac
import ipaddress
from functools import lru_cache

from ordu import __version__
from ordu.engine import auditing, sampling
from ordu.engine.auditing import Books
from ordu.engine.horde import Horde
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.server.call import Answer, Call, handles
from ordu.server.exposition import MEDIA_TYPE, Page, by_one, by_two
from ordu.server.vitals import vitals
from ordu.store import facts, ledger, webhooks
from ordu.store.database import Transaction

KUDOS = 100  # hundredths of one
MEGA = 1_000_000
FORWARDED = (b"x-forwarded-for", b"forwarded")


@handles(operations.get_metrics)
async def get_metrics(call: Call[None]) -> Answer:
    """The numbers of this process and of its horde."""
    check_may_read(call)
    page = Page(call.horde.process)
    put_queue(page, call.horde)
    put_done(page, call.horde)
    put_calls(page, call.horde)
    put_database(page, call.horde)
    await put_kept(page, call.horde)
    for vital in vitals():
        page.put(*vital)
    return Answer(content=page.text().encode(), media_type=MEDIA_TYPE)


# Who may


def check_may_read(call: Call[None]) -> None:
    """Refuse all but those from `metrics_hosts` and those with `metrics_token`.

    Raises:
        Refused: Forbidden.
    """
    settings = call.horde.settings
    given = (call.header(b"authorization") or "").removeprefix("Bearer ").strip()
    if settings.metrics_token and hmac.compare_digest(
        given.encode(), settings.metrics_token.encode()
    ):
        return
    # A proxy that nobody has named stands for the whole world, whatever its own address is.
    is_forwarded = any(call.header(name) is not None for name in FORWARDED)
    is_strange = is_forwarded and not settings.trusted_proxies
    client = call.http.scope.get("client")
    if client and not is_strange and is_within(client[0], settings.metrics_hosts):
        return
    raise Refused(
        "Forbidden",
        "These numbers are for the operators. Name your address in the setting `metrics_hosts`, or"
        " send `Authorization: Bearer` with the `metrics_token`.",
    )


@lru_cache(maxsize=64)
def is_within(host: str, networks: tuple[str, ...]) -> bool:
    """Whether this is the address of one of these networks."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(each) for each in networks)


# What there is


def put_queue(page: Page, horde: Horde) -> None:
    """What waits and who is here."""
    stands = sampling.gauges_of(horde)
    image = ("image",)
    kind = ("kind",)
    put = page.put
    put("ordu_info", "gauge", "Which version this is.", {(__version__,): 1}, ("version",))
    put("ordu_pictures_waiting", "gauge", "Pictures that nobody draws yet, in the whole horde.",
        {image: stands.waiting}, kind)  # fmt: skip
    put("ordu_requests_waiting", "gauge", "Requests of which something waits, in the whole horde.",
        {image: len(horde.lanes.requests)}, kind)  # fmt: skip
    put("ordu_waiting_megapixelsteps", "gauge", "How much work waits, in the whole horde.",
        {image: horde.lanes.work / MEGA}, kind)  # fmt: skip
    put("ordu_lanes", "gauge", "Different requirements among what waits.", len(horde.lanes.lanes))
    put("ordu_jobs_running", "gauge", "Pictures that are drawn now, in the whole horde.",
        {image: stands.processing}, kind)  # fmt: skip
    online = stands.workers - stands.workers_paused
    states = {"online": online, "working": stands.workers_busy, "paused": stands.workers_paused}
    put("ordu_workers", "gauge", "Workers that are here: those that take work, those that draw now,"
        " those that are paused or in maintenance.", by_one(states), ("state",))  # fmt: skip
    put("ordu_worker_threads", "gauge", "Pictures that all workers together draw at once.",
        stands.threads)  # fmt: skip
    if stands.wait_s is not None:
        put("ordu_wait_seconds", "gauge", "When an ordinary picture would be there that is asked"
            " for now.", stands.wait_s)  # fmt: skip


def put_done(page: Page, horde: Horde) -> None:
    """What came of it, in this process since it began."""
    tally = horde.tally
    for name, meaning, value in (
        ("ordu_requests_placed_total", "Requests that were placed.", tally.placed),
        ("ordu_pictures_placed_total", "Pictures that were asked for.", tally.pictures_placed),
        ("ordu_jobs_handed_out_total", "Jobs that workers got.", tally.handed_out),
        ("ordu_jobs_settled_total", "Jobs whose picture came.", tally.settled),
        ("ordu_jobs_faulted_total", "Jobs that failed or took too long.", tally.faulted),
        ("ordu_requests_expired_total", "Requests whose time was over.", tally.expired),
        (
            "ordu_settled_megapixelsteps_total",
            "The work of all pictures that came.",
            tally.work_settled / MEGA,
        ),
    ):
        page.put(name, "counter", meaning, value)
    committed = tally.committed
    for name, what, meaning in (
        ("ordu_kudos_minted_total", ledger.MINTED, "Kudos that were made."),
        ("ordu_kudos_burned_total", ledger.BURNED, "Kudos that were taken out of the world."),
        ("ordu_kudos_moved_total", ledger.MOVED, "Kudos that went from one account to another."),
    ):
        page.put(name, "counter", meaning, committed.get(what, 0) / KUDOS)
    for name, meaning, value in (
        (
            "ordu_webhook_delivered_total",
            "Messages to webhooks that their receivers have.",
            tally.delivered,
        ),
        (
            "ordu_webhook_attempts_failed_total",
            "Attempts to deliver to webhooks that failed.",
            tally.failed,
        ),
        (
            "ordu_webhook_given_up_total",
            "Messages to webhooks that failed for good or that nobody wants.",
            tally.given_up,
        ),
    ):
        page.put(name, "counter", meaning, value)


def put_calls(page: Page, horde: Horde) -> None:
    """How calls were answered by this process since it began."""
    tally = horde.tally
    answered = ((name, str(status), many) for (name, status), many in tally.answered.items())
    page.put("ordu_calls_total", "counter", "Calls, by operation and status; 0: nothing was sent.",
             by_two(answered), ("operation", "status"))  # fmt: skip
    page.put("ordu_refusals_total", "counter", "Calls that were refused, by the reason's code.",
             by_one(tally.refused), ("rc",))  # fmt: skip
    page.put_histogram(
        "ordu_call_seconds",
        "How long calls took, by operation; apart from those whose caller wanted to wait.",
        dict(sorted(tally.call_s.items())),
        "operation",
    )
    page.put_histogram(
        "ordu_event_loop_lag_seconds", "How late the event loop was, twice a second.", tally.lag_s
    )


def put_database(page: Page, horde: Horde) -> None:
    """How writing goes."""
    tally, database = horde.tally, horde.database
    open_now, at_work = database.connections()
    page.put_histogram("ordu_commit_seconds", "How long durable commits took.", tally.commit_s)
    page.put_histogram(
        "ordu_commit_operations", "How many operations shared a commit.", tally.group_sizes
    )
    page.put("ordu_writes_waiting", "gauge", "Writes that are not answered yet.", database.waiting)
    page.put("ordu_database_connections", "gauge", "Connections to the database.",
             by_one({"open": open_now, "busy": at_work}), ("state",))  # fmt: skip


async def put_kept(page: Page, horde: Horde) -> None:
    """What is kept: messages, books, pictures, backups."""

    def read(tx: Transaction) -> tuple[int, Books | None, str | None]:
        return webhooks.waiting(tx), auditing.found(tx), facts.get(tx, facts.BACKUP)

    messages, books, backup = await horde.read(read)
    put = page.put
    put("ordu_webhook_waiting", "gauge", "Messages to webhooks that wait, in the whole horde.",
        messages)  # fmt: skip
    if books is not None:
        put("ordu_books_checked_timestamp_seconds", "gauge", "When the books were last proved.",
            books.checked_at / 1000)  # fmt: skip
        if books.wrong is not None:
            put("ordu_books_wrong", "gauge", "How many things were wrong in them.", books.wrong)
    if backup is not None:
        put("ordu_backup_timestamp_seconds", "gauge", "When `ordu backup` last made one.",
            int(backup) / 1000)  # fmt: skip
    room = horde.pictures.room()
    if room is not None:
        put("ordu_disk_free_bytes", "gauge", "Free on the disk where pictures lie.", room.free)
        put("ordu_disk_bytes", "gauge", "The size of that disk.", room.total)
        if room.pictures is not None:
            put("ordu_pictures_bytes", "gauge", "What pictures take of it.", room.pictures)
