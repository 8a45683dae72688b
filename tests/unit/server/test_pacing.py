"""How much is logged of what strangers cause."""

import logging

import pytest

from ordu.server import connections, missteps
from ordu.server.pacing import LINES_MAX, Paced

FLOOD = 3 * LINES_MAX


@pytest.fixture
def log():
    log = logging.getLogger("a logger of strangers")
    yield log
    log.filters.clear()


def test_a_flood_of_refusals_fills_no_log(log, caplog):
    caplog.set_level(logging.INFO)
    now_s = 7.0
    log.addFilter(Paced(lambda: now_s))
    for number in range(FLOOD):
        log.info("refused: %d", number)
    assert caplog.messages == [f"refused: {number}" for number in range(LINES_MAX)]
    now_s = 8.0
    for _ in range(2):
        log.info("refused: %s", "again")
    left_out = f"({FLOOD - LINES_MAX} lines before this were left out)"
    assert caplog.messages[LINES_MAX:] == [f"refused: again {left_out}", "refused: again"]


def test_what_is_wrong_on_our_side_is_always_written(log, caplog):
    log.addFilter(Paced(lambda: 7.0))
    for _ in range(FLOOD):
        log.error("broken")
    assert len(caplog.messages) == FLOOD


@pytest.mark.parametrize("module", [connections, missteps], ids=["connections", "calls"])
def test_what_strangers_cause_is_paced(module):
    assert [type(each) for each in module.log.filters] == [Paced]
