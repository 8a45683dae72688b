"""What every test may use."""

import os
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from tests.builders import HandClock
from tests.postgres import PostgresServer
from tests.s3 import KEYS, StandIn, an_s3_server

from ordu.engine.fresh import Fresh
from ordu.engine.horde import Horde
from ordu.server.run import Opened, open_horde
from ordu.settings import ServerSettings

ADMIN_KEY = "administrator-key-0022"

# Machines that test are busy: how long an example takes says nothing.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, for as long as the tests of this process take."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a horde keeps its books: each test that has one runs on both."""
    if request.param == "sqlite":
        yield ""
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new()
    yield url
    server.drop(url)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> ServerSettings:
    """Those of the hordes of most tests, which call faster than people do."""
    return ServerSettings(
        data=str(tmp_path / "horde"),
        admin_key=ADMIN_KEY,
        rate_limits=False,
        database=database_url,
        database_connections=4,
    )


@pytest.fixture
def hosts() -> dict[str, list[str]]:
    """Who is known by name outside; a test never asks the real Internet."""
    return {}


@pytest.fixture
async def opened(
    settings: ServerSettings, clock: HandClock, hosts: dict[str, list[str]]
) -> AsyncIterator[Opened]:
    """A horde on SQLite in a temporary folder, with a clock moved by hand and known chance."""
    fresh = Fresh(random.Random(7))

    async def resolver(host: str, port: int) -> list[str]:
        return hosts.get(host, [])

    async with open_horde(
        settings, "http://horde.test", clock=clock, fresh=fresh, resolver=resolver
    ) as opened:
        yield opened


@pytest.fixture
def horde(opened: Opened) -> Horde:
    return opened.horde


@pytest.fixture(scope="session")
def s3_server() -> Iterator[StandIn]:
    """One server for all tests; each makes its own bucket."""
    with an_s3_server() as server:
        yield server


@pytest.fixture
def s3(s3_server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """An S3 server, and the keys to it in the environment, where nothing else speaks of S3."""
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    s3_server.calls.clear()
    yield s3_server
    s3_server.is_broken = False
