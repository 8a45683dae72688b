"""What is odd about a picture, and from when on it is too much."""

import re
from pathlib import Path

import msgspec
import pytest

from ordu.rules.results import (
    ALIKE,
    BLANK_SHARE,
    RATES,
    SUSPECTED_FOR,
    Finding,
    Seen,
    Wanted,
    findings,
    is_size_of,
    is_too_many,
)
from ordu.rules.trust import REPEATED

WANTED = Wanted(width=512, height=768)
SEEN = Seen(width=512, height=768, uneven=0.9)


@pytest.mark.parametrize(
    ("factors", "size", "is_so"),
    [
        pytest.param((1,), (512, 768), True, id="as asked for"),
        pytest.param((1,), (505, 775), True, id="rounded by less than eight pixels"),
        pytest.param((1,), (504, 768), False, id="eight pixels less"),
        pytest.param((1,), (768, 512), False, id="turned round"),
        pytest.param((1,), (1024, 1536), False, id="larger, without an upscaler"),
        pytest.param((1, 2), (1024, 1536), True, id="upscaled"),
        pytest.param((1, 2), (512, 768), True, id="an upscaler that was left out"),
        pytest.param((1, 2), (1024, 768), False, id="one side of it upscaled"),
        pytest.param((1, 4), (1024, 1536), False, id="upscaled by less"),
        pytest.param((), (64, 64), True, id="any, where the machine chooses"),
    ],
)
def test_is_size_of(factors, size, is_so):
    assert is_size_of(msgspec.structs.replace(WANTED, factors=factors), *size) is is_so


REDRAWN = {"leaves_source": True}


@pytest.mark.parametrize(
    ("wanted", "seen", "found"),
    [
        pytest.param({}, {}, set(), id="nothing"),
        pytest.param({}, {"uneven": BLANK_SHARE}, {Finding.BLANK}, id="just blank"),
        pytest.param({}, {"uneven": BLANK_SHARE + 0.001}, set(), id="a little is on it"),
        pytest.param({}, {"uneven": None}, set(), id="what was not looked at"),
        pytest.param({}, {"width": 64}, {Finding.OTHER_SIZE}, id="another size"),
        pytest.param(REDRAWN, {"like_source": ALIKE}, {Finding.SOURCE}, id="the source"),
        pytest.param(REDRAWN, {"like_source": ALIKE - 0.001}, set(), id="hardly the source"),
        pytest.param({}, {"like_source": 1.0}, set(), id="a source that was to be kept"),
        pytest.param({}, {"like_earlier": ALIKE}, {Finding.REPEAT}, id="an earlier one"),
        pytest.param({}, {"like_earlier": ALIKE - 0.001}, set(), id="hardly an earlier one"),
        pytest.param({"varies": False}, {"like_earlier": 1.0}, set(), id="what has to be alike"),
        pytest.param(
            REDRAWN, {"like_source": 1, "like_earlier": 1}, {Finding.SOURCE}, id="the source twice"
        ),
        pytest.param(
            {}, {"uneven": 0.0, "like_earlier": 1.0}, {Finding.BLANK}, id="what is blank twice"
        ),
        pytest.param(
            {},
            {"uneven": 0.0, "width": 64, "is_stand_in": True},
            set(),
            id="a stand-in, of which nothing is expected",
        ),
    ],
)
def test_findings(wanted, seen, found):
    replace = msgspec.structs.replace
    assert findings(replace(WANTED, **wanted), replace(SEEN, **seen)) == found


@pytest.mark.parametrize("finding", Finding)
def test_a_suspicion_is_due_at_each_multiple_of_the_least_while_the_share_is_reached(finding):
    least, share = RATES[finding].least, RATES[finding].share
    few, many = int(least / share), int(2 * least / share)
    assert is_too_many(finding, least, few)
    assert not is_too_many(finding, least, few + 1), "the share is not reached"
    assert not is_too_many(finding, least - 1, least - 1), "that few prove nothing"
    assert not is_too_many(finding, least + 1, least + 1), "the suspicion was counted before"
    assert is_too_many(finding, 2 * least, many)


def test_every_finding_has_a_rate_and_a_reason_that_counts_each_time():
    assert RATES.keys() == SUSPECTED_FOR.keys() == set(Finding)
    assert set(SUSPECTED_FOR.values()) <= REPEATED
    assert len(set(SUSPECTED_FOR.values())) == len(Finding)


def test_an_honest_machine_may_fail_some():
    assert all(rate.least >= 3 and 0.05 <= rate.share <= 0.2 for rate in RATES.values())


def test_the_table_for_operators_says_the_rates():
    page = Path(__file__).parents[3] / "docs" / "how-to" / "run-a-horde.md"
    said = re.findall(r"^\| `(\w+)` \|.*\| (\d+), from (\d+) %", page.read_text(), re.MULTILINE)
    assert {name: (int(least), int(share) / 100) for name, least, share in said} == {
        finding: (rate.least, rate.share) for finding, rate in RATES.items()
    }
