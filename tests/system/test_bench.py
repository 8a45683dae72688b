"""The scripts under `bench/` work: each is run in its quickest form, against real servers.

How fast things are is no matter here: machines that test are busy.
"""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.postgres import PostgresServer
from tests.system.processes import Processes

BENCH = Path(__file__).parents[2] / "bench"
STEPS = ("place", "pop", "submit", "check", "status")
BY_URL = ("lifecycle", "pop_empty", "check", "pop_backlog", "wake", "memory")


def run(ordu: Processes, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / f"{script}.py"), *arguments],
        cwd=ordu.folder,
        env=ordu.environment(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def figures(ordu: Processes, script: str, *arguments: str) -> dict[str, list[float]]:
    """What a script writes down, by name; it prints the same."""
    file = ordu.folder / f"{script}.json"
    done = run(ordu, script, "--quick", "--figures", str(file), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    found = msgspec.json.decode(file.read_bytes())
    assert len(done.stdout.splitlines()) == len(found)
    assert all(each["name"] in done.stdout for each in found)
    return {each["name"]: each["values"] for each in found}


def check_figures(found: dict[str, list[float]]) -> None:
    """There are some, and something was measured."""
    assert found
    for name, values in found.items():
        # Of processor time, and of memory that was there before, there may be nothing to measure.
        assert all(value > 0 for value in values) or "nothing happens" in name, name


@pytest.mark.parametrize(
    "script", ["lifecycle", "pop_empty", "check", "wake", "memory", "start", "join"]
)
def test_a_script_measures_something(ordu: Processes, script: str):
    check_figures(figures(ordu, script))


def test_a_backup_is_measured_beside_a_horde_that_is_busy(ordu: Processes):
    found = figures(ordu, "backup")
    # By chance a horde may be quicker while a backup is made, when so little is measured.
    assert len(found.pop("fewer lifecycles while a backup is made")) == 1
    check_figures(found)


def test_a_move_is_measured(ordu: Processes, postgres: PostgresServer):
    check_figures(figures(ordu, "move", "--to", postgres.empty()))


def test_processes_on_postgresql_wake_each_other(ordu: Processes, postgres: PostgresServer):
    """The script insists that the one that is woken waits at another process."""
    where = ("--database", postgres.url("postgres"), "--processes", "2")
    found = figures(ordu, "wake", *where)
    check_figures(found)
    assert all(name.endswith("(PostgreSQL, 2 processes)") for name in found)


@pytest.mark.slow
@pytest.mark.parametrize("script", ["lifecycle", "pop_empty", "check", "memory", "start"])
def test_every_script_measures_postgresql(ordu: Processes, postgres: PostgresServer, script: str):
    where = ("--database", postgres.url("postgres"), "--processes", "2")
    check_figures(figures(ordu, script, *where))


def test_a_place_that_cannot_be_measured_says_so(ordu: Processes):
    done = run(ordu, "lifecycle", "--processes", "2")
    assert done.returncode == 1
    assert "--database postgres" in done.stderr
    done = run(ordu, "lifecycle", "--database", "mysql://there")
    assert "--database sqlite" in done.stderr
    done = run(ordu, "lifecycle", "--url", "http://127.0.0.1:1", "--database", "postgres")
    assert "leave them out" in done.stderr


def test_a_server_that_is_named_is_measured(ordu: Processes):
    server = ordu.server("--concurrency", "1000")
    people = ("--owner", server.register("owner"), "--requester", server.register("requester"))
    assert figures(ordu, "lifecycle", "--url", server.url, *people)
    with server.horde() as horde:
        assert {worker.name for worker in horde.get_workers()} > {"bench worker 0"}


@pytest.mark.slow
@pytest.mark.parametrize("script", BY_URL)
def test_every_script_measures_a_server_that_is_named(ordu: Processes, script: str):
    server = ordu.server("--concurrency", "10000")
    people = ("--owner", server.register("owner"), "--requester", server.register("requester"))
    process = ("--pid", str(server.process.pid))
    assert figures(ordu, script, "--url", server.url, *people, *process)


def test_what_cannot_be_measured_from_outside_says_so(ordu: Processes):
    people = ("--owner", "a" * 22, "--requester", "b" * 22)
    done = run(ordu, "start", "--url", "http://127.0.0.1:1", *people)
    assert done.returncode == 1
    assert "cannot be measured with --url" in done.stderr
    done = run(ordu, "lifecycle", "--url", "http://127.0.0.1:1")
    assert "--owner KEY" in done.stderr


def test_the_map_of_lanes_is_measured(ordu: Processes):
    done = run(ordu, "lanes", "--sizes", "100", "--lanes", "10")
    assert done.returncode == 0, done.stderr
    assert "100 in     10" in done.stdout


def test_explanations_are_measured(ordu: Processes):
    done = run(ordu, "explain", "--sizes", "100")
    assert done.returncode == 0, done.stderr
    assert "100 in     10" in done.stdout


def test_the_steps_of_a_lifecycle_are_measured(ordu: Processes):
    done = run(ordu, "steps", "--many", "20", "--runs", "1")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == list(STEPS)


def test_the_steps_on_postgresql_are_measured(ordu: Processes, postgres: PostgresServer):
    url = postgres.url("postgres")
    done = run(ordu, "steps", "--many", "20", "--runs", "1", "--database", url)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(STEPS)
    assert lines[-1].startswith("tidings of a lifecycle: ")


def test_groups_are_measured_against_single_transactions(ordu: Processes, postgres: PostgresServer):
    few = ("--runs", "1", "--seconds", "0.2", "--people", "5", "--left-by", "50")
    ways = ("--alone", "2", "--groups", "4", "--group-connections", "2")
    url = postgres.url("postgres")
    done = run(ordu, "transactions", *few, *ways, "--database", url)
    assert done.returncode == 0, done.stderr
    assert "one to a transaction, 2 connections" in done.stdout
    assert "up to 4 to a transaction, 2 connections" in done.stdout
    assert "write-ahead log" in done.stdout


def test_databases_are_compared_side_by_side(ordu: Processes, postgres: PostgresServer):
    where = ("--database", postgres.url("postgres"), "--processes", "2")
    done = run(ordu, "report", "--quick", "--databases", *where, "--into", str(ordu.folder))
    assert done.returncode == 0, done.stderr
    page = (ordu.folder / "processes.md").read_text(encoding="utf-8")
    assert "| measured | SQLite, 1 process | PostgreSQL, 2 processes |" in page
    assert "| placed to a worker waiting at another process, p99 | – | " in page
    assert postgres.url("postgres") not in page, "an address may have a password"


def test_a_horde_is_put_on_paper(ordu: Processes):
    done = run(ordu, "scale", "--pictures-per-s", "500", "--processes", "2", "--simulate", "1000")
    assert done.returncode == 0, done.stderr
    assert "full first: " in done.stdout
    assert "lived through 1,000 pops" in done.stdout


def test_the_load_is_measured(ordu: Processes):
    done = run(ordu, "load", "--quick")
    assert done.returncode == 0, done.stderr
    assert "calls/s" in done.stdout


def test_moving_a_horde_is_measured(ordu: Processes, postgres: PostgresServer):
    found = figures(ordu, "move", "--to", postgres.empty())
    assert len(found) == 3
    assert all(value > 0 for values in found.values() for value in values)


def test_the_report_has_tables_and_a_plot(ordu: Processes):
    """Of the longest script, which is run by this test only."""
    done = run(ordu, "report", "--quick", "--only", "pop_backlog", "--into", str(ordu.folder))
    assert done.returncode == 0, done.stderr
    page = (ordu.folder / "figures.md").read_text(encoding="utf-8")
    assert "| pop with a job while placing, 100 waiting" in page
    plot = (ordu.folder / "latency.svg").read_text(encoding="utf-8")
    assert plot.count("<circle") == 3 * 2 * 2  # kinds of calls, percentiles, lengths of the queue
