"""What an operator does with a horde that runs: doctor, metrics, log, backup, a person's data."""

import json
import re
import signal
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest
from tests import exposition
from tests.canaries import files_with
from tests.system.processes import Processes, Server, until


def examine(ordu: Processes, server: Server, *arguments: str) -> dict[str, str]:
    """The grade of each thing that the doctor looks at, and no other exit code than fits."""
    port = server.url.rpartition(":")[2]
    places = ("--data", str(server.data), "--port", port)
    done = ordu.run("doctor", "--json", *places, *arguments)
    found = {each["about"]: each["grade"] for each in json.loads(done.stdout)}
    assert done.returncode == int("wrong" in found.values()), done.stdout
    assert done.stderr == ""
    return found


def free_ports(many: int) -> int:
    """The first of so many ports in a row that nobody has now."""
    while True:
        sockets = [socket.socket() for _ in range(many)]
        try:
            sockets[0].bind(("127.0.0.1", 0))
            first = sockets[0].getsockname()[1]
            for number, each in enumerate(sockets[1:], 1):
                each.bind(("127.0.0.1", first + number))
        except OSError:
            continue
        else:
            return first
        finally:
            for each in sockets:
                each.close()


def processes_at(first: int, many: int) -> list[str]:
    """What the processes at these ports call themselves; none where nobody answers."""
    found = []
    for port in range(first, first + many):
        try:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        except httpx.TransportError:
            continue
        (process,) = set(re.findall(r'process="(\d+)"', text))
        found.append(process)
    return found


@pytest.mark.slow
def test_each_of_several_processes_is_reached_by_itself(ordu: Processes, postgres):
    first = free_ports(2)
    url = postgres.new()
    try:
        many = ("--processes", "2", "--database", url, "--metrics-port", str(first))
        server = ordu.server(*many)
        until(lambda: processes_at(first, 2) == ["1", "2"], "both")
        began = numbers_at(first)
        server.send(signal.SIGHUP)  # one after the other is replaced
        until(lambda: processes_at(first, 2) == ["1", "2"] and numbers_at(first) > began, "others")
        server.send(signal.SIGTERM)
        assert server.end() == 0
    finally:
        postgres.drop(url)


def numbers_at(port: int) -> float:
    """When the process at this port began; 0 where nobody answers."""
    try:
        found = exposition.read(httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    except httpx.TransportError:
        return 0.0
    return exposition.value(found, "process_start_time_seconds")


def test_a_horde_is_looked_after_while_it_runs(ordu: Processes, tmp_path: Path):
    own_port = free_ports(1)
    server = ordu.server("--log-format", "json", "--metrics-port", str(own_port))
    key = server.register("canaryname")
    with server.horde(key) as horde:
        placed = horde.post_async_generate({"prompt": "canaryprompt", "params": {"n": 2}})

    assert examine(ordu, server)["server"] == "fine"
    assert examine(ordu, server)["backups"] == "better"
    assert ordu.run("backup", "b", "--data", str(server.data)).returncode == 0
    assert examine(ordu, server)["backups"] == "fine"

    found = exposition.read(httpx.get(f"{server.url}/metrics").text)
    assert exposition.value(found, "ordu_requests_placed_total") == 1
    assert exposition.value(found, "ordu_backup_timestamp_seconds") > 1e9
    assert exposition.value(found, "ordu_event_loop_lag_seconds_count") > 0
    assert processes_at(own_port, 1) == ["1"]

    exported = ordu.run("users", "export", "canaryname#2", "--data", str(server.data))
    document = json.loads(exported.stdout)
    assert document["account"]["username"] == "canaryname#2"
    assert document["requests"][0]["asked"]["prompt"] == "canaryprompt"

    refused = ordu.run("users", "erase", "2", "--data", str(server.data))
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    done = ordu.run("users", "erase", "2", "--yes", "--data", str(server.data))
    assert (done.returncode, done.stderr) == (0, "")
    gone = httpx.get(f"{server.url}/api/v2/generate/check/{placed.id}")
    assert gone.status_code == 404
    until(lambda: httpx.get(f"{server.url}/api/v2/users/2").status_code == 404, "the wiping")
    with server.horde(server.admin_key) as horde:
        assert "canary" not in str(horde.get_users())

    server.send(15)
    assert server.end() == 0
    assert files_with(server.data, "canary") == set()
    connection = sqlite3.connect(server.data / "horde.sqlite3")
    (act,) = connection.execute("SELECT operation, target_name FROM acts").fetchall()
    connection.close()
    assert act == ("ordu users erase", "(wiped)#2")
    check_log(server.said())
    assert examine(ordu, server)["server"] == "note"


def check_log(text: str) -> None:
    """Each line is JSON; a refusal tells what finds it again, and nothing of what was asked."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    refusals = [line for line in lines if line["message"].startswith("refused: ")]
    assert {line["rc"] for line in refusals} == {"RequestNotFound", "UserNotFound"}
    for line in refusals:
        assert len(line["request_id"]) == 32
        assert line["operation"]
        assert line["took_ms"] >= 0
    assert "canary" not in text
    assert "127.0.0.1" not in json.dumps(refusals)
