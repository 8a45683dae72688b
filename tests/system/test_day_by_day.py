"""What an operator does with a horde that runs: doctor, metrics, log, backup, a person's data."""

import json
import sqlite3
from pathlib import Path

import httpx
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


def test_a_horde_is_looked_after_while_it_runs(ordu: Processes, tmp_path: Path):
    server = ordu.server("--log-format", "json", "--sweep-interval-s", "1")
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
