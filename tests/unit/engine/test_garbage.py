"""What is never looked at again, and what is freed."""

import gc
import weakref

import pytest

from ordu.engine import garbage
from ordu.server.run import open_horde


@pytest.mark.anyio
async def test_a_horde_that_is_closed_is_freed(settings):
    async with open_horde(settings, "http://horde.test") as opened:
        kept = weakref.ref(opened.horde)
    del opened
    gc.collect()
    assert kept() is None


def test_nothing_is_searched_for_while_much_is_made():
    with garbage.collected_later():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_server_leaves_alone_what_it_has_at_its_start():
    there = gc.get_freeze_count()
    try:
        garbage.leave_alone()
        assert gc.get_freeze_count() > there
    finally:
        gc.unfreeze()
