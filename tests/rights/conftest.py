"""One horde with everybody for all tests of a file, on each database."""

import pytest
from tests.rights.world import a_world


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database_url(request):
    """As for all tests, but for a whole file."""
    if request.param == "sqlite":
        yield ""
        return
    server = request.getfixturevalue("postgres")
    url = server.new()
    yield url
    server.drop(url)


@pytest.fixture(scope="module")
async def world(anyio_backend, database_url, tmp_path_factory):
    """A horde with everybody."""
    folder = str(tmp_path_factory.mktemp("rights") / "horde")
    async with a_world(folder, database_url) as world:
        yield world
