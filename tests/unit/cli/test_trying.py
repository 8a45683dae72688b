"""The self-test as it is told, and what it changes in the settings."""

import pytest
from tests.unit.cli import drawers

from ordu.cli.failures import Failure
from ordu.cli.worker.questions import Questions
from ordu.cli.worker.trying import facts, following, line_of, why_nothing
from ordu.settings import WorkerSettings
from ordu.worker.backends import Offer
from ordu.worker.selftest import Measurements, Pair, Proposal, Try

OFFER = Offer(("a", "b", "c"), 1024 * 1024)
SMALL = Try("a", 512, 512, 10, 0.5)
WELL = Proposal(works=True, megapixelsteps_per_s=5.0, seen_megapixelsteps_per_s=5.0)


def a_proposal(**changes):
    return Proposal(**{"works": True, "megapixelsteps_per_s": 5.0, **changes})


@pytest.mark.parametrize(
    ("settings", "proposal", "changes"),
    [
        pytest.param({}, {}, {}, id="nothing to change"),
        pytest.param({}, {"max_pixels": 500}, {"max_pixels": 500}, id="smaller"),
        pytest.param({"max_pixels": 400}, {"max_pixels": 500}, {}, id="the owner's limit stays"),
        pytest.param({"max_pixels": 400}, {}, {}, id="the owner's limit stays without another"),
        pytest.param(
            {"max_pixels": 600}, {"max_pixels": 500}, {"max_pixels": 500}, id="a lower limit counts"
        ),
        pytest.param({}, {"jobs": 2}, {"jobs": 2}, id="two at once"),
        pytest.param({"jobs": 3}, {"jobs": 2}, {}, id="the owner's number stays"),
        pytest.param({}, {"extra_slow": True}, {"extra_slow": True}, id="very slow"),
        pytest.param({"extra_slow": True}, {}, {}, id="the owner says it is very slow"),
        pytest.param(
            {}, {"failed": {"b": "broken"}}, {"models": ("a", "c")}, id="a model that fails"
        ),
        pytest.param(
            {"model_names": {"c": "it"}},
            {"failed": {"it": "broken"}},
            {"models": ("a", "b")},
            id="a model that fails under another name",
        ),
    ],
)
def test_what_changes(settings, proposal, changes):
    found = following(WorkerSettings(**settings), a_proposal(**proposal), ["a", "b", "c"])
    assert found == changes


@pytest.mark.parametrize(
    ("measured", "proposal", "name", "words"),
    [
        ({}, {"extra_slow": True}, "very slow", "requests whose authors admit very slow workers"),
        ({"loading_s": 3.0}, {}, "loading", "3.0 s before the first picture"),
        ({"sizes": (SMALL,)}, {}, "largest", "1048576 pixels, as the backend says (tried up to 5"),
        ({}, {}, "largest", "no size was tried"),
        ({"sizes": (SMALL,)}, {"max_pixels": 262144}, "largest", "max_pixels = 262144"),
        ({"pair": Pair(1.0, 1.5)}, {"jobs": 2}, "two at once", "1.50 times as fast as one after"),
        ({}, {"failed": {"b": "broken\x07"}}, "not offered", "b: broken"),
        ({"untested": ("b", "c")}, {}, "not tried", "b, c"),
        ({"cut": "the 60 s were over"}, {}, "cut short", "the 60 s were over"),
        ({}, {"kudos_per_hour": 1234.5}, "earns", "1,234 kudos an hour at most, if there is"),
    ],
)
def test_what_is_told(measured, proposal, name, words):
    found = dict(facts(Measurements(**measured), a_proposal(**proposal), OFFER))
    assert words in found[name]


def test_what_the_horde_sees_of_a_backend_that_holds_back():
    offer = Offer(("a",), 1024 * 1024, megapixelsteps_per_s_max=2.0)
    assert "faster than 2 megapixelsteps/s" in dict(facts(Measurements(), WELL, offer))["held back"]
    assert "held back" not in dict(facts(Measurements(), WELL, OFFER))


def test_several_devices_earn_several_times_as_much():
    found = dict(facts(Measurements(), a_proposal(kudos_per_hour=1000), OFFER, devices=3))
    assert found["earns"].startswith("3,000 kudos an hour at most")
    assert "3 devices" in found["earns"]


@pytest.mark.parametrize(
    ("tried", "line"),
    [
        (SMALL, "  512 × 512, 10 steps, a: 0.5 s, 5.2 megapixelsteps/s"),
        (Try("a\x07", 64, 64, 2, 1, "no\x07"), "  64 × 64, 2 steps, a : not made: no "),
    ],
)
def test_a_line_for_each_picture(tried, line):
    assert line_of(tried) == line


def test_why_there_is_no_picture():
    broken = Measurements(models=(Try("a", 1, 1, 1, 1, "no CUDA"), Try("b", 1, 1, 1, 1, "no file")))
    assert why_nothing(broken) == "No picture could be made. a: no CUDA; b: no file"
    late = Measurements(cut="the 60 s were over")
    assert "the 60 s were over. --seconds gives it more time" in why_nothing(late)


def test_all_devices_are_counted(call, horde, monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "attic")
    horde.to("GET /status/heartbeat", {"message": "OK"})
    horde.to("GET /find_user", {"id": 3, "username": "ferris#3", "worker_ids": []})
    backend = ("--backend", f"{drawers.HERE}:Several")
    result = call("worker", "join", "--yes", "--no-start", "--api-key", "k" * 22, *backend)
    assert result.exit_code == 0, result.output
    assert "with 3 devices like the one tried" in result.stdout


# -- questions ---------------------------------------------------------------------------------


@pytest.fixture
def typed(monkeypatch):
    """A person who gives these answers."""
    monkeypatch.setattr("ordu.cli.sure.has_terminal", lambda: True)

    def type_(*answers):
        waiting = list(answers)
        monkeypatch.setattr("click.prompt", lambda *_, default, **__: waiting.pop(0) or default)

    return type_


def test_choosing_by_number(typed):
    typed("7", "x", "0", "2")
    assert Questions(yes=False).choose("Which of these:", ["one", "two"]) == 1


def test_enter_chooses_the_first(typed):
    typed("")
    assert Questions(yes=False).choose("Which of these:", ["one", "two"]) == 0


def test_nothing_is_asked_where_there_is_one_answer(typed):
    typed()
    assert Questions(yes=False).choose("Which of these:", ["one"]) == 0
    assert Questions(yes=True).choose("Which of these:", ["one", "two"]) == 0


def test_choosing_ends(typed):
    typed(*["x"] * 5)
    with pytest.raises(Failure, match="start again"):
        Questions(yes=False).choose("Which of these:", ["one", "two"])
