"""Hours: at which minutes of the week this machine is lent, by the clock on its wall.

The hours are a table with a yes or no for each minute of the week. A moment is looked up by what a
clock shows at it, so when clocks are turned the hours turn with them: what lies in the hour that is
left out does not happen on that day, and in the hour that comes twice it happens twice.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from ordu.settings.hours import DAY_MINUTES, WEEK_MINUTES, minutes_of

# More than a week: the only opening of a week can lie in the hour that is left out.
LOOK_AHEAD = timedelta(days=15)
MINUTE = timedelta(minutes=1)


class Hours:
    """The hours of a worker; without any item it is always open.

    `zone` is where its clock hangs; None: this machine's own zone.

    Raises:
        ValueError: an item is none, which the settings refuse first.
    """

    def __init__(self, items: Iterable[str] = (), zone: tzinfo | None = None) -> None:
        wanted = frozenset[int]().union(*map(minutes_of, items))
        self._table = [minute in wanted or not wanted for minute in range(WEEK_MINUTES)]
        self._zone = zone
        self._is_always = all(self._table)

    def is_open(self, now: datetime) -> bool:
        """Whether the machine is lent at this moment, which has to know its zone."""
        clock = now.astimezone(self._zone)
        return self._table[clock.weekday() * DAY_MINUTES + clock.hour * 60 + clock.minute]

    def opens_at(self, now: datetime) -> datetime | None:
        """The first moment from now on at which it is open, as the clock shows it then.

        None when that is more than a fortnight away, which no hours are.
        """
        return self._first(now, is_open=True)

    def closes_at(self, now: datetime) -> datetime | None:
        """The first moment from now on at which it is closed; None when it always is open."""
        return None if self._is_always else self._first(now, is_open=False)

    def _first(self, now: datetime, *, is_open: bool) -> datetime | None:
        # Minute by minute: days are not 24 hours long when clocks are turned, minutes are 60 s.
        # A fortnight takes 20,000 steps, some 20 ms, and nobody has to wait for so long.
        if self.is_open(now) is is_open:
            return now.astimezone(self._zone)
        moment = now.astimezone(UTC).replace(second=0, microsecond=0)
        end = moment + LOOK_AHEAD
        while moment < end:
            moment += MINUTE
            if self.is_open(moment) is is_open:
                return moment.astimezone(self._zone)
        return None
