import random
import uuid

from tests.builders import NOON

from ordu.engine.clock import SystemClock
from ordu.engine.fresh import Fresh
from ordu.rules.names import is_key


def test_ids_are_uuids_of_version_7_that_hold_the_time():
    value = uuid.UUID(Fresh().id(NOON))
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert value.int >> 80 == NOON


def test_ids_sort_by_time():
    fresh = Fresh()
    ids = [fresh.id(NOON + ms) for ms in range(50)]
    assert ids == sorted(ids)


def test_ids_do_not_repeat_within_a_millisecond():
    fresh = Fresh()
    assert len({fresh.id(NOON) for _ in range(1000)}) == 1000


def test_keys_have_the_form_that_clients_check():
    assert all(is_key(Fresh().key()) for _ in range(50))


def test_a_known_start_repeats():
    assert Fresh(random.Random(1)).seed() == Fresh(random.Random(1)).seed()


def a_clock(*moments):
    """A clock whose machine shows these pairs of ms: the time of day, and since its start."""
    wall = iter([shown * 1_000_000 for shown, _ in moments])
    running = iter([running * 1_000_000 for _, running in moments])
    return SystemClock(lambda: next(wall), lambda: next(running))


def test_time_goes_on_while_the_clock_is_set_back():
    clock = a_clock((5000, 10), (3000, 30), (3500, 530), (9000, 700))
    assert [clock.now() for _ in range(4)] == [5000, 5020, 5520, 9000]


def test_time_is_that_of_the_machine_when_nobody_sets_it():
    clock = a_clock((5000, 10), (5001, 11), (6001, 1011))
    assert [clock.now() for _ in range(3)] == [5000, 5001, 6001]
