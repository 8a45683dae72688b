"""Time-outs of addresses: how long, whose, and how many are kept."""

import pytest
from tests.builders import NOON

from ordu.engine.timeouts import Timeouts
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Millis
from ordu.rules.trust import DAY_MS, timeout_ms

MINUTE = 60_000


def waits(timeouts: Timeouts, address: str, now: int) -> int:
    """For how many seconds an address is told to wait."""
    try:
        timeouts.check(address, Millis(now))
    except Refused as refused:
        return refused.retry_after_s or 0
    return 0


def test_who_has_to_wait_is_told_why_and_for_how_long():
    timeouts = Timeouts()
    timeouts.offence("8.8.8.8", NOON)
    with pytest.raises(Refused, match=r"has to wait for 180 s") as refused:
        timeouts.check("8.8.8.8", NOON)
    assert (refused.value.rc, refused.value.status) == ("TimeoutIP", 403)


@pytest.mark.parametrize(("offences", "minutes"), [(1, 3), (2, 9), (3, 15), (4, 21)])
def test_each_offence_of_a_day_costs_more(offences, minutes):
    assert timeout_ms(offences) == minutes * MINUTE
    timeouts = Timeouts()
    for _ in range(offences):
        timeouts.offence("8.8.8.8", NOON)
    assert waits(timeouts, "8.8.8.8", NOON) == minutes * 60
    assert waits(timeouts, "8.8.8.8", NOON + minutes * MINUTE - 1) == 1
    assert waits(timeouts, "8.8.8.8", NOON + minutes * MINUTE) == 0
    assert waits(timeouts, "8.8.4.4", NOON) == 0


def test_after_a_day_an_offence_is_forgotten():
    timeouts = Timeouts()
    timeouts.offence("8.8.8.8", NOON)
    timeouts.offence("8.8.8.8", Millis(NOON + DAY_MS - 1))
    assert waits(timeouts, "8.8.8.8", NOON + DAY_MS - 1) == 9 * 60
    timeouts.offence("8.8.8.8", Millis(NOON + DAY_MS))
    assert waits(timeouts, "8.8.8.8", NOON + DAY_MS) == 9 * 60, "the first is out of the count"


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd00::/64", "", "unix socket"]
)
def test_this_machine_and_private_networks_never_wait(address):
    timeouts = Timeouts()
    timeouts.offence(address, NOON)
    assert waits(timeouts, address, NOON) == 0
    assert not timeouts.records


def test_a_network_of_version_6_waits_as_one():
    timeouts = Timeouts()
    timeouts.offence("2a00:1450::/64", NOON)
    assert waits(timeouts, "2a00:1450::/64", NOON) == 180


def test_only_so_many_are_kept_and_the_newest_offender_is():
    timeouts = Timeouts(addresses_max=3)
    for last in (1, 2, 3, 1, 4):
        timeouts.offence(f"8.8.8.{last}", NOON)
    assert list(timeouts.records) == ["8.8.8.3", "8.8.8.1", "8.8.8.4"]


def test_one_address_costs_so_much_memory_and_no_more():
    timeouts = Timeouts()
    for _ in range(1000):
        timeouts.offence("8.8.8.8", NOON)
    assert len(timeouts.records["8.8.8.8"].offences) == 100
