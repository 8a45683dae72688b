"""Estimates: when something starts, when it is done, what a worker could earn.

Pure arithmetic over what is known of workers taken together. Nothing here is a promise: workers
come, go and change their pace.
"""

from dataclasses import dataclass

SECONDS_AN_HOUR = 3600
SOONER_S_MIN = 1.0  # what counts as sooner


@dataclass(frozen=True)
class Crew:
    """Workers taken together: how many pictures at once, how fast, and what they are at."""

    threads: int
    speed: float  # things per second of all of these threads
    jobs_busy: int
    work_busy: float


@dataclass(frozen=True)
class Before:
    """What goes before something: how many pictures, and how much work they are."""

    jobs: int = 0
    work: int = 0


def starts_s(crew: Crew, before: Before) -> float | None:
    """Seconds until the first picture of something begins; None when nobody could draw it."""
    if not crew.threads:
        return None
    if crew.jobs_busy + before.jobs < crew.threads:
        return 0.0
    return (crew.work_busy + before.work) / crew.speed


def takes_s(crew: Crew, before: Before, pictures: int, work: float) -> float | None:
    """Seconds until so many pictures of this work each are done; None when nobody could.

    What goes before goes at the speed of all; then what waits, at that of as many threads as can
    be at it at once. When some are free for all of it, it need not wait for the others.
    """
    if not crew.threads:
        return None
    speed = crew.speed / crew.threads
    seconds = pictures * work / (speed * min(crew.threads, pictures))
    if crew.jobs_busy + before.jobs + pictures > crew.threads:
        seconds += (crew.work_busy + before.work) / crew.speed
    return seconds


def is_sooner(then: float | None, now: float | None) -> bool:
    """Whether something that starts after so many seconds then starts sooner than now."""
    if then is None:
        return False
    return now is None or then <= now - SOONER_S_MIN


def work_in_an_hour(speed: float, waiting: int, speed_of_others: float) -> float:
    """How much of what waits a worker of this speed would do in an hour.

    No more than it can do in that time, and no more than its share of what waits: that is divided
    by speed among all who could do it. What will be asked for in that hour is not guessed.
    """
    share = waiting * speed / (speed + speed_of_others)
    return min(speed * SECONDS_AN_HOUR, share)
