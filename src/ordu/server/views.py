"""Views: users, workers and deliveries as the wire shows them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from msgspec import UNSET

from ordu.engine.horde import Horde
from ordu.engine.presence import Worker
from ordu.protocol.users import (
    ActiveGenerations,
    ContributionsDetailsStable,
    MonthlyKudos,
    RecordedCounts,
    RecordedSizes,
    UsageDetailsStable,
    UserDetailsStable,
    UserKudosDetails,
    UserRecords,
)
from ordu.protocol.workers import (
    TeamReference,
    WorkerDetailsStable,
    WorkerKudosDetails,
    WorkerResults,
)
from ordu.rules import money, names
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import Feature
from ordu.rules.money import ANONYMOUS, Action, Kudos
from ordu.rules.results import DAYS, Finding
from ordu.rules.rights import USER_SEEN, WORKER_SEEN, Standing
from ordu.rules.webhooks import DeliveryState
from ordu.store import identities, requests, results, stats, suspicions, users, workers
from ordu.store.database import Transaction
from ordu.store.users import User
from ordu.store.webhooks import Delivery

MEGA = 1_000_000
ACTIVE_MAX = 500  # ids of requests that a view lists


def wire_date(moment: Millis) -> str:
    """A date as RFC 822 writes it."""
    return format_datetime(datetime.fromtimestamp(moment / 1000, UTC))


def iso_date(moment: Millis) -> str:
    """A date as ISO 8601 writes it, in UTC and to the millisecond."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")


def mega(things: int) -> float:
    """Millions of things, to two decimals."""
    return round(things / MEGA, 2)


def user_view(tx: Transaction, user: User, now: Millis, stands: Standing) -> UserDetailsStable:
    """A user as a caller may see it who stands there (`rights.USER_SEEN`)."""
    totals = stats.of(tx, f"user:{user.id}")
    worker_ids: list[str] = [*workers.of_user(tx, user.id)]

    def shows(field: str) -> bool:
        return stands >= USER_SEEN[field]

    return UserDetailsStable(
        username=names.alias(user.username, user.id),
        id=user.id,
        kudos=money.exact(user.kudos),
        evaluating_kudos=money.exact(user.evaluating_kudos) if shows("evaluating_kudos") else None,
        concurrency=user.concurrency,
        worker_invited=user.worker_invited,
        moderator=user.is_moderator,
        kudos_details=kudos_details(totals),
        worker_count=len(worker_ids),
        worker_ids=worker_ids if user.has_public_workers or shows("worker_ids") else None,
        sharedkey_ids=[] if shows("sharedkey_ids") else None,
        active_generations=active(tx, user) if shows("active_generations") else None,
        monthly_kudos=monthly(user) if shows("monthly_kudos") else None,
        trusted=user.is_trusted,
        suspicious=user.suspicion if shows("suspicious") else None,
        suspicion_reasons=reasons(tx, user) if shows("suspicion_reasons") else None,
        flagged=user.is_flagged,
        vpn=user.is_vpn if shows("vpn") else None,
        service=user.is_service,
        education=user.is_education,
        customizer=user.is_customizer,
        special=user.is_special if shows("special") else None,
        deleted=user.is_deleted,
        pseudonymous=user.id != ANONYMOUS and not identities.has_any(tx, user.id),
        account_age=(now - user.created_at) // 1000,
        contact=user.contact if shows("contact") else None,
        admin_comment=user.admin_comment if shows("admin_comment") else None,
        proxy_passkey=None,  # there are none
        styles=[],
        usage=UsageDetailsStable(
            requests=totals.get("requested", 0), megapixelsteps=mega(totals.get("used", 0))
        ),
        contributions=ContributionsDetailsStable(
            fulfillments=totals.get("fulfilled", 0),
            megapixelsteps=mega(totals.get("contributed", 0)),
        ),
        records=records(totals),
    )


def reasons(tx: Transaction, user: User) -> list[str]:
    """What a user was suspected for, by name; one that was counted more often with how often."""
    found = suspicions.times(tx, suspicions.of_user(user.id))
    return [reason if times == 1 else f"{reason} x{times}" for reason, times in found.items()]


def active(tx: Transaction, user: User) -> ActiveGenerations:
    """A user's requests of which something waits; those of all anonymous callers stay private."""
    waiting = requests.open_of_user(tx, user.id, ACTIVE_MAX) if user.id != ANONYMOUS else []
    return ActiveGenerations(image=list(waiting), text=[], alchemy=[])


def kudos_details(totals: Mapping[str, int]) -> UserKudosDetails:
    """Where a user's kudos came from and went to."""

    def sum_of(action: Action) -> float:
        return money.exact(Kudos(totals.get(f"kudos:{action}", 0)))

    return UserKudosDetails(
        accumulated=sum_of(Action.ACCUMULATED),
        gifted=sum_of(Action.GIFTED),
        donated=sum_of(Action.DONATED),
        admin=sum_of(Action.ADMIN),
        received=sum_of(Action.RECEIVED),
        recurring=sum_of(Action.RECURRING),
        awarded=sum_of(Action.AWARDED),
        styled=0,
    )


def monthly(user: User) -> MonthlyKudos:
    """Kudos that come every month."""
    received = user.monthly_received_at
    return MonthlyKudos(
        amount=user.monthly_kudos // 100,
        last_received=UNSET if received is None else wire_date(received),
    )


def records(totals: Mapping[str, int]) -> UserRecords:
    """A user's records by kind of work."""
    none = RecordedCounts(image=0, text=0, interrogation=0)
    return UserRecords(
        usage=RecordedSizes(megapixelsteps=mega(totals.get("used", 0)), tokens=0),
        contribution=RecordedSizes(megapixelsteps=mega(totals.get("contributed", 0)), tokens=0),
        fulfillment=RecordedCounts(image=totals.get("fulfilled", 0), text=0, interrogation=0),
        request=RecordedCounts(image=totals.get("requested", 0), text=0, interrogation=0),
        style=none,
    )


def worker_view(
    tx: Transaction, horde: Horde, worker: Worker, stands: Standing
) -> WorkerDetailsStable:
    """A worker as a caller may see it who stands there (`rights.WORKER_SEEN`)."""
    totals = stats.of(tx, f"worker:{worker.id}")
    owner = users.by_id(tx, worker.user_id)
    assert owner is not None, "users are never removed"
    capability = worker.capability
    generated = Kudos(totals.get("kudos:generated", 0))
    uptime_kudos = Kudos(totals.get("kudos:uptime", 0))

    def shows(field: str) -> bool:
        return stands >= WORKER_SEEN[field]

    return WorkerDetailsStable(
        type=worker.kind,
        name=worker.name,
        id=worker.id,
        online=horde.presence.is_here(worker, horde.now()),
        requests_fulfilled=totals.get("fulfilled", 0),
        uncompleted_jobs=totals.get("aborted", 0),
        kudos_rewards=money.exact(Kudos(generated + uptime_kudos)),
        kudos_details=WorkerKudosDetails(
            generated=money.exact(generated), uptime=uptime_kudos // 100
        ),
        performance=performance(worker),
        threads=worker.offer.threads,
        uptime=worker.uptime_s,
        drawing=bool(horde.running.of(worker.id)),
        maintenance_mode=worker.maintenance_text is not None,
        paused=worker.is_paused if shows("paused") else None,
        info=worker.info,
        nsfw=capability.nsfw,
        owner=names.alias(owner.username, owner.id)
        if owner.has_public_workers or shows("owner")
        else None,
        trusted=owner.is_trusted,
        flagged=owner.is_flagged,
        suspicious=worker.suspicion if shows("suspicious") else None,
        results=worker_results(tx, worker, horde.now()) if shows("results") else None,
        models=sorted(capability.models),
        team=TeamReference(name=None, id=None),
        messages=[] if shows("messages") else None,
        contact=owner.contact if shows("contact") else None,
        bridge_agent=worker.offer.agent or "unknown:0:unknown",
        max_pixels=capability.pixels_max,
        # Whole ones: horde-sdk reads an integer and refuses the list for a fraction.
        megapixelsteps_generated=float(totals.get("contributed", 0) // MEGA),
        img2img=capability.can(Feature.IMG2IMG),
        painting=capability.can(Feature.PAINTING),
        post_processing=capability.can(Feature.POST_PROCESSING),
        controlnet=capability.can(Feature.CONTROLNET),
        sdxl_controlnet=capability.can(Feature.QR_CODE),
        lora=capability.can(Feature.LORA),
    )


def worker_results(tx: Transaction, worker: Worker, now: Millis) -> WorkerResults:
    """What a worker delivered of late."""
    found = results.in_window(tx, worker.id, now)
    counts = {name: found.get(name, 0) for name in (*results.NAMES, *Finding)}
    return WorkerResults(days=DAYS, **counts)


def performance(worker: Worker) -> str:
    """A worker's speed in words."""
    if not worker.speeds:
        return "No requests fulfilled yet"
    return f"{worker.speed / MEGA:.1f} megapixelsteps per second"


def delivery_fields(delivery: Delivery) -> dict[str, Any]:
    """The fields of a webhook's delivery that the list and the single one share."""
    is_waiting = delivery.state is DeliveryState.WAITING
    return {
        "id": delivery.id,
        "event": delivery.event,
        "request": delivery.request_id,
        "url": delivery.url,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created": iso_date(delivery.created_at),
        "next_attempt": iso_date(delivery.due_at) if is_waiting else None,
        "ended": None if delivery.ended_at is None else iso_date(delivery.ended_at),
    }
