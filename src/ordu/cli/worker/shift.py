"""A worker's shift: what it has done and does now, as its events tell it.

A `Shift` is a value. `after` folds one event into it and gives the next, so that whoever draws it,
in whichever thread, sees one moment and not half of two. Every time is a number of seconds of one
clock that only goes forward; the caller brings it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ordu.worker import events
from ordu.worker.events import Event

JOBS_MAX = 1000  # more are never in hand; an event that went missing must not cost memory
NOTICES_MAX = 3
DEVICES_MAX = 32
MODELS_MAX = 64  # whose speed is remembered
WORK_S = 300.0  # speed is that of the last five minutes
EARNED_S = 3600.0  # kudos an hour are those of the last hour
PARTS = 30  # a sum over the last while is kept in so many parts
EARNED_S_MIN = 300.0


class Phase(StrEnum):
    """How far a job in hand is."""

    HELD = "held"  # in reserve, until a device is free
    DRAWING = "drawing"
    SENDING = "sending"


@dataclass(frozen=True, slots=True)
class InHand:
    """A job that the worker has."""

    model: str
    width: int  # pixels
    height: int  # pixels
    steps: int
    since: float  # when this phase began
    phase: Phase = Phase.HELD
    device: str = ""
    share: float = 0.0  # of the picture, 0 to 1
    share_at: float = 0.0  # when that was heard
    made_s: float | None = None  # how long it took, once it is made

    @property
    def megapixelsteps(self) -> float:
        """How much work it is."""
        return self.width * self.height * self.steps / 1_000_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why no jobs are asked for, or no answers come."""

    reason: str
    since: float
    until: float  # at the earliest; infinite: until its owner says so


@dataclass(frozen=True, slots=True)
class Recent:
    """A sum over the last while."""

    span_s: float
    parts: tuple[tuple[float, float], ...] = ()  # when each part began, and its sum

    def plus(self, amount: float, now: float) -> "Recent":
        """The sum with this amount, which came now."""
        began = now // self._part_s * self._part_s
        parts = self._no_older(now)
        if parts and parts[-1][0] == began:
            return replace(self, parts=(*parts[:-1], (began, parts[-1][1] + amount)))
        return replace(self, parts=(*parts, (began, amount)))

    def total(self, now: float) -> float:
        """The sum of what is no older than the span."""
        return sum(amount for _, amount in self._no_older(now))

    @property
    def _part_s(self) -> float:
        return self.span_s / PARTS

    def _no_older(self, now: float) -> tuple[tuple[float, float], ...]:
        """The parts of which the greater half is within the span."""
        first = now - self.span_s - self._part_s / 2
        return tuple(part for part in self.parts if part[0] > first)


@dataclass(frozen=True, slots=True)
class Shift:
    """What a worker has done since it started, and what it does now."""

    began: float
    heard: float  # when the last event came
    free_since: float  # with nothing in hand it waits since then
    jobs: Mapping[str, InHand] = field(default_factory=dict)
    pictures: int = 0  # delivered
    failed: int = 0
    dropped: int = 0
    kudos: float = 0.0
    balance: float | None = None  # what the owner had at the start, if the horde said it
    work: Recent = Recent(WORK_S)  # megapixelsteps of pictures that were made
    spent: Recent = Recent(WORK_S)  # seconds that these took, one by one
    busy: Recent = Recent(WORK_S)  # seconds in which something was drawn
    at_once: Recent = Recent(WORK_S)  # the same, twice while two were drawn at once, and so on
    earned: Recent = Recent(EARNED_S)  # kudos
    paces: Mapping[str, float] = field(default_factory=dict)  # megapixelsteps/s, by model
    devices: tuple[str, ...] = ()  # those heard of
    skipped: Mapping[str, int] | None = None  # None: the last answer was a job, or there was none
    paused: Trouble | None = None
    lost: Trouble | None = None
    max_pixels: int | None = None  # after a picture did not fit
    notices: tuple[str, ...] = ()
    is_stopping: bool = False

    @property
    def drawing(self) -> int:
        """How many pictures are being drawn."""
        return sum(job.phase is Phase.DRAWING for job in self.jobs.values())


def starting(now: float) -> Shift:
    """The shift of a worker that starts now."""
    return Shift(began=now, heard=now, free_since=now)


def after(shift: Shift, event: Event, now: float) -> Shift:
    """The shift after this event."""
    if many := shift.drawing:
        went_by_s = now - shift.heard
        busy, at_once = shift.busy.plus(went_by_s, now), shift.at_once.plus(went_by_s * many, now)
        shift = replace(shift, busy=busy, at_once=at_once)
    shift = replace(shift, heard=now)
    match event:
        case events.Took():
            return _took(shift, event, now)
        case events.Began() | events.Drawn() | events.Made():
            job = shift.jobs.get(event.job_id)
            return shift if job is None else _went_on(shift, job, event, now)
        case events.Delivered() | events.Failed() | events.Dropped():
            return _ended(shift, event, now)
    return _heard(shift, event, now)


def _took(shift: Shift, event: events.Took, now: float) -> Shift:
    job = InHand(event.model, event.width, event.height, event.steps, since=now)
    kept = list(shift.jobs.items())[-(JOBS_MAX - 1) :]
    jobs = {**dict(kept), event.job_id: job}
    return replace(shift, jobs=jobs, skipped=None, paused=None, lost=None)


def _went_on(
    shift: Shift, job: InHand, event: events.Began | events.Drawn | events.Made, now: float
) -> Shift:
    """The shift after a job in hand came further."""
    if job.phase is Phase.HELD:  # a worker with one device may not tell that it begins
        job = replace(job, phase=Phase.DRAWING, since=now)
    match event:
        case events.Began():
            job = replace(job, device=event.device)
            shift = replace(shift, devices=_with_device(shift.devices, event.device))
        case events.Drawn() if job.phase is Phase.DRAWING:
            # A backend may begin anew for a second pass; what was shown is not taken back.
            job = replace(job, share=min(max(job.share, event.share), 1.0), share_at=now)
        case events.Made():
            made_s = max(event.seconds, 0.0)
            job = replace(job, phase=Phase.SENDING, since=now, share=1.0, made_s=made_s)
            work, spent = shift.work.plus(job.megapixelsteps, now), shift.spent.plus(made_s, now)
            paces = _with_pace(shift.paces, job)
            shift = replace(shift, work=work, spent=spent, paces=paces)
    return replace(shift, jobs={**shift.jobs, event.job_id: job})


def _with_device(devices: tuple[str, ...], device: str) -> tuple[str, ...]:
    if not device or device in devices or len(devices) >= DEVICES_MAX:
        return devices
    return (*devices, device)


def _with_pace(paces: Mapping[str, float], job: InHand) -> Mapping[str, float]:
    """The speed of one picture of each model; half of it is the last one's."""
    if not job.made_s:
        return paces
    pace = job.megapixelsteps / job.made_s
    others = [each for each in paces.items() if each[0] != job.model][-(MODELS_MAX - 1) :]
    return {**dict(others), job.model: (paces.get(job.model, pace) + pace) / 2}


def _ended(
    shift: Shift, event: events.Delivered | events.Failed | events.Dropped, now: float
) -> Shift:
    """The shift after a job left its hands; what is told of one that had left before is ignored."""
    if event.job_id not in shift.jobs:
        return shift
    jobs = {job_id: job for job_id, job in shift.jobs.items() if job_id != event.job_id}
    shift = replace(shift, jobs=jobs, free_since=now)
    match event:
        case events.Failed():
            return replace(shift, failed=shift.failed + 1)
        case events.Dropped():
            return replace(shift, dropped=shift.dropped + 1)
    reward = event.reward or 0.0
    return replace(
        shift,
        pictures=shift.pictures + 1,
        kudos=round(shift.kudos + reward, 2),
        earned=shift.earned.plus(reward, now),
    )


def _heard(shift: Shift, event: Event, now: float) -> Shift:
    """The shift after news that are not of a job."""
    match event:
        case events.Idle():
            shift = replace(_at_work(shift, now), skipped=dict(event.skipped))
        case events.Paused():
            shift = replace(shift, paused=Trouble(event.reason, now, now + event.seconds))
        case events.Lost():
            shift = replace(shift, lost=Trouble(event.reason, now, math.inf))
        case events.Back() if shift.lost is not None and shift.paused is not None:
            shift = replace(shift, lost=None)  # a pause from before goes on until its own end
        case events.Back():
            shift = _at_work(shift, now)
        case events.Limited():
            shift = replace(shift, max_pixels=event.max_pixels)
        case events.Notice():
            shift = replace(shift, notices=(*shift.notices, event.text)[-NOTICES_MAX:])
    return shift


def _at_work(shift: Shift, now: float) -> Shift:
    """The shift when nothing keeps the worker from asking for jobs."""
    if shift.lost is None and shift.paused is None:
        return shift
    return replace(shift, lost=None, paused=None, free_since=now)


# -- figures ---------------------------------------------------------------------------------------


def busy_s(shift: Shift, now: float) -> float:
    """For how many of the last five minutes' seconds something was drawn."""
    going_on = now - shift.heard if shift.drawing else 0.0
    return min(shift.busy.total(now) + going_on, lived_s(shift, now, WORK_S))


def lived_s(shift: Shift, now: float, most_s: float = math.inf) -> float:
    """For how long the worker runs."""
    return min(max(now - shift.began, 0.0), most_s)


def speed(shift: Shift, now: float) -> float | None:
    """Megapixelsteps per second while something was drawn in the last five minutes, on all devices.

    It is the speed of one picture, of those that were made, times how many were drawn at once: what
    is half done would be counted too high or too low. None: none was made.
    """
    spent_s, busy = shift.spent.total(now), shift.busy.total(now)
    if not spent_s or not busy:
        return None
    return shift.work.total(now) / spent_s * shift.at_once.total(now) / busy


def kudos_per_hour(shift: Shift, now: float) -> float | None:
    """Kudos an hour, as the last hour was; None when the worker has run too short to say."""
    seconds = lived_s(shift, now, EARNED_S)
    return shift.earned.total(now) / seconds * 3600 if seconds >= EARNED_S_MIN else None


def rest_s(shift: Shift, job: InHand, now: float) -> float | None:
    """How many seconds a job that is drawn will still take; None when nothing tells.

    At first it is said by how long such pictures took before, later more and more by its share;
    and once that time is over, by the former again.
    """
    if job.phase is not Phase.DRAWING:
        return None
    drawn_s = now - job.since
    known_s = []
    if pace := shift.paces.get(job.model):
        known_s.append(job.megapixelsteps / pace)
    if job.share > 0 and job.share_at > job.since:
        total_s = (job.share_at - job.since) / job.share
        # A share that stands still for too long was no good guide.
        known_s.append(total_s if total_s > drawn_s else drawn_s / job.share)
    if not known_s:
        return None
    total_s = known_s[0] + (known_s[-1] - known_s[0]) * job.share
    return max(total_s - drawn_s, 0.0) or max(known_s[0] - drawn_s, 0.0)
