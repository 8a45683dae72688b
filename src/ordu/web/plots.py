"""Plots: from what is known of a span of time to lines on paper.

Plain geometry in the units of the drawing, so that it can be tested with values; the template (and
`js/horde/plot.js`, which draws the same from the same answers) makes an SVG of it. An axis begins
at zero. Where nothing is known the line has a gap.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# The paper, and the part of it that the lines are drawn in.
WIDTH, HEIGHT = 540, 208
LEFT, RIGHT, TOP, BOTTOM = 48.0, 486.0, 10.0, 172.0
TICKS = 5  # moments that are written below
LINES_MIN = 2  # intervals between grid lines
STEPS = (1, 2, 2.5, 5, 10)  # how much an interval may be, times a power of ten
SMALLEST = 1e-6  # less than that is nothing
TOGETHER = 2.5  # points that are at most so many steps apart are joined


@dataclass(frozen=True)
class Value:
    """What something was at a moment, in seconds since 1970."""

    at_s: float
    value: float


@dataclass(frozen=True)
class Frame:
    """The span of a plot and its height."""

    since_s: float
    until_s: float
    step_s: float
    top: float  # the value of the highest grid line
    interval: float  # between two grid lines

    def x(self, at_s: float) -> float:
        """Where a moment is, from the left."""
        share = (at_s - self.since_s) / max(1.0, self.until_s - self.since_s)
        return rounded(LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share)))

    def y(self, value: float) -> float:
        """Where a value is, from above."""
        return rounded(BOTTOM - (BOTTOM - TOP) * value / self.top)

    @property
    def levels(self) -> list[tuple[float, float]]:
        """The grid lines: the value of each, and where it is."""
        count = round(self.top / self.interval)
        return [
            (level * self.interval, self.y(level * self.interval)) for level in range(count + 1)
        ]

    @property
    def moments(self) -> list[tuple[float, float]]:
        """The moments that are written below, and where each is."""
        span_s = self.until_s - self.since_s
        moments = [self.since_s + span_s * part / (TICKS - 1) for part in range(TICKS)]
        return [(moment, self.x(moment)) for moment in moments]


@dataclass(frozen=True)
class Plot:
    """A drawn plot: a line over its area, perhaps a line to compare with, and where it ends."""

    frame: Frame
    line: str
    area: str
    earlier: str
    end: tuple[float, float] | None


def plot(
    values: Sequence[Value],
    earlier: Sequence[Value],
    *,
    since_s: float,
    until_s: float,
    step_s: float,
    earlier_step_s: float | None = None,
    is_whole: bool = False,
) -> Plot:
    """Draw values, oldest first; `is_whole` where there are no halves of what is counted."""
    highest = max((each.value for each in (*values, *earlier)), default=0.0)
    interval = interval_of(highest, is_whole=is_whole)
    top = interval * max(LINES_MIN, math.ceil(highest / interval))
    frame = Frame(since_s, until_s, step_s, top, interval)
    pieces = list(joined(values, step_s))
    return Plot(
        frame=frame,
        line=lines_of(frame, pieces),
        area=areas_of(frame, pieces),
        earlier=lines_of(frame, joined(earlier, earlier_step_s or step_s)),
        end=(frame.x(values[-1].at_s), frame.y(values[-1].value)) if values else None,
    )


def interval_of(highest: float, *, is_whole: bool) -> float:
    """How far apart the grid lines are, so that there are three or four of them."""
    if highest < SMALLEST:
        return 1.0
    rough = highest / 3
    power = 10.0 ** math.floor(math.log10(rough))
    found = next(step * power for step in STEPS if step * power >= rough * 0.999)
    return max(1.0, math.ceil(found)) if is_whole else found


def joined(values: Iterable[Value], step_s: float) -> Iterator[list[Value]]:
    """The values in pieces: a new one begins where something between is not known."""
    piece: list[Value] = []
    for value in values:
        if piece and value.at_s - piece[-1].at_s > step_s * TOGETHER:
            yield piece
            piece = []
        piece.append(value)
    if piece:
        yield piece


def lines_of(frame: Frame, pieces: Iterable[Sequence[Value]]) -> str:
    """The path of some pieces; a single value is a dot, as the line has round ends."""
    return "".join(f"M{track(frame, piece)}{'h0' * (len(piece) == 1)}" for piece in pieces)


def areas_of(frame: Frame, pieces: Iterable[Sequence[Value]]) -> str:
    """The path of what is below some pieces."""
    return "".join(
        f"M{track(frame, piece)}V{BOTTOM:g}H{frame.x(piece[0].at_s):g}z"
        for piece in pieces
        if len(piece) > 1
    )


def track(frame: Frame, piece: Sequence[Value]) -> str:
    """The points of a piece."""
    return " ".join(f"{frame.x(each.at_s):g} {frame.y(each.value):g}" for each in piece)


def rounded(number: float) -> float:
    """To one decimal, halves upwards as JavaScript does it."""
    return math.floor(number * 10 + 0.5) / 10
