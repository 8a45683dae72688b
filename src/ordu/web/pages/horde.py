"""The page The horde: who is here, what waits, how fast it goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from babel.dates import format_datetime, format_skeleton
from markupsafe import Markup

from ordu.protocol.status import HistoryPoint, HordeHistory, Newspiece
from ordu.web import plots
from ordu.web.camp import Machine, camp
from ordu.web.language import Words
from ordu.web.plots import Plot, Value
from ordu.web.render import render
from ordu.web.standing import Standing, sentence
from ordu.web.visit import Visit

SPANS = ("hour", "day", "month")
COMPARED = ("hour", "day")  # with the same a week earlier
GIVERS_SHOWN = 10


@dataclass(frozen=True)
class Model:
    """A model that machines offer or that something waits for."""

    name: str
    machines: int
    waiting: int
    takes_s: float | None  # until all that waits is made; None when no machine makes it
    megapixelsteps: float | None  # of one machine in a second, once one has shown its speed


@dataclass(frozen=True)
class Giver:
    """Somebody whose machines gave this month."""

    name: str
    pictures: int
    kudos: float


@dataclass(frozen=True)
class Here:
    """Everything the page says."""

    standing: Standing
    machines: Sequence[Machine]
    history: HordeHistory
    earlier: HordeHistory
    models: Sequence[Model]
    givers: Sequence[Giver]
    news: Sequence[Newspiece]


@dataclass(frozen=True)
class Drawn:
    """A plot with what is written beside it."""

    name: str
    plot: Plot
    levels: Sequence[tuple[float, str]]
    moments: Sequence[tuple[float, str]]
    last: str


def horde(visit: Visit, here: Here) -> str:
    """How things stand, stood, and who is here."""
    words = visit.words
    waiting = sum(model.waiting for model in here.models)
    return render(
        "horde",
        visit,
        sentence=sentence(words, here.standing),
        camp=camp(here.machines),
        history=here.history,
        spans=SPANS,
        plots=[
            drawn(words, here, "waiting", lambda point: point.waiting, is_whole=True),
            drawn(words, here, "speed", lambda point: point.megapixelsteps_per_second),
        ],
        has_earlier=bool(here.earlier.points),
        models=sorted(here.models, key=lambda each: (-each.waiting, -each.machines, each.name)),
        queue_share=lambda model: model.waiting / waiting if waiting else 0.0,
        givers=here.givers[:GIVERS_SHOWN],
        news=here.news,
        date_of=datetime.fromisoformat,
        moment_of=lambda start: moment_element(visit, start),
        paper=plots,
    )


def drawn(
    words: Words,
    here: Here,
    name: str,
    of: Callable[[HistoryPoint], object],
    *,
    is_whole: bool = False,
) -> Drawn:
    """One of the plots: what was, and what is at its right end; the pictures that wait compared."""
    history, earlier = here.history, here.earlier
    values = values_of(history, of)
    values.append(Value(seconds(str(history.until)), float(getattr(history.now, WHAT_NOW[name]))))
    shift_s = seconds(str(history.until)) - seconds(str(earlier.until))
    plot = plots.plot(
        values,
        values_of(earlier, of, shift_s) if is_whole and history.span in COMPARED else [],
        since_s=seconds(str(history.since)),
        until_s=seconds(str(history.until)),
        step_s=float(str(history.step)),
        earlier_step_s=float(str(earlier.step)),
        is_whole=is_whole,
    )
    return Drawn(
        name=name,
        plot=plot,
        levels=[(y, words.short(value)) for value, y in plot.frame.levels],
        moments=[(x, moment(words, at_s, str(history.span))) for at_s, x in plot.frame.moments],
        last=words.short(values[-1].value),
    )


WHAT_NOW = {"waiting": "waiting", "speed": "megapixelsteps_per_second"}


def values_of(
    history: HordeHistory, of: Callable[[HistoryPoint], object], shift_s: float = 0
) -> list[Value]:
    """The values of a span, each in the middle of its step, shifted by so many seconds."""
    half_s = float(str(history.step)) / 2
    points = history.points or []
    return [
        Value(seconds(str(point.start)) + half_s + shift_s, float(str(of(point))))
        for point in points
    ]


def seconds(moment: str) -> float:
    """A moment as ISO 8601 writes it, in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def moment_element(visit: Visit, start: str) -> Markup:
    """When a step began, as an element that the script writes in the visitor's time."""
    at = datetime.fromisoformat(start)
    said = f"{format_skeleton('MMMd', at, locale=visit.language)}, {at:%H:%M}"
    return Markup('<time datetime="{}" data-as="moment">{}</time>').format(start, said)


def moment(words: Words, at_s: float, span: str) -> str:
    """A moment below a plot, in UTC: the script writes it in the visitor's time."""
    at = datetime.fromtimestamp(at_s, UTC)
    if span in COMPARED:
        return str(format_datetime(at, "HH:mm", locale=words.language))
    return str(format_skeleton("MMMd", at, locale=words.language))
