"""A worker's shift: events folded into what it has done and does now."""

import math

import pytest

from ordu.cli.worker.shift import (
    DEVICES_MAX,
    EARNED_S,
    JOBS_MAX,
    NOTICES_MAX,
    PARTS,
    WORK_S,
    Phase,
    Recent,
    Shift,
    after,
    busy_s,
    kudos_per_hour,
    rest_s,
    speed,
    starting,
)
from ordu.worker import events
from ordu.worker.events import Event

TOOK = events.Took("1", "sdxl", 1000, 1000, 10)  # ten megapixelsteps
BEGAN = events.Began("1", "cuda:0")
MADE = events.Made("1", 5.0, 1000)
PAUSED = events.Paused("maintenance", 30.0)
LOST = events.Lost("nobody answers")


def folded(*told: tuple[float, Event]) -> Shift:
    """The shift that began at 0 after these events at these times."""
    shift = starting(0.0)
    for now, event in told:
        shift = after(shift, event, now)
    return shift


@pytest.mark.parametrize(
    ("told", "phase", "share"),
    [
        pytest.param([TOOK], Phase.HELD, 0.0, id="taken: in reserve"),
        pytest.param([TOOK, BEGAN], Phase.DRAWING, 0.0, id="begun"),
        pytest.param([TOOK, events.Drawn("1", 0.1)], Phase.DRAWING, 0.1, id="begun without a word"),
        pytest.param([TOOK, BEGAN, events.Drawn("1", 0.4)], Phase.DRAWING, 0.4, id="in part"),
        pytest.param(
            [TOOK, BEGAN, events.Drawn("1", 0.6), events.Drawn("1", 0.2)],
            Phase.DRAWING, 0.6, id="a second pass takes nothing back",
        ),
        pytest.param([TOOK, events.Drawn("1", 7.0)], Phase.DRAWING, 1.0, id="more than all"),
        pytest.param([TOOK, events.Drawn("1", math.nan)], Phase.DRAWING, 0.0, id="no number"),
        pytest.param([TOOK, BEGAN, MADE], Phase.SENDING, 1.0, id="made"),
        pytest.param([TOOK, MADE, events.Drawn("1", 0.9)], Phase.SENDING, 1.0, id="told too late"),
    ],
)  # fmt: skip
def test_a_job_in_hand(told, phase, share):
    shift = folded(*enumerate(told, 1))
    assert shift.jobs["1"].phase is phase
    assert shift.jobs["1"].share == share


@pytest.mark.parametrize(
    ("end", "counts"),
    [
        pytest.param(events.Delivered("1", 9.5), (1, 0, 0, 9.5), id="delivered"),
        pytest.param(events.Delivered("1", None), (1, 0, 0, 0.0), id="reward unknown"),
        pytest.param(events.Failed("1", "out of memory"), (0, 1, 0, 0.0), id="failed"),
        pytest.param(events.Dropped("1", "cancelled"), (0, 0, 1, 0.0), id="dropped"),
        pytest.param(events.Delivered("2", 9.5), (0, 0, 0, 0.0), id="one that it does not have"),
    ],
)
def test_the_end_of_a_job(end, counts):
    shift = folded((1, TOOK), (2, end))
    assert (shift.pictures, shift.failed, shift.dropped, shift.kudos) == counts
    assert len(shift.jobs) == (end.job_id != "1")


def test_a_failure_that_cannot_be_told_either_counts_once():
    shift = folded((1, TOOK), (2, events.Failed("1", "no")), (3, events.Dropped("1", "gone")))
    assert (shift.failed, shift.dropped) == (1, 0)


@pytest.mark.parametrize(
    ("told", "is_lost", "is_paused"),
    [
        pytest.param([LOST], True, False, id="lost"),
        pytest.param([LOST, events.Back()], False, False, id="lost and back"),
        pytest.param([PAUSED], False, True, id="paused"),
        pytest.param([PAUSED, events.Back()], False, False, id="the pause is over"),
        pytest.param([PAUSED, LOST], True, True, id="lost in a pause"),
        pytest.param([PAUSED, LOST, events.Back()], False, True, id="the pause outlives an outage"),
        pytest.param([PAUSED, LOST, events.Back(), events.Back()], False, False, id="both over"),
        pytest.param([PAUSED, LOST, events.Idle({})], False, False, id="an answer ends both"),
        pytest.param([PAUSED, LOST, TOOK], False, False, id="a job ends both"),
    ],
)
def test_what_keeps_it_from_working(told, is_lost, is_paused):
    shift = folded(*enumerate(told, 1))
    assert (shift.lost is not None, shift.paused is not None) == (is_lost, is_paused)


def test_a_pause_has_its_end():
    assert folded((5, PAUSED)).paused.until == 35.0
    assert math.isinf(folded((5, events.Paused("its owner", math.inf))).paused.until)


def test_why_there_is_no_work_is_forgotten_when_there_is():
    idle = events.Idle({"models": 3})
    assert folded((1, idle)).skipped == {"models": 3}
    assert folded((1, idle), (2, TOOK)).skipped is None
    assert folded((1, idle), (2, events.Idle({}))).skipped == {}


@pytest.mark.parametrize(
    ("told", "since"),
    [
        pytest.param([], 0, id="from the start"),
        pytest.param([(20, events.Idle({})), (40, events.Idle({}))], 0, id="not from an answer"),
        pytest.param([(1, TOOK), (9, events.Failed("1", ""))], 9, id="from the last job"),
        pytest.param([(1, PAUSED), (31, events.Back())], 31, id="from the end of a pause"),
        pytest.param([(1, LOST), (50, events.Idle({}))], 50, id="from the end of an outage"),
    ],
)
def test_since_when_it_waits(told, since):
    assert folded(*told).free_since == since


def test_notices_limits_and_devices_are_kept_within_bounds():
    told = [events.Notice(str(number)) for number in range(9)]
    told += [events.Limited(4096), events.Limited(1024)]
    for number in range(DEVICES_MAX + 5):
        told += [events.Took(str(number), "m", 1, 1, 1), events.Began(str(number), f"d{number}")]
    told += [events.Took(f"more {number}", "m", 1, 1, 1) for number in range(JOBS_MAX + 10)]
    shift = folded(*enumerate(told))
    assert shift.notices == ("6", "7", "8")[-NOTICES_MAX:]
    assert shift.max_pixels == 1024
    assert len(shift.devices) == DEVICES_MAX
    assert len(shift.jobs) == JOBS_MAX
    assert f"more {JOBS_MAX + 9}" in shift.jobs


def test_speed_is_of_the_time_in_which_something_was_drawn():
    shift = folded((100, TOOK), (100, BEGAN), (102, events.Drawn("1", 0.5)), (105, MADE))
    assert busy_s(shift, 150) == 5
    assert speed(shift, 150) == 2
    assert speed(shift, 105 + WORK_S + 20) is None


def test_two_devices_at_once_are_twice_as_fast():
    shift = folded(
        (0, TOOK), (0, BEGAN),
        (0, events.Took("2", "sdxl", 1000, 1000, 10)), (0, events.Began("2", "cuda:1")),
        (5, MADE), (5, events.Made("2", 5.0, 1)),
    )  # fmt: skip
    assert busy_s(shift, 10) == 5
    assert speed(shift, 10) == 4


def test_what_is_half_done_changes_no_speed():
    second = events.Took("2", "sdxl", 3000, 1000, 10)
    told = [(0, TOOK), (0, BEGAN), (5, MADE), (6, second), (6, events.Began("2", "cuda:0"))]
    told += [(6.1, events.Drawn("2", 0.9)), (9, events.Drawn("2", 1.0))]
    assert speed(folded(*told), 9) == pytest.approx(2)


def test_a_picture_that_takes_long_keeps_the_worker_busy_before_it_is_made():
    shift = folded((0, TOOK), (0, BEGAN))
    assert busy_s(shift, 60) == 60
    assert busy_s(shift, WORK_S * 3) == WORK_S
    assert speed(shift, 60) is None


@pytest.mark.parametrize(
    ("now", "per_hour"),
    [
        pytest.param(60, None, id="too early"),
        pytest.param(1800, 200, id="after half an hour"),
        pytest.param(3600, 100, id="after an hour"),
        pytest.param(10 + EARNED_S + 130, 0, id="too long ago"),
    ],
)
def test_kudos_an_hour(now, per_hour):
    shift = folded((1, TOOK), (10, events.Delivered("1", 100.0)))
    assert kudos_per_hour(shift, now) == per_hour


@pytest.mark.parametrize(
    ("told", "now", "rest"),
    [
        pytest.param([], 10, None, id="nothing tells"),
        pytest.param([(12, events.Drawn("1", 0.25))], 12, 6, id="by its share"),
        pytest.param([(12, events.Drawn("1", 0.25))], 15, 3, id="time goes by"),
        pytest.param([(12, events.Drawn("1", 0.25))], 20, 30, id="the share stands still"),
        pytest.param([(12, MADE)], 13, None, id="being sent"),
    ],
)
def test_what_is_left_of_a_job(told, now, rest):
    shift = folded((10, TOOK), (10, BEGAN), *told)
    assert rest_s(shift, shift.jobs["1"], now) == rest


@pytest.mark.parametrize(
    ("share", "now", "rest"),
    [
        pytest.param(0.0, 21, 4, id="at first as the last picture of this model"),
        pytest.param(0.5, 21, 2.5, id="half way, half by its share"),
        pytest.param(1.0, 22, 3, id="all drawn and yet not made"),
        pytest.param(1.0, 26, 0, id="longer than ever"),
    ],
)
def test_what_is_left_when_such_a_picture_was_made_before(share, now, rest):
    second = events.Took("2", "sdxl", 1000, 1000, 10)
    told = [(10, TOOK), (10, BEGAN), (15, MADE), (20, second), (20, events.Began("2", ""))]
    shift = folded(*told, *([(21, events.Drawn("2", share))] if share else []))
    assert rest_s(shift, shift.jobs["2"], now) == pytest.approx(rest)


def test_a_sum_over_the_last_while_is_kept_in_few_parts():
    recent = Recent(300.0)
    for second in range(100_000):
        recent = recent.plus(1.0, float(second))
    assert len(recent.parts) <= PARTS + 1
    assert recent.total(99_999.0) == pytest.approx(300, abs=300 / PARTS)
    assert recent.total(200_000.0) == 0
