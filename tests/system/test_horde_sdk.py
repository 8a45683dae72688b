"""The public package `horde-sdk`, unchanged, on both sides of a real server."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.system.processes import Processes, Server, until

from ordu.client.wire import known

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-sdk" / "bin" / "python"
WHY_NOT = ROOT / ".venv-sdk" / ".why-not"
PROGRAMS = Path(__file__).parent / "programs"
CLOSED = "http://127.0.0.1:9"  # the port of "discard", which nobody serves any more


@pytest.fixture(autouse=True)
def made() -> None:
    if WHY_NOT.exists():
        pytest.skip(f"horde-sdk could not be installed: {WHY_NOT.read_text()[-500:]}")
    if not (ROOT / ".venv-sdk" / ".made").exists():
        pytest.skip("horde-sdk has an environment of its own, which is not made: make setup-sdk")


def settings(ordu: Processes, server: Server, key: str) -> dict[str, str]:
    """Where the package finds its horde; everything else it might call is a closed door."""
    return {
        "AI_HORDE_URL": f"{server.url}/api/",
        "ORDU_API_KEY": key,
        "HOME": str(ordu.folder),
        "AIWORKER_CACHE_HOME": str(ordu.folder / "models"),
        "HTTP_PROXY": CLOSED,
        "HTTPS_PROXY": CLOSED,
        "NO_PROXY": "127.0.0.1",
    }


def guarded(program: str, *arguments: str) -> list[str]:
    return [
        str(PYTHON),
        *(str(PROGRAMS / each) for each in ("on_loopback.py", program)),
        *arguments,
    ]


def last_line(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found


def test_its_clients_get_pictures_as_links_and_as_base64(ordu: Processes) -> None:
    server = ordu.server()
    artist, owner = server.register("artist"), server.register("owner")
    ordu.worker(server, owner)
    asking = ordu.program(
        "requester", *guarded("sdk_requester.py"), **settings(ordu, server, artist)
    )
    assert asking.end(within_s=60) == 0, asking.said()
    assert "not on loopback" not in asking.said()
    told = last_line(asking.said())
    link, inside = told["link"], told["base64"]
    picture = {"size": [128, 64], "form": "WEBP", "worker": "attic", "state": "ok"}
    seeds = [each.pop("seed") for each in (*link["images"], *inside["images"])]
    assert seeds[0] == seeds[2] == "7"
    assert link["images"] == [picture | {"link": True}] * 2
    assert inside["images"] == [picture | {"link": False}]
    assert (link["finished"], link["alive"], inside["alive"]) == (2, "OK", "OK")
    assert (link["workers"], link["news"]) == (["attic"], 0)
    assert "stable_diffusion" in link["models"]
    assert told["hand"] == {
        "user": "artist#2", "worker_count": 1, "is_possible": False, "taken_back": True,
    }  # fmt: skip


def test_a_worker_of_its_messages_delivers_the_very_bytes(ordu: Processes) -> None:
    server = ordu.server()
    artist, owner = server.register("artist"), server.register("owner")
    file = ordu.folder / "made.webp"
    drawing = ordu.program(
        "worker", *guarded("sdk_worker.py", str(file)), **settings(ordu, server, owner)
    )

    def is_popping() -> bool:
        assert drawing.process.poll() is None, drawing.said()
        return "nothing to do" in drawing.said()

    until(is_popping, "its worker to pop")
    with server.horde(artist) as horde:
        (picture,) = horde.generate("a lantern", width=128, height=64, steps=3, seed=11)
        assert drawing.end() == 0, drawing.said()
        user = horde.get_find_user(owner)
    told = last_line(drawing.said())
    assert picture.data == file.read_bytes()
    assert (picture.worker_name, picture.seed) == ("sdk loft", "11")
    assert (told["prompt"], told["steps"], told["upload"]) == ("a lantern", 3, 200)
    assert told["reward"] > 0
    assert known(user.kudos, 0.0) + known(user.evaluating_kudos, 0.0) == told["reward"]
    assert "already submitted" in told["again"]
    assert "not on loopback" not in drawing.said()


def test_the_guard_refuses_every_other_machine(ordu: Processes) -> None:
    calling = ordu.folder / "calling.py"
    calling.write_text("import socket; socket.create_connection(('192.0.2.1', 80))")
    guard = str(PROGRAMS / "on_loopback.py")
    caller = ordu.program("caller", sys.executable, guard, str(calling))
    assert caller.end() == 1
    assert "not on loopback: socket.getaddrinfo 192.0.2.1" in caller.said()
