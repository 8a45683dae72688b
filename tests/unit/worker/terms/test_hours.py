"""Hours: what may be written, when they are open, and what happens when clocks are turned."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.settings import SettingError, WorkerSettings, read
from ordu.settings.hours import DAYS, WEEK_MINUTES, is_item, minutes_of
from ordu.worker.terms.hours import Hours

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [BERLIN, UTC, *map(ZoneInfo, ("America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"))]


def at(text: str, fold: int = 0) -> datetime:
    """A moment as a clock in Berlin shows it; `fold` 1 is the second time it does."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("item", "minutes"),
    [
        pytest.param("22:00-07:00", 7 * 9 * 60, id="each night"),
        pytest.param("Sat-Sun", 2 * 24 * 60, id="whole days"),
        pytest.param("wed", 24 * 60, id="one whole day, in small letters"),
        pytest.param("Mon-Fri 18:00-23:30", 5 * 330, id="evenings of some days"),
        pytest.param("Sat 10:00-14:00", 240, id="some hours of one day"),
        pytest.param("Fri-Mon 8:00 - 24:00", 4 * 16 * 60, id="days over the end of the week"),
        pytest.param("00:00-24:00", WEEK_MINUTES, id="always"),
        pytest.param("Sun 23:00-00:00", 60, id="midnight as zero"),
        pytest.param("Mon-Sun", WEEK_MINUTES, id="every day"),
    ],
)
def test_an_item_stands_for_so_many_minutes_of_the_week(item, minutes):
    assert is_item(item)
    assert len(minutes_of(item)) == minutes


@pytest.mark.parametrize(
    "item",
    ["", " ", "10:00", "22-07", "25:00-07:00", "24:00-07:00", "22:00-24:30", "22:60-23:00",
     "08:00-08:00", "Mon10:00-12:00", "Moon", "Mon-", "Mon-Fri-Sun", "Mon 10:00", "10:00-12:00 Mon",
     "ſat", "Mon 1٠:00-12:00"],
)  # fmt: skip
def test_anything_else_is_no_item(item):
    assert not is_item(item)


def test_a_wrong_item_is_refused_when_settings_are_read_in_one_line():
    with pytest.raises(SettingError) as caught:
        read(WorkerSettings, {"hours": "22:00-07:00, 25:00-26:00"}, {})
    assert str(caught.value) == (
        "Setting hours (flag --hours): 22:00-07:00, 25:00-26:00 is not allowed; it takes items"
        " such as 22:00-07:00, Sat-Sun or Mon-Fri 18:00-23:30, with commas between."
    )
    settings = read(WorkerSettings, {"hours": "Sat-Sun, 22:00-07:00"}, {}).values
    assert settings.hours == ("Sat-Sun", "22:00-07:00")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        pytest.param("2026-11-26T21:59:59", False, id="a second before"),
        pytest.param("2026-11-26T22:00:00", True, id="at the beginning"),
        pytest.param("2026-11-27T06:59:59", True, id="over midnight"),
        pytest.param("2026-11-27T07:00:00", False, id="at the end"),
        pytest.param("2026-11-28T03:00:00", False, id="the night before belongs to Friday"),
        pytest.param("2026-11-28T12:00:00", True, id="another item"),
    ],
)
def test_any_item_that_holds_opens(moment, is_open):
    assert Hours(("Thu 22:00-07:00", "Sat 10:00-14:00"), BERLIN).is_open(at(moment)) is is_open


def test_without_items_it_is_always_open():
    hours = Hours((), BERLIN)
    now = at("2026-11-26T12:00")
    assert hours.is_open(now)
    assert hours.opens_at(now) == now
    assert hours.closes_at(now) is None


def test_the_clock_of_this_machine_counts_when_no_zone_is_said():
    now = datetime.now().astimezone()
    today = DAYS[now.weekday()]
    assert Hours((today,)).is_open(now.astimezone(UTC))


# Berlin: 02:00 is followed by 03:00 on 2026-03-29, and 03:00 by 02:00 on 2026-10-25.
@pytest.mark.parametrize(
    ("item", "now", "opens", "closes"),
    [
        pytest.param(
            "22:00-07:00", at("2026-03-28T23:00"), at("2026-03-28T23:00"), at("2026-03-29T07:00"),
            id="a night of 8 hours",
        ),
        pytest.param(
            "02:30-05:00", at("2026-03-29T01:00"), at("2026-03-29T03:00"), at("2026-03-29T05:00"),
            id="begins in the hour that is left out: opens after it",
        ),
        pytest.param(
            "01:00-02:30", at("2026-03-29T00:30"), at("2026-03-29T01:00"), at("2026-03-29T03:00"),
            id="ends in the hour that is left out: closes with it",
        ),
        pytest.param(
            "Sun 02:10-02:20", at("2026-03-29T00:30"), at("2026-04-05T02:10"),
            at("2026-04-05T02:20"), id="wholly in it: not that week",
        ),
        pytest.param(
            "02:30-02:45", at("2026-10-25T02:50"), at("2026-10-25T02:30", 1),
            at("2026-10-25T02:45", 1), id="in the hour that comes twice: twice",
        ),
        pytest.param(
            "01:00-02:30", at("2026-10-25T02:40"), at("2026-10-25T02:00", 1),
            at("2026-10-25T02:30", 1), id="opens again when the clock is turned back",
        ),
    ],
)  # fmt: skip
def test_hours_turn_with_the_clock(item, now, opens, closes):
    hours = Hours((item,), BERLIN)
    found = hours.opens_at(now)
    assert found is not None
    assert found.astimezone(UTC) == opens.astimezone(UTC)
    end = hours.closes_at(found)
    assert end is not None
    assert end.astimezone(UTC) == closes.astimezone(UTC)


clock = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
days = st.sampled_from(["", *(f"{day} " for day in DAYS), "Mon-Fri ", "Sat-Sun ", "Fri-Mon "])
items = st.lists(
    st.builds("{}{}-{}".format, days, clock, clock).filter(is_item), min_size=1, max_size=3
)
FIRST, LAST = (datetime.fromisoformat(f"{year}-01-01") for year in (2026, 2028))
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@given(items, moments, st.sampled_from(ZONES))
def test_it_opens_when_it_says_and_not_before(wanted, now, zone):
    hours = Hours(wanted, zone)
    opens = hours.opens_at(now)
    assert opens is not None
    assert hours.is_open(opens)
    assert now <= opens <= now + timedelta(days=14)
    if opens > now:
        assert not hours.is_open(now)
        assert not hours.is_open(opens - timedelta(seconds=1))


@given(items, moments)
def test_without_summer_time_it_opens_within_a_week(wanted, now):
    opens = Hours(wanted, UTC).opens_at(now)
    assert opens is not None
    assert now <= opens < now + timedelta(days=7)


@given(items, moments, st.sampled_from(ZONES))
def test_it_closes_when_it_says_and_not_before(wanted, now, zone):
    hours = Hours(wanted, zone)
    closes = hours.closes_at(now)
    if closes is None:
        assert len(frozenset().union(*map(minutes_of, wanted))) == WEEK_MINUTES
        return
    assert not hours.is_open(closes)
    assert now <= closes
    if closes > now:
        assert hours.is_open(now)
        assert hours.is_open(closes - timedelta(seconds=1))
