"""`ordu news`: published and taken back here, shown from anywhere."""

import json
import sqlite3
from pathlib import Path

import pytest

from ordu.store import sqlite
from ordu.store.migrations import bring_up_to_date

DATA = Path("horde")


@pytest.fixture
def horde_here(call) -> None:
    DATA.mkdir()
    bring_up_to_date(DATA / "horde.sqlite3")


def test_add_list_remove(call, horde_here):
    first = call(
        *("news", "add", "The horde moves.\nOn Friday.", "--title", "Moving", "--tag", "a"),
        *("--tag", "b", "--more-info", "https://example.org/x?y=1", "--importance", "crisis"),
    )
    assert (first.exit_code, first.stdout) == (0, "Published as number 1.\n"), first.stderr
    assert json.loads(call("news", "add", "More", "--json").stdout) == {"number": 2}
    listed = json.loads(call("news", "list", "--data", "horde", "--json").stdout)
    assert [each.pop("id") for each in listed] == [2, 1]
    date = listed[1].pop("date_published")
    assert listed[1] == {
        "newspiece": "The horde moves.\nOn Friday.",
        "importance": "Crisis",
        "title": "Moving",
        "tags": ["a", "b"],
        "more_info_urls": ["https://example.org/x?y=1"],
    }
    assert call("news", "list", "--data", "horde").stdout == (
        f"2.  {date}  Information\n  More\n"
        f"1.  {date}  Crisis  Moving  #a  #b\n  The horde moves.\n  On Friday.\n"
        "  https://example.org/x?y=1\n"
    )
    assert call("news", "remove", "1").stdout == "Number 1 is taken back.\n"
    again = call("news", "remove", "1")
    assert (again.exit_code, again.stderr) == (1, "ordu: There is no news with the number 1.\n")
    assert json.loads(call("news", "remove", "2", "--json").stdout) == {"number": 2}
    assert call("news", "list", "--data", "horde").stdout == "There is no news.\n"
    connection = sqlite3.connect(DATA / "horde.sqlite3")
    acts = connection.execute("SELECT actor_id, operation, target_id FROM acts ORDER BY id")
    assert sorted(acts.fetchall()) == [
        *((-1, "ordu news add", number) for number in "12"),
        *((-1, "ordu news remove", number) for number in "12"),
    ]
    connection.close()


def test_list_over_the_network_shows_foreign_text_safely(call, horde):
    piece = {"date_published": "2026-01-02", "newspiece": "a\x1b[2J\nb", "importance": "Crisis"}
    horde.to("GET /status/news", [piece])
    assert call("news", "list").stdout == "2026-01-02  Crisis\n  a [2J\n  b\n"
    assert json.loads(call("news", "list", "--json").stdout) == [piece]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([""], id="no text"),
        pytest.param([" \n"], id="only space"),
        pytest.param(["x" * 10_001], id="text too long"),
        pytest.param(["x", "--title", "x" * 201], id="title too long"),
        pytest.param(["x", "--importance", "Great"], id="importance that there is not"),
        pytest.param(["x", "--more-info", "javascript:alert(1)"], id="no address of the web"),
        pytest.param(["x", "--more-info", "https://"], id="address without a host"),
        pytest.param(["x", "--more-info", "https://[x"], id="address that cannot be read"),
        pytest.param(["x", "--more-info", "https://x/ y"], id="address with a space"),
        pytest.param(["x", *["--tag", "x"] * 21], id="too many tags"),
    ],
)
def test_add_called_wrongly(call, horde_here, arguments):
    assert call("news", "add", *arguments).exit_code == 2
    assert call("news", "list", "--data", "horde").stdout == "There is no news.\n"


@pytest.mark.parametrize(
    "command", [["add", "x"], ["remove", "1"], ["list", "--data", "horde"]], ids=lambda it: it[0]
)
def test_no_horde_is_made_by_asking(call, command):
    result = call("news", *command)
    assert result.exit_code == 2
    assert result.stderr.startswith("ordu: There is no horde here: ")
    assert not DATA.exists()


def test_database_that_somebody_holds(call, horde_here, monkeypatch):
    monkeypatch.setattr(sqlite, "PRAGMAS", ("PRAGMA busy_timeout=0",))
    holder = sqlite3.connect(DATA / "horde.sqlite3", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        result = call("news", "add", "x")
    finally:
        holder.close()
    assert result.exit_code == 1
    assert result.stderr == (
        "ordu: horde/horde.sqlite3 cannot be changed now: database is locked.\n"
    )
