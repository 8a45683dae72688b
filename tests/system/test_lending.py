"""A real worker on its owner's terms: paused, resumed, looked at and stopped from outside."""

import json
import signal
from datetime import datetime
from typing import Any

import pytest
from tests.system.processes import Processes, Server, until
from tests.system.test_story import SMALL

from ordu.client import Horde
from ordu.client.wire import known
from ordu.settings.hours import DAYS


def told(ordu: Processes) -> dict[str, Any]:
    """What the one running worker says of itself; nothing when none runs."""
    done = ordu.run("worker", "status", "--json")
    assert done.returncode == 0, done.stderr
    each: dict[str, Any]
    for each in json.loads(done.stdout):
        return {**each["worker"], "is_paused": each["is_paused"]}
    return {}


def has_paused(ordu: Processes) -> bool:
    return str(told(ordu).get("waits", "")).startswith("paused by its owner")


def is_waiting(horde: Horde, request: str) -> bool:
    check = horde.get_async_check(request)
    return (check.waiting, check.processing, check.finished) == (1, 0, 0)


def is_done(horde: Horde, request: str) -> bool:
    return known(horde.get_async_check(request).done, default=False)


def place(horde: Horde) -> str:
    return known(horde.post_async_generate(SMALL).id, "")


@pytest.fixture
def server(ordu) -> Server:
    return ordu.server()


def say(ordu: Processes, *words: str) -> str:
    done = ordu.run("worker", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_paused_worker_takes_nothing_until_it_is_resumed(ordu, server):
    owner = server.register("owner")
    worker = ordu.worker(server, owner)
    with server.horde(owner) as horde:
        first = place(horde)
        until(lambda: is_done(horde, first), "the first picture")
        assert say(ordu, "pause") == "attic is paused by its owner.\n"
        until(lambda: has_paused(ordu), "the pause")
        second = place(horde)
        assert is_waiting(horde, second)
        until(lambda: told(ordu)["pictures"] == 1, "its record")
        say(ordu, "resume", "attic")
        until(lambda: is_done(horde, second), "the second picture")
        until(lambda: told(ordu)["pictures"] == 2, "its record")
    assert told(ordu)["kudos"] > 0
    assert say(ordu, "stop") == "attic stops.\n"
    assert worker.end() == 0
    assert told(ordu) == {}


def test_a_pause_outlives_a_killed_worker(ordu, server):
    owner = server.register("owner")
    worker = ordu.worker(server, owner)
    assert say(ordu, "pause", "--for", "1h").startswith("attic is paused by its owner until ")
    until(lambda: has_paused(ordu), "the pause")
    worker.kill()
    assert told(ordu) == {}
    again = ordu.worker(server, owner)
    until(lambda: has_paused(ordu), "the pause of the new one")
    again.send(signal.SIGUSR2)
    with server.horde(owner) as horde:
        request = place(horde)
        until(lambda: is_done(horde, request), "a picture")
    assert not told(ordu)["is_paused"]


def test_signals_alone_pause_and_resume(ordu, server):
    owner = server.register("owner")
    worker = ordu.worker(server, owner)
    worker.send(signal.SIGUSR1)
    until(lambda: has_paused(ordu), "the pause")
    assert told(ordu)["is_paused"]
    worker.send(signal.SIGUSR2)
    until(lambda: told(ordu)["waits"] == "", "its end")


def test_what_is_in_hand_is_finished_in_a_pause_and_let_go_by_stop_now(ordu, server, tmp_path):
    owner = server.register("owner")
    began, go = tmp_path / "began", tmp_path / "go"
    worker = ordu.worker(
        server,
        owner,
        *("--backend", "slow_backend:SlowBackend", "--prefetch", "0"),
        SLOW_BEGAN=str(began),
        SLOW_UNTIL=str(go),
    )
    with server.horde(owner) as horde:
        request = place(horde)
        until(began.exists, "the picture to be begun")
        assert say(ordu, "pause") == "attic is paused by its owner; 1 in hand is finished.\n"
        go.touch()
        until(lambda: is_done(horde, request), "the picture")
        go.unlink()
        began.unlink()
        say(ordu, "resume")
        place(horde)
        until(began.exists, "the next picture to be begun")
    assert say(ordu, "stop", "--now") == "attic has stopped.\n"
    assert worker.end() == 130


def test_the_same_worker_does_not_run_twice(ordu, server):
    owner = server.register("owner")
    worker = ordu.worker(server, owner)
    done = ordu.run("worker", "--url", server.url, "--name", "attic", ORDU_API_KEY=owner)
    assert done.returncode == 2
    assert f"already (process {worker.process.pid})" in done.stderr


def test_outside_its_hours_it_asks_for_nothing(ordu, server):
    in_three_days = DAYS[(datetime.now().astimezone().weekday() + 3) % 7]
    ordu.start(
        "worker", "worker", "--url", server.url, "--name", "attic", "--with-parent",
        ORDU_API_KEY=server.register("owner"), ORDU_HOURS=in_three_days,
    )  # fmt: skip
    until(lambda: "outside its hours until" in told(ordu).get("waits", ""), "the reason")
    with server.horde() as horde:
        assert horde.get_workers() == []


def test_the_worker_beside_a_server_draws_on_battery_too(ordu):
    server = ordu.server("--with-worker")
    until(lambda: any("--name local" in each for each in ordu.left()), "the local worker")
    (command,) = [each for each in ordu.left() if "--name local" in each]
    assert "--on-battery on" in command  # else the first try on a laptop would wait for ever
    server.send(signal.SIGTERM)
    assert server.end() == 0
