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


def test_time_never_goes_back():
    moments = iter([5_000_000, 3_000_000, 9_000_000])
    clock = SystemClock(lambda: next(moments))
    assert [clock.now(), clock.now(), clock.now()] == [5, 5, 9]
