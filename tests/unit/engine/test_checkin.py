"""Checking in: what the horde adds to what a worker says of itself."""

import pytest
from tests.builders import an_offer

from ordu.engine.checkin import FAST_PER_S, paced


@pytest.mark.parametrize(("speed", "is_fast"), [(FAST_PER_S - 1, False), (FAST_PER_S, True)])
def test_a_worker_is_fast_from_half_a_megapixelstep_a_second(speed, is_fast):
    offer = an_offer(amount=3)
    found = paced(offer, speed)
    assert found.capability.is_fast is is_fast
    assert found.amount == 3
