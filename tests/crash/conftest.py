"""What the tests of crashes share: real processes, as the system tests have them."""

import pytest
from tests.crash.stage import Stage
from tests.system.conftest import ordu
from tests.system.processes import Processes

__all__ = ["ordu"]


@pytest.fixture
def stage(ordu: Processes) -> Stage:
    return Stage(ordu)
