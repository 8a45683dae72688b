"""Following: how far a followed request is, and the chore that sees it move up in line.

Something that happens to a request itself wakes who follows it. That it moves up because of what
happens to others is seen by this chore, so many requests a round at most, and only when anything
happened in the horde or somebody draws (then waits become shorter by themselves).
"""

import asyncio

from ordu.engine.followed import Followed
from ordu.engine.horde import Horde
from ordu.engine.progress import Progress, progress_of
from ordu.protocol.errors import Refused

LOOKS_MAX = 500  # of a round
LOOKS_TOGETHER = 50  # then somebody else's turn
WAIT_SHARE = 20  # a wait that changed by less than this part is no news

Place = tuple[int, int]  # position in line, and seconds to wait


async def followed_progress(horde: Horde, followed: Followed) -> Progress:
    """How far a followed request is; looked at once for all who follow it.

    Raises:
        Refused: RequestNotFound, when it has expired.
    """
    if followed.progress is not None:
        known: Progress = followed.progress
        return known
    changes = followed.changes
    progress = await progress_of(horde, followed.request_id)
    if followed.changes == changes:
        followed.progress = progress
    return progress


async def look_at_places(horde: Horde) -> None:
    """Look where followed requests stand in line; wake who follows those that moved."""
    followed = horde.followed
    moment = (horde.wakeups.told, horde.version)
    if not followed.due and (moment != followed.moment or horde.running.by_worker):
        followed.moment = moment
        followed.due.extend(followed.requests.values())
    for number in range(min(LOOKS_MAX, len(followed.due))):
        each = followed.due.popleft()
        if each.events:
            await look_at_place(horde, each)
        if number % LOOKS_TOGETHER == LOOKS_TOGETHER - 1:
            await asyncio.sleep(0)


async def look_at_place(horde: Horde, followed: Followed) -> None:
    """Look where one request stands; wake who follows it when that is news."""
    before: Progress | None = followed.progress
    followed.progress = None
    try:
        now = await followed_progress(horde, followed)
    except Refused:
        followed.wake()  # they see that it is gone
        return
    if before is None or is_elsewhere(place_of(before), place_of(now)):
        followed.rounds += 1
        followed.wake()
    elif followed.progress is now:
        followed.progress = before  # so that small changes add up


def place_of(progress: Progress) -> Place:
    """Where a request stands in line, and how long it takes; zeros when nothing of it waits."""
    return (progress.position, progress.wait_s) if progress.position else (0, 0)


def is_elsewhere(before: Place, now: Place) -> bool:
    """Whether a request stands so differently that somebody wants to know."""
    return now[0] != before[0] or abs(now[1] - before[1]) * WAIT_SHARE > before[1]
