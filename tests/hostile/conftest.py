"""One real server for all that is tried here, and its memory watched."""

import base64
import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from tests.builders import a_picture
from tests.conftest import ADMIN_KEY
from tests.hostile.wire import forget_peak, memory_mb, peak_mb
from tests.system.processes import Processes, Server

from ordu.client import Horde

BODY_BYTES_MAX = 1024 * 1024  # of a call, in this server
CONNECTIONS_MAX = 200
CONNECTIONS_EACH = 20
GROWTH_MB_MAX = 48.0  # that anything here may cost the server for a while
# Shorter than a horde has them by itself, so that nobody waits long here.
BOUNDS = {
    "--request-body-bytes-max": str(BODY_BYTES_MAX),
    "--picture-bytes-max": "262144",
    "--concurrency": "100000",
}
BOUNDS |= {
    "--head-timeout-s": "1",
    "--body-timeout-s": "3",
    "--waits-per-caller": "6",
    "--sync-waiters": "8",
    "--bodies-bytes-max": str(2 * BODY_BYTES_MAX),
    "--connections-max": str(CONNECTIONS_MAX),
    "--connections-per-address": str(CONNECTIONS_EACH),
}
NUMBERS = itertools.count()


@dataclass(frozen=True)
class Besieged:
    """A server in this siege, and those who use it honestly."""

    server: Server
    user_key: str
    owner_key: str
    stranger_key: str
    victim_id: str  # of somebody whose key nobody has

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def pid(self) -> int:
        return self.server.process.pid

    @contextmanager
    def bounded(self, growth_mb: float = GROWTH_MB_MAX) -> Iterator[None]:
        """What happens within costs no more memory than this, also for a moment."""
        forget_peak(self.pid)
        before = memory_mb(self.pid)
        yield
        assert self.server.process.poll() is None, "the server is gone"
        assert peak_mb(self.pid) - before < growth_mb

    def is_serving(self) -> None:
        """The whole story of a picture still happens."""
        model = f"model {next(NUMBERS)}"  # so that nobody else's request is served
        with Horde(self.url, self.user_key) as user, Horde(self.url, self.owner_key) as owner:
            placed = user.post_async_generate({"prompt": "a fox", "models": [model], "r2": False})
            agent = {"name": "attic", "bridge_agent": "Ordu:1:x"}
            job = owner.post_job_pop({**agent, "models": [model]})
            assert job.id
            text = base64.b64encode(a_picture()).decode()
            owner.post_job_submit({"id": job.id, "generation": text, "seed": "1"})
            status = user.get_async_status(placed.id)
            assert status.done
            assert len(status.generations) == 1


@pytest.fixture(scope="session")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    """One server for all tests of this folder."""
    if not sys.platform.startswith("linux"):
        pytest.skip("memory is read from /proc, and 127.0.0.0/8 is ours")
    processes = Processes(tmp_path_factory.mktemp("siege"))
    try:
        options = [word for pair in BOUNDS.items() for word in pair]
        server = processes.server(*options, ORDU_ADMIN_KEY=ADMIN_KEY)
        keys = [server.register(name) for name in ("ferris", "aida", "stranger")]
        with server.horde(server.register("victim")) as horde:
            victim_id = str(horde.get_find_user().id)
        besieged = Besieged(server, *keys, victim_id)
        besieged.is_serving()
        yield besieged
        besieged.is_serving()
    finally:
        processes.end()
        assert processes.left() == []
