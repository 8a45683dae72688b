"""The table of refusals."""

import re
from pathlib import Path

import pytest

from ordu.protocol import errors
from ordu.protocol.errors import RC, STATUS, Family, Refused


@pytest.mark.parametrize("rc", RC)
def test_every_rc_has_a_status_and_a_family(rc):
    status, family = RC[rc]
    assert 400 <= status <= 599
    assert isinstance(family, Family)
    assert STATUS[rc] == status


def test_every_family_has_an_rc():
    assert {family for _, family in RC.values()} == set(Family)


def test_no_rc_is_written_twice():
    source = Path(errors.__file__).read_text()
    names = re.findall(r'^    "([^"]+)": \(', source, re.MULTILINE)
    assert len(names) == len(set(names)) == len(RC)


def test_not_allowed_is_never_402():
    assert 402 not in STATUS.values()


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (401, Family.UNKNOWN_KEY),
        (404, Family.NOT_FOUND),
        (410, Family.NOT_FOUND),
        (429, Family.TOO_MUCH),
        (500, Family.BROKEN),
        (501, Family.NOT_IMPLEMENTED),
        (503, Family.CLOSED),
    ],
)
def test_a_status_that_says_what_it_is_has_one_family(status, family):
    assert {found for code, found in RC.values() if code == status} == {family}


@pytest.mark.parametrize(
    ("rc", "status"),
    [
        pytest.param("InvalidAPIKey", 401, id="unknown or missing key"),
        pytest.param("NotModerator", 403, id="not allowed"),
        pytest.param("KudosUpfront", 403, id="not enough kudos up front"),
        pytest.param("WorkerMaintenance", 403, id="worker in maintenance"),
        pytest.param("MaintenanceMode", 503, id="horde in maintenance"),
        pytest.param("NoValidWorkers", 503, id="sync without workers"),
        pytest.param("RequestExpired", 410, id="sync that expired"),
        pytest.param("TooManyPrompts", 429, id="concurrency"),
        pytest.param("DuplicateGen", 400, id="submitted twice"),
        pytest.param("AbortedGen", 400, id="submitted too late"),
        pytest.param("NotImplemented", 501, id="not built yet"),
        pytest.param("IdempotencyKeyConflict", 400, id="another body with the same key"),
    ],
)
def test_the_settled_statuses(rc, status):
    assert STATUS[rc] == status


def test_a_refusal_takes_its_status_from_the_table_unless_told():
    assert Refused("DuplicateGen", "…").status == 400
    assert Refused("DuplicateGen", "…", 404).status == 404


def test_a_refusal_keeps_what_it_says():
    refused = Refused("RateLimited", "Wait.", errors={"n": "too many"}, retry_after_s=3)
    assert (str(refused), refused.message, refused.retry_after_s) == ("Wait.", "Wait.", 3)
    assert refused.errors == {"n": "too many"}
    assert Refused("RateLimited", "Wait.", errors={}).errors is None


def test_an_unknown_rc_is_a_mistake_of_the_program():
    with pytest.raises(KeyError):
        Refused("NoSuchReason", "…")
