"""Trust and time: who becomes trusted, what is earned by being there, what comes every month.

An untrusted owner gets half of each reward and all uptime rewards as *evaluating kudos*, held in
escrow (`rules.money`). With enough of them, and old enough, the account is trusted and all of it is
spendable (protocol sheet 20 §11).
"""

import calendar
from datetime import UTC, datetime
from enum import StrEnum

from ordu.rules.lifecycle import Millis
from ordu.rules.money import ANONYMOUS, Kudos, UserId, from_whole

DAY_MS = 86_400_000
TRUST_AGE_MS = 7 * DAY_MS
SUSPICION_MAX = 5  # so many counted suspicions make a user or worker suspicious

UPTIME_REWARDED_S = 600  # each time a worker was there for longer than this, it is rewarded
TIMEOUT_STEP_MS = 3 * 60_000


class SuspicionReason(StrEnum):
    """What somebody is suspected for: those of the public servers that can happen here."""

    UNREASONABLY_FAST = "unreasonably_fast"  # deliveries that no machine makes so fast
    CORRUPT_PROMPT = "corrupt_prompt"  # asked for what is not drawn
    TOO_MANY_JOBS_ABORTED = "too_many_jobs_aborted"  # in an hour
    # Above the rates of `rules.results`, in a week:
    PICTURES_OF_OTHER_SIZE = "pictures_of_other_size"
    BLANK_PICTURES = "blank_pictures"
    SOURCES_SENT_BACK = "sources_sent_back"
    REPEATED_PICTURES = "repeated_pictures"


# Each reason counts each time, but this one once for a user or worker.
REPEATED = frozenset(SuspicionReason) - {SuspicionReason.CORRUPT_PROMPT}


def is_suspicious(suspicion: int, *, trusted: bool) -> bool:
    """Whether this many suspicions count; those who are trusted never are suspicious."""
    return suspicion >= SUSPICION_MAX and not trusted


def timeout_ms(offences: int) -> Millis:
    """How long an address has to wait after so many offences in a day: 3, 9, 15 … minutes."""
    return Millis((2 * (offences - 1) + 1) * TIMEOUT_STEP_MS)


def earns_trust(
    user_id: UserId, *, evaluating: Kudos, threshold: Kudos, age_ms: Millis, suspicion: int
) -> bool:
    """Whether a user who is not trusted yet becomes so now."""
    return (
        user_id != ANONYMOUS
        and evaluating >= threshold
        and age_ms >= TRUST_AGE_MS
        and not is_suspicious(suspicion, trusted=False)
    )


def uptime_reward(models: int) -> Kudos:
    """What a worker's owner gets for each ten minutes, by how many models it offers."""
    return from_whole(50 + 2 * models)


def is_month_over(received_at: Millis | None, now: Millis) -> bool:
    """Whether monthly kudos are due: never paid, or a calendar month ago."""
    return received_at is None or month_after(received_at) <= now


def next_payment(received_at: Millis | None, now: Millis) -> Millis:
    """The date that a payment now is for.

    It moves on by exactly a month, so that a late payment makes no later one late.
    """
    return now if received_at is None else month_after(received_at)


def month_after(moment: Millis) -> Millis:
    """The same day and time of the next month, or that month's last day where it is shorter."""
    date = datetime.fromtimestamp(moment / 1000, UTC)
    year, month = (date.year, date.month + 1) if date.month < 12 else (date.year + 1, 1)
    day = min(date.day, calendar.monthrange(year, month)[1])
    return Millis(round(date.replace(year=year, month=month, day=day).timestamp() * 1000))
