"""The sections of the dashboard, and how they share the lines there are.

Everything here is plain: a view and a size give lines of text, none wider than the screen. When
there is too little room, sections shrink to their first lines and then go, the least important one
first; the order on the screen is another one.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.text import Text

from ordu.cli.console import clean
from ordu.cli.worker.shift import (
    InHand,
    Phase,
    Shift,
    Trouble,
    busy_s,
    kudos_per_hour,
    lived_s,
    rest_s,
    speed,
)
from ordu.cli.worker.words import REASONS, duration, pixels

WIDE = 90  # columns from which on a job is told with its steps and device
VERY_WIDE = 120  # and from which on with the time since it began
BAR_MIN = 6
BAR_MAX = 40
MODEL_MAX = 40
DEVICE_MAX = 16
ELAPSED = 7
REST = 13
JOBS_MIN = 3  # lines, where there are so many
LABEL = 10  # columns
LEAD = 3 + 9 + 6  # columns before and after the bar: margin, phase, percent
SPARE = 4  # lines above the dashboard for what scrolls there, where the screen is high enough
HIGH = 20

LOOKS: Mapping[Phase, str] = {
    Phase.HELD: "dim",
    Phase.DRAWING: "cyan",
    Phase.SENDING: "yellow",
}


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn: who works, what happened, and the time."""

    name: str
    url: str
    backend: str
    shift: Shift
    now: float  # of the shift's clock
    wall: float  # the same moment as a time of day
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Some lines that belong together."""

    lines: Sequence[Text]
    lines_min: int  # fewer say nothing
    rank: int  # 0 stays longest
    head: int = 0  # of the lines, so many are a heading
    has_gap: bool = False  # a blank line above, where there is room


def draw(view: View, width: int, height: int) -> list[Text]:
    """The dashboard for a screen of this size: at most `height` lines, none wider than `width`."""
    jobs = _jobs(view, width)
    room = height - SPARE if height >= HIGH else height - 1
    sections = [
        Section([_rule(view, width)], 1, 0),
        Section([_state(view)], 1, 1),
        Section([_place(view)], 1, 6),
        Section(_figures(view), 3, 3, has_gap=True),
        Section(jobs, min(len(jobs), JOBS_MIN), 2, has_gap=True),
        Section(_reasons(view.shift), 2, 4, head=1, has_gap=True),
        Section(_notices(view.shift), 1, 5, has_gap=True),
        Section([_hint(view.shift)], 1, 7, has_gap=True),
    ]
    lines = _fitted([each for each in sections if each.lines], room)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _fitted(sections: Sequence[Section], room: int) -> list[Text]:
    """What there is room for: first the least of each, then more, then gaps; important ones first.

    The hint stands at the bottom, so that it does not move when something above it comes or goes.
    """
    granted: dict[int, int] = {}
    by_rank = sorted(range(len(sections)), key=lambda place: sections[place].rank)
    for place in by_rank:
        if sections[place].lines_min <= room:
            granted[place] = sections[place].lines_min
            room -= granted[place]
    for place in by_rank:
        if place in granted:
            more = min(len(sections[place].lines) - granted[place], room)
            granted[place] += more
            room -= more
    lines: list[Text] = []
    for place in sorted(granted):
        if sections[place].has_gap and room:
            lines.append(Text())
            room -= 1
        lines += _cut(sections[place], granted[place])
    return lines


def _cut(section: Section, count: int) -> list[Text]:
    """The first lines of a section, and how many more there are where a line can say it."""
    lines = list(section.lines)
    if count >= len(lines) or count - section.head <= 1:
        return lines[:count]
    return [*lines[: count - 1], Text(f"  … and {len(lines) - count + 1} more", "dim")]


# -- sections --------------------------------------------------------------------------------------


def _rule(view: View, width: int) -> Text:
    """The line that parts the dashboard from what scrolls above it."""
    name = _short(clean(view.name), max(width - 36, 10))
    left = f"── ordu worker {name} "
    right = f" up {duration(lived_s(view.shift, view.now))} ──"
    between = "─" * max(width - cell_len(left) - cell_len(right), 0)
    line = Text(left + between + right, "blue")
    line.stylize("bold not dim default", 3, 3 + len("ordu worker ") + len(name))
    return line


def _state(view: View) -> Text:
    """In a line: what the worker does, or what keeps it from working."""
    state, style, more = _said(view)
    return Text.assemble(
        " ", ("● ", style), (state, f"bold {style}"), f"  {clean(more)}" if more else ""
    )


def _said(view: View) -> tuple[str, str, str]:
    """The state, its colour, and what is to be said of it."""
    shift, now = view.shift, view.now
    in_hand = _many(len(shift.jobs), "job") + " in hand" if shift.jobs else ""
    if shift.is_stopping:
        return "stopping", "yellow", f"after {in_hand}" if in_hand else ""
    if shift.lost is not None:
        since = duration(now - shift.lost.since)
        return "lost the horde", "red", f"{since} ago, trying again: {shift.lost.reason}"
    if shift.paused is not None:
        return "paused", "yellow", _pause(view, shift.paused, in_hand)
    if in_hand:
        return "working", "green", in_hand
    return "waiting for work", "green", f"for {duration(now - shift.free_since)}"


def _pause(view: View, pause: Trouble, in_hand: str) -> str:
    """Why and until when."""
    # A gate that knows its end says it in the reason.
    parts = [in_hand, "" if "until" in pause.reason else _end(view, pause)]
    before = ", ".join(part for part in parts if part)
    return f"{before}: {pause.reason}" if before else pause.reason


def _end(view: View, pause: Trouble) -> str:
    left_s = pause.until - view.now
    if math.isinf(left_s):
        return "until its owner says so"
    if left_s <= 0:
        return f"for {duration(view.now - pause.since)}"
    form = "%a %H:%M" if left_s > 20 * 3600 else "%H:%M:%S" if left_s < 100 else "%H:%M"
    return f"until {time.strftime(form, time.localtime(view.wall + left_s))} at least"


def _place(view: View) -> Text:
    """Where the worker works, and with what."""
    devices = view.devices or view.shift.devices
    on = f" on {_listed(devices)}" if any(devices) else ""
    limit = view.shift.max_pixels
    less = f", pictures up to {pixels(limit)} because larger ones did not fit" if limit else ""
    return Text(clean(f"   draws with {view.backend}{on} for {view.url}{less}"))


def _listed(devices: Sequence[str]) -> str:
    if len(devices) <= 4:
        return ", ".join(devices)
    return f"{len(devices)} devices"


def _figures(view: View) -> list[Text]:
    """What was achieved, a line for each figure."""
    shift, now = view.shift, view.now
    per_hour = kudos_per_hour(shift, now)
    kudos = [f"+{shift.kudos:,.12g}"]
    if per_hour is not None:
        kudos.append(f"{per_hour:,.0f} an hour")
    if shift.balance is not None:
        kudos.append(f"owner had {shift.balance:,.12g} at the start")
    counts = [f"{shift.pictures} done"]
    counts += [f"{shift.failed} failed"] * bool(shift.failed)
    counts += [f"{shift.dropped} dropped"] * bool(shift.dropped)
    return [
        _figure("pictures", " · ".join(counts)),
        _figure("kudos", " · ".join(kudos)),
        _figure("speed", _speed(shift, now)),
    ]


def _speed(shift: Shift, now: float) -> str:
    fast = speed(shift, now)
    words = "no picture made lately" if fast is None else f"{fast:.3g} megapixelsteps/s"
    seconds = busy_s(shift, now)
    if not seconds:
        return words
    return f"{words} · busy {seconds / lived_s(shift, now, shift.busy.span_s):.0%}"


def _figure(name: str, value: str) -> Text:
    return Text.assemble("   ", (name.ljust(LABEL), "dim"), value)


def _jobs(view: View, width: int) -> list[Text]:
    """A line with a bar for each job: what is drawn first, what is held last."""
    order = (Phase.DRAWING, Phase.SENDING, Phase.HELD)
    jobs = sorted(view.shift.jobs.values(), key=lambda job: order.index(job.phase))
    if not jobs:
        return []
    jobs = [replace(job, model=clean(job.model), device=clean(job.device)) for job in jobs]
    return [_job(view, job, _columns(jobs, width)) for job in jobs]


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide what is said of a job is; 0 leaves it out."""

    bar: int
    size: int
    model: int
    device: int
    elapsed: int
    is_wide: bool


def _columns(jobs: Sequence[InHand], width: int) -> Columns:
    """What there is room for, the same for all jobs."""
    is_wide = width >= WIDE
    size = max(len(_size(job, is_wide=is_wide)) for job in jobs)
    model = min(max(cell_len(job.model) for job in jobs), MODEL_MAX)
    device = min(max(cell_len(job.device) for job in jobs), DEVICE_MAX) if is_wide else 0
    elapsed = ELAPSED if width >= VERY_WIDE else 0
    room = width - LEAD - size - device - elapsed - REST - 2 * (2 + bool(device))
    model = max(min(model, room - BAR_MIN), 0)
    return Columns(max(min(room - model, BAR_MAX), 0), size, model, device, elapsed, is_wide)


def _size(job: InHand, *, is_wide: bool) -> str:
    size = f"{job.width}×{job.height}"
    return f"{size}, {job.steps} steps" if is_wide else size


def _job(view: View, job: InHand, columns: Columns) -> Text:
    look = LOOKS[job.phase]
    is_held = job.phase is Phase.HELD
    done = round(columns.bar * job.share)
    line = Text.assemble(
        "   ",
        (job.phase.value.ljust(9), look),
        ("━" * done, look),
        ("─" * (columns.bar - done), "dim"),
        "      " if is_held else f"{job.share:5.0%} ",
    )
    cells = [
        (_size(job, is_wide=columns.is_wide), columns.size),
        (job.model, columns.model),
        (job.device, columns.device),
    ]
    for words, width in cells:
        line.append(f" {_padded(words, width)} " if width else "")
    line.append(_times(view, job, columns))
    line.rstrip()
    return line


def _times(view: View, job: InHand, columns: Columns) -> str:
    """Since when and for how long; where there is room for one only, the more useful one."""
    rest = rest_s(view.shift, job, view.now)
    left = ""
    if rest is not None:
        left = f" {_clock(math.ceil(rest))} left" if rest else " soon"
    elapsed = _clock(view.now - job.since)
    if columns.elapsed:
        return elapsed.rjust(columns.elapsed) + left
    return left or f" {elapsed}"


def _reasons(shift: Shift) -> list[Text]:
    """Why the last answer was no job; empty when it was one, or something else is in the way."""
    if shift.skipped is None or shift.lost or shift.paused or shift.is_stopping:
        return []
    counts = sorted(shift.skipped.items(), key=lambda each: -each[1])
    width = max((len(f"{count:,}") for _, count in counts), default=0)
    rows = [
        Text.assemble(
            "   ", (f"{count:,}".rjust(width), "bold"), f"  {clean(REASONS.get(reason, reason))}"
        )
        for reason, count in counts
    ]
    head = f"why there is no {'more ' if shift.jobs else ''}work"
    nobody = Text("   none, so most likely nobody waits for a picture")
    return [
        Text.assemble(" ", (head, "bold"), ": requests that were passed over"),
        *(rows or [nobody]),
    ]


def _notices(shift: Shift) -> list[Text]:
    return [
        Text.assemble(" ", ("the horde says: ", "bold"), clean(text))
        for text in reversed(shift.notices)
    ]


def _hint(shift: Shift) -> Text:
    if shift.is_stopping:
        return Text(" Ctrl-C again lets go of what is in hand", "dim")
    return Text(" Ctrl-C finishes what is in hand, then stops", "dim")


# -- words -----------------------------------------------------------------------------------------


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _clock(seconds: float) -> str:
    """`0:08`, `12:05`, `1:02:03`."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _short(words: str, width: int) -> str:
    """Words that take at most so many columns."""
    text = Text(words)
    text.truncate(width, overflow="ellipsis")
    return text.plain


def _padded(words: str, width: int) -> str:
    short = _short(words, width)
    return short + " " * (width - cell_len(short))
