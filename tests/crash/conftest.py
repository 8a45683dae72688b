"""What the tests of crashes share: real processes, as the system tests have them."""

from collections.abc import Iterator

import pytest
from tests.crash.stage import Stage
from tests.postgres import PostgresServer
from tests.system.conftest import ordu
from tests.system.processes import Processes

__all__ = ["ordu"]


@pytest.fixture
def stage(ordu: Processes) -> Stage:
    """On SQLite."""
    return Stage(ordu)


@pytest.fixture
def postgres_stage(ordu: Processes, postgres: PostgresServer) -> Iterator[Stage]:
    """On PostgreSQL, in a database in which there is nothing yet."""
    url = postgres.empty()
    yield Stage(ordu, database=url)
    postgres.drop(url)
