"""Logging of a process."""

import json
import logging

import pytest

from ordu.cli.logs import start_logging


def test_json_is_one_object_a_line(capsys):
    start_logging("info", "json")
    try:
        raise ValueError("x")
    except ValueError:
        logging.getLogger("ordu.test").exception("two\nlines")
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["logger"], line["message"]) == ("error", "ordu.test", "two\nlines")
    assert "ValueError: x" in line["error"]
    assert line["time"].endswith("+00:00")


def test_lines_of_one_of_several_processes_have_its_number(capsys):
    start_logging("info", "json", 3)
    logging.getLogger("ordu.test").info("said")
    assert json.loads(capsys.readouterr().err)["process"] == 3
    start_logging("info", "text", 3)
    logging.getLogger("ordu.test").info("said")
    assert "INFO    [3] ordu.test: said" in capsys.readouterr().err


def test_level(capsys):
    start_logging("warning")
    logging.getLogger("ordu.test").info("not said")
    logging.getLogger("ordu.test").warning("said")
    text = capsys.readouterr().err
    assert "not said" not in text
    assert "WARNING ordu.test: said" in text


def test_libraries_that_log_links_and_headers_are_quiet_even_when_debugging(capsys):
    start_logging("debug")
    logging.getLogger("httpx").info("HTTP Request: PUT http://x/pictures/1?signature=secret")
    logging.getLogger("httpcore.http11").debug("apikey: secret")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_strangers_chose_is_one_line_and_moves_no_terminal(capsys, form):
    start_logging("info", form)
    said = "a\r\n12:00:00 INFO    ordu: forged\x1b[2J\x00\x07\x7f\x9b31m\u202e\u2028\U000e0001 ü 🦊"
    logging.getLogger("ordu").info("GET %s refused", said)
    try:
        raise ValueError(said)
    except ValueError:
        logging.getLogger("ordu").exception("failed")
    shown = capsys.readouterr().err
    first, *_ = shown.split("\n")
    assert "refused" in first
    assert "ü 🦊" in first
    assert all(each.isprintable() for each in shown.replace("\n", ""))
    assert not any(line.startswith("12:00:00 INFO    ordu: forged") for line in shown.split("\n"))
    if form == "json":
        assert json.loads(first)["message"] == f"GET {said} refused"
