"""`ordu simulate`: what it tells when all is well, and when it is not."""

import json

import pytest

from ordu.store import requests


def test_seeds_that_break_nothing(call):
    result = call("simulate", "--seeds", "3", "--steps", "20")
    assert result.exit_code == 0, result.output
    assert "3 seeds of 20 calls under faults" in result.output
    assert "every entry sums to zero" in result.output


def test_the_same_seeds_are_the_same_lives(call):
    first, second = (
        json.loads(call("simulate", "--seeds", "3", "--from", "7", "--json").stdout)
        for _ in range(2)
    )
    assert first["events"] > 0
    assert first["failures"] == []
    for measured in ("seconds", "slowest_s", "slowest_seed"):
        del first[measured], second[measured]
    assert first == second


def test_a_seed_that_breaks_a_promise_is_told_and_can_be_seen_again(call, monkeypatch):
    monkeypatch.setattr(requests, "expired", lambda tx, now, most: [])
    result = call("simulate", "--seeds", "50", "--from", "3")
    assert result.exit_code == 1
    assert "Broken: every request ends by its lifetime and a minute." in result.output
    assert "the time of request 1 was over" in result.output
    command = result.output.partition("See it again with: ordu ")[2].splitlines()[0]
    assert call(*command.split()).exit_code == 1


def test_a_broken_promise_as_json(call, monkeypatch):
    monkeypatch.setattr(requests, "expired", lambda tx, now, most: [])
    result = call("simulate", "--seeds", "50", "--json")
    assert result.exit_code == 1
    (failure,) = json.loads(result.stdout)["failures"]
    assert failure["invariant"] == "every request ends by its lifetime and a minute"
    assert any("asks for" in line for line in failure["story"])
    assert failure["command"].startswith("ordu simulate --seeds 1 --from ")


def test_several_servers_are_simulated_and_the_command_says_how_many(call, monkeypatch):
    facts = json.loads(call("simulate", "--seeds", "2", "--processes", "3", "--json").stdout)
    assert facts["server_starts"] >= 6
    monkeypatch.setattr("ordu.engine.horde.Horde.is_keeper", False)
    result = call("simulate", "--seeds", "50", "--processes", "3", "--json")
    (failure,) = json.loads(result.stdout)["failures"]
    assert failure["command"].endswith("--processes 3")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///x", "--database takes the address of a PostgreSQL"),
        ("postgresql://127.0.0.1:1/x", "The database cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_said(call, url, said):
    result = call("simulate", "--seeds", "2", "--database", url)
    assert result.exit_code != 0
    assert said in result.stderr
