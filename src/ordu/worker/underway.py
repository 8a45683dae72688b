"""What is being made now, and when a device will be free: whether to fetch the next job already.

A job that is fetched too early lies here while another worker could make it; one that is fetched
too late leaves the device idle for a call and a download. So it is fetched when a device is about
to be free. How long a picture still takes is read from its progress, or, for a backend that
reports none, from how fast the last pictures were.
"""

from dataclasses import dataclass

from ordu.client.waiting import Clock
from ordu.worker.backends import Drawing

AHEAD_S = 3.0  # a job is fetched when a device will be free so soon
SHARE_MIN = 0.05  # of a picture; less says nothing about the rest
WORK_MIN = 1e-6  # megapixelsteps
MEMORY = 0.7  # how much the speed so far counts against that of the last picture


@dataclass(slots=True)
class _Making:
    megapixelsteps: float
    began_at: float
    share: float = 0.0


class Underway:
    """The pictures that are being made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._making: dict[str, _Making] = {}
        self._s_per_megapixelstep: float | None = None

    def begin(self, job_id: str, drawing: Drawing) -> None:
        """A device begins with it."""
        self._making[job_id] = _Making(megapixelsteps_of(drawing), self._clock())

    def progress(self, job_id: str, share: float) -> None:
        """So much of it is done, 0 to 1."""
        if (making := self._making.get(job_id)) is not None:
            making.share = min(share, 1.0)

    def end(self, job_id: str, *, is_made: bool) -> float:
        """It is over; how many seconds it took."""
        making = self._making.pop(job_id)
        took_s = self._clock() - making.began_at
        if is_made:
            now = took_s / max(making.megapixelsteps, WORK_MIN)
            before = self._s_per_megapixelstep
            self._s_per_megapixelstep = (
                now if before is None else MEMORY * before + (1 - MEMORY) * now
            )
        return took_s

    def free_soon(self) -> int:
        """How many pictures will be done within `AHEAD_S`."""
        return sum(1 for each in self._rests() if each <= AHEAD_S)

    def next_free_s(self) -> float | None:
        """In how many seconds one more device will be free soon; None when nobody can say."""
        later = [each - AHEAD_S for each in self._rests() if each > AHEAD_S]
        return min(later, default=None)

    def _rests(self) -> list[float]:
        """How many seconds each picture still takes, of those of which it can be said."""
        rests = (self._rest_s(each) for each in self._making.values())
        return [each for each in rests if each is not None]

    def _rest_s(self, making: _Making) -> float | None:
        took_s = self._clock() - making.began_at
        if making.share >= SHARE_MIN:
            return took_s * (1 - making.share) / making.share
        if making.share == 0 and self._s_per_megapixelstep is not None:
            return max(0.0, self._s_per_megapixelstep * making.megapixelsteps - took_s)
        return None


def megapixelsteps_of(drawing: Drawing) -> float:
    """How much work a picture is: millions of pixels times steps."""
    return drawing.width * drawing.height * drawing.steps / 1_000_000
