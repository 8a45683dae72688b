"""A picture of latency over the length of the queue, as SVG that browsers and code hosts show.

Both axes are logarithmic. Each kind of call has a colour; its median is a solid line, its 99th
percentile a dashed one.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from figures import Figure, told

WIDTH, HEIGHT = 820, 460
LEFT, RIGHT, TOP, BOTTOM = 84, 770, 70, 400
COLOURS = ("#b4442c", "#2c6fb4", "#3f8f4f", "#8a5fb0")
PERCENTILES = {"median": "", "p99": ' stroke-dasharray="7 5"'}
TITLE = "How long a call takes as the queue grows (solid: median, dashed: 99th percentile)"
FONT = 'font-family="system-ui, sans-serif" font-size="13" fill="#333"'


class Axis:
    """Values from one power of ten to another, on so many pixels."""

    def __init__(self, values: Iterable[float], start: int, end: int) -> None:
        exponents = [math.log10(value) for value in values]
        self.least = math.floor(min(exponents))
        self.most = max(math.ceil(max(exponents)), self.least + 1)
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        """Where a value lies."""
        share = (math.log10(value) - self.least) / (self.most - self.least)
        return round(self.start + share * (self.end - self.start), 1)

    def marks(self) -> list[float]:
        """The powers of ten."""
        return [10.0**exponent for exponent in range(self.least, self.most + 1)]


def draw(figures: Sequence[Figure]) -> str:
    """The plot of the figures that belong to one."""
    points = [figure for figure in figures if figure.series and figure.waiting]
    across = Axis((figure.waiting for figure in points), LEFT, RIGHT)
    up = Axis((figure.median for figure in points), BOTTOM, TOP)
    kinds = list(dict.fromkeys(kind_of(figure) for figure in points))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text(WIDTH / 2, 22, TITLE, "middle"),
        *axes(across, up),
    ]
    at = LEFT + 10
    for kind, colour in zip(kinds, COLOURS, strict=False):
        parts.append(line(at, 48, at + 26, 48, colour))
        parts.append(text(at + 34, 52, kind))
        at += 60 + 7 * len(kind)  # as long as the words are, about
        for percentile, style in PERCENTILES.items():
            mine = [each for each in points if each.series == f"{kind}, {percentile}"]
            parts += curve(mine, across, up, colour, style)
    return "\n".join([*parts, "</svg>", ""])


def kind_of(figure: Figure) -> str:
    """What kind of call a figure is of."""
    return figure.series.rpartition(", ")[0]


def axes(across: Axis, up: Axis) -> Iterator[str]:
    """Lines of the grid, with what they stand for."""
    for value in across.marks():
        yield line(across.at(value), TOP, across.at(value), BOTTOM, "#ddd", 1)
        yield text(across.at(value), BOTTOM + 20, f"{value:,.0f}", "middle")
    for value in up.marks():
        yield line(LEFT, up.at(value), RIGHT, up.at(value), "#ddd", 1)
        yield text(LEFT - 8, up.at(value) + 4, f"{value:,g} ms", "end")
    yield text((LEFT + RIGHT) / 2, BOTTOM + 44, "requests waiting", "middle")


def curve(mine: list[Figure], across: Axis, up: Axis, colour: str, style: str) -> Iterator[str]:
    """One line, with a dot for each figure that tells its value."""
    places = [(across.at(each.waiting), up.at(each.median)) for each in mine]
    for (x1, y1), (x2, y2) in pairwise(places):
        yield line(x1, y1, x2, y2, colour, 2, style)
    for (x, y), each in zip(places, mine, strict=True):
        told_here = f"{each.name}: {told(each.median)} {each.unit}"
        yield f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"><title>{told_here}</title></circle>'


def line(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 2, style: str = ""
) -> str:
    """A straight line."""
    ends = f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{style}/>'


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """Some words."""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'
