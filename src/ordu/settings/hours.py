"""One item of the setting `hours`: what may be written, and the minutes of the week it stands for.

It stands here so that a wrong item is refused when settings are read. What the worker does with
the minutes is `ordu.worker.terms.hours`.
"""

import re

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
WORDS = "items such as 22:00-07:00, Sat-Sun or Mon-Fri 18:00-23:30, with commas between"

_DAY = "|".join(DAYS)
_TIME = r"([01]?[0-9]|2[0-4]):([0-5][0-9])"
_ITEM = re.compile(
    rf"(?:({_DAY})(?:\s*-\s*({_DAY}))?)?(?:(?:^|\s+){_TIME}\s*-\s*{_TIME})?", re.IGNORECASE
)


def minutes_of(item: str) -> frozenset[int]:
    """The minutes of the week, from Monday 00:00 on, that an item stands for.

    A time over midnight belongs to the day it starts on: `Fri 22:00-07:00` ends on Saturday.

    Raises:
        ValueError: it is no such item.
    """
    found = _ITEM.fullmatch(item.strip())
    if found is None or not item.strip():
        raise ValueError(f"{item!r} names no hours")
    first, last, *clock = found.groups()
    begin, end = (
        (0, DAY_MINUTES) if clock[0] is None else (_minute(*clock[:2]), _minute(*clock[2:]))
    )
    if begin in {end, DAY_MINUTES}:
        raise ValueError(f"{item!r} has no beginning before its end")
    length = (end - begin) % DAY_MINUTES or DAY_MINUTES
    return frozenset(
        (day * DAY_MINUTES + begin + minute) % WEEK_MINUTES
        for day in _days(first, last)
        for minute in range(length)
    )


def is_item(item: str) -> bool:
    """Whether this can stand in the setting."""
    try:
        return bool(minutes_of(item))
    except ValueError:
        return False


def _minute(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if minutes > DAY_MINUTES:
        raise ValueError(f"a day has no {hour}:{minute}")
    return minutes


def _days(first: str | None, last: str | None) -> list[int]:
    """Numbers of days, Monday is 0; `Fri-Mon` goes over the end of the week."""
    if first is None:
        return list(range(7))
    begin = DAYS.index(first.lower())
    end = DAYS.index(last.lower()) if last else begin
    return [(begin + each) % 7 for each in range((end - begin) % 7 + 1)]
