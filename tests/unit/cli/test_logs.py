"""Logging of a process."""

import json
import logging

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
