"""Processes and connections die at any moment: nothing acknowledged is lost, nothing paid twice.

The machinery is in `tests/system/chaos`; `python -m tests.system.chaos` is a run by hand.
"""

import sys
from pathlib import Path

import pytest
from tests.system.chaos.running import Plan, run

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="what runs is found in /proc"
)

LYING = str(Path(__file__).with_name("programs") / "lying_server.py")


def assert_was_good(report):
    assert report.is_good, report.as_text()
    assert report.requests_acknowledged > 20, report.as_text()
    assert report.pictures_delivered > 20, report.as_text()


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_paid_twice_while_processes_and_connections_die(tmp_path):
    report = run(Plan(seconds=10, pause_s=0.3), tmp_path)
    assert_was_good(report)
    assert report.faults["connection ended by PostgreSQL"]
    assert any(name.startswith("SIGKILL") for name in report.faults)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_paid_twice_in_minutes_with_crashes_of_the_database(tmp_path):
    report = run(Plan(seconds=180, seed=8, is_long=True), tmp_path)
    assert_was_good(report)
    assert report.faults["crash of PostgreSQL"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_paid_twice_with_pictures_on_s3(tmp_path, s3):
    report = run(Plan(seconds=90, seed=9, is_long=True), tmp_path, s3=s3)
    assert_was_good(report)


def lying(how: str, folder: Path):
    """A run with servers that break a promise: two single processes, that die now and then."""
    program = (sys.executable, LYING, how)
    return run(Plan(seconds=10, pause_s=0.3, quiet_s_max=5), folder, processes=1, program=program)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_answers_before_the_commit_are_found(tmp_path):
    report = lying("early", tmp_path)
    assert report.lost, report.as_text()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_jobs_that_are_paid_twice_are_found(tmp_path):
    report = lying("twice", tmp_path)
    assert report.paid_twice, report.as_text()
