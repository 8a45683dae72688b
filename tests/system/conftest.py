"""What the tests with real processes share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.system.processes import Processes


@pytest.fixture
def ordu(tmp_path: Path) -> Iterator[Processes]:
    if not sys.platform.startswith("linux"):
        pytest.skip("what is left running is found in /proc")
    processes = Processes(tmp_path)
    try:
        yield processes
    finally:
        processes.end()
        assert processes.left() == []
