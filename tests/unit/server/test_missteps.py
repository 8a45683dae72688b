"""What is logged of refusals, and how much of it."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from ordu.engine.tally import Tally
from ordu.server.missteps import LINES_MAX, Missteps

FLOOD = 3 * LINES_MAX


@pytest.fixture
def horde() -> Any:
    return SimpleNamespace(tally=Tally(), settings=SimpleNamespace(log_addresses=False))


def test_a_flood_of_refusals_fills_no_log(horde, caplog):
    caplog.set_level(logging.INFO)
    now_s = 7.0
    missteps = Missteps(horde, lambda: now_s)

    def refuse(number: int) -> None:
        state = {"request_id": f"r{number}", "operation": "get_users", "rc": "RateLimited"}
        missteps.done({"type": "http", "state": state}, 429, 0.001)

    for number in range(FLOOD):
        refuse(number)
    assert len(caplog.messages) == LINES_MAX
    assert horde.tally.refused == {"RateLimited": FLOOD}
    now_s = 8.0
    refuse(FLOOD)
    assert caplog.messages[LINES_MAX] == f"refused: {FLOOD - LINES_MAX} calls more within a second"
    assert "request_id=r300 operation=get_users rc=RateLimited" in caplog.messages[-1]
    assert len(caplog.messages) == LINES_MAX + 2
