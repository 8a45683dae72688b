"""A worker of October 2022 at a real server: base64, no agent, and only a 404 stops its retries."""

import socket
import sys
from pathlib import Path

import pytest
from tests.system.processes import Processes, Running, Server, until

from ordu.client.wire import known

BRIDGE = Path(__file__).parent / "programs" / "bridge_2022.py"
SMALL = {
    "prompt": "a fox",
    "params": {"width": 64, "height": 64, "steps": 1, "n": 1},
    "nsfw": False,
}


@pytest.fixture
def port() -> int:
    """A port that is free now, for a server that comes back where it was."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


def start(ordu: Processes, server: Server, key: str) -> tuple[Running, Path]:
    """The bridge, and the file that holds it at its drawing."""
    hold = ordu.folder / "hold"
    environment = {"BRIDGE_URL": server.url, "ORDU_API_KEY": key, "BRIDGE_HOLD": str(hold)}
    return ordu.program("bridge", sys.executable, str(BRIDGE), **environment), hold


def hears(bridge: Running, *texts: str, times: int = 1, within_s: float = 30) -> None:
    def has_said() -> bool:
        assert bridge.process.poll() is None, bridge.said()
        return all(bridge.said().count(text) >= times for text in texts)

    until(has_said, f"the bridge to say {texts}", within_s)


def test_it_is_paid_for_base64_and_told_of_its_maintenance(ordu: Processes) -> None:
    server = ordu.server()
    artist, owner = server.register("artist"), server.register("owner")
    bridge, _ = start(ordu, server, owner)
    hears(bridge, "nothing")
    with server.horde(artist) as horde:
        (picture,) = horde.generate("a fox", width=64, height=64, steps=1, seed=5)
        assert (picture.worker_name, picture.seed) == ("cellar", "5")
        assert picture.data.startswith(b"RIFF")
        hears(bridge, "paid 0.01")
        (worker,) = horde.get_workers()
        told = {"maintenance": True, "maintenance_msg": "the cellar is wet"}
        horde.put_worker_single(known(worker.id, ""), told, owner)
        hears(bridge, "pop 403", "maintenance mode", "the cellar is wet")
        horde.put_worker_single(known(worker.id, ""), {"maintenance": False}, owner)
        assert horde.generate("a hare", width=64, height=64, steps=1)
    hears(bridge, "paid", times=2)


def test_it_delivers_to_a_server_that_was_restarted(ordu: Processes, port: int) -> None:
    server = ordu.server("--port", str(port))
    artist, owner = server.register("artist"), server.register("owner")
    bridge, hold = start(ordu, server, owner)
    hold.touch()
    with server.horde(artist) as horde:
        request = known(horde.post_async_generate(SMALL).id, "")
    hears(bridge, "job ")
    server.kill()
    hold.unlink()
    hears(bridge, "submit 0 nobody answers")
    server = ordu.server("--port", str(port))
    hears(bridge, "paid 0.01", "nothing")
    with server.horde(artist) as horde:
        assert horde.get_async_check(request).done is True


def test_it_drops_a_job_that_is_over(ordu: Processes) -> None:
    """Its time was over: 64×64 in one step has 30 s. It gets the same one again and is paid."""
    server = ordu.server("--job-ttl-s-min", "10")
    artist, owner = server.register("artist"), server.register("owner")
    bridge, hold = start(ordu, server, owner)
    with server.horde(artist) as horde:
        hold.touch()
        request = known(horde.post_async_generate(SMALL).id, "")
        hears(bridge, "job ")
        until(lambda: horde.get_async_check(request).waiting == 1, "the job to expire", 45)
        hold.unlink()
        hears(bridge, "submit 404", "dropped")
        until(lambda: horde.get_async_check(request).done, "the bridge to get it again")
    hears(bridge, "paid 0.01", "nothing")
    assert bridge.said().count("submit ") == 1
