"""Logging of a process."""

import json
import logging

import pytest

from ordu.cli.logs import TALKATIVE, start_logging


@pytest.fixture(autouse=True)
def put_back():
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


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
