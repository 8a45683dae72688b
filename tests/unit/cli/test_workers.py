"""`ordu workers`: by id or name, and nothing deleted by accident."""

import json

import pytest

from ordu.cli.workers import is_id

ID = "00000000-0000-4000-8000-000000000001"
ATTIC = {"id": ID, "name": "attic\a", "requests_fulfilled": 3, "models": ["a"], "uptime": 5}


@pytest.fixture
def attic(horde):
    horde.to(f"GET /workers/{ID}", ATTIC)
    horde.to("GET /workers/name/at%2Ftic", ATTIC)
    horde.to(f"PUT /workers/{ID}", {"maintenance": True, "info": "new"})
    horde.to(f"DELETE /workers/{ID}", {"deleted_id": ID, "deleted_name": "attic"})
    return horde


def test_list_has_whole_ids(call, horde):
    working = {**ATTIC, "maintenance_mode": False}
    resting = {**ATTIC, "maintenance_mode": True}
    horde.to("GET /workers?type=image&name=x", [working, resting, {**ATTIC, "paused": True}])
    result = call("workers", "list", "--name", "x", "--type", "image")
    assert result.stdout.count(ID) == 3
    for state in ("working", "maintenance", "paused"):
        assert state in result.stdout
    assert "\a" not in result.stdout


def test_list_of_none(call, horde):
    horde.to("GET /workers", [])
    assert call("workers", "list").stdout == "No such worker is online.\n"
    assert call("workers", "list", "--json").stdout == "[]\n"


@pytest.mark.parametrize("worker", [ID, "at/tic"])
def test_show(call, attic, worker):
    assert "  name                attic \n" in call("workers", "show", worker).stdout
    assert json.loads(call("workers", "show", worker, "--json").stdout)["id"] == ID


@pytest.mark.parametrize("worker", [ID, "at/tic"])
def test_edit(call, attic, worker):
    result = call(
        *("workers", "edit", worker, "--maintenance", "--message", "soon back", "--info", "")
    )
    assert result.stdout == "  maintenance  yes\n  info         new\n"
    assert attic.asked[-1].body == {
        "maintenance": True,
        "maintenance_msg": "soon back",
        "info": "",
    }


def test_edit_of_nothing(call, horde):
    result = call("workers", "edit", ID)
    assert result.exit_code == 2
    assert "Say what to change: --maintenance, --message, --paused, --info, --name." in (
        result.stderr
    )


@pytest.mark.parametrize("worker", [ID, "at/tic"])
def test_delete_with_yes(call, attic, worker):
    result = call("workers", "delete", worker, "--yes")
    assert result.stdout == f"attic ({ID}) is deleted.\n"


def test_delete_without_a_terminal_is_refused(call, attic):
    result = call("workers", "delete", ID)
    assert result.exit_code == 2
    assert "say --yes" in result.stderr
    assert attic.asked == []


@pytest.mark.parametrize(("said", "code", "calls"), [("y\n", 0, 2), ("n\n", 1, 1), ("\n", 1, 1)])
def test_delete_asks_at_a_terminal(call, attic, monkeypatch, said, code, calls):
    monkeypatch.setattr("ordu.cli.sure.has_terminal", lambda: True)
    result = call("workers", "delete", ID, stdin=said)
    assert result.exit_code == code
    assert len(attic.asked) == calls
    assert result.stderr.startswith("Delete attic , which made 3 pictures, for good? [y/N]: ")
    assert result.stderr.endswith("ordu: Nothing was deleted.\n") == (code == 1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [(ID, True), (ID.upper(), True), (ID[:-1], False), ("attic", False), (f"{{{ID}}}", False)],
)
def test_is_id(text, wanted):
    assert is_id(text) == wanted
