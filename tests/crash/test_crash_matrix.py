"""A server is killed at every failpoint: what was answered is there, and no effect is half done."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.crash.cases import CASES, Case
from tests.crash.crashing import demand_all_or_nothing, demand_kept, do_again, strike
from tests.crash.stage import Stage
from tests.crash.variants import VARIANTS

import ordu
from ordu.failpoints import OF_PICTURES, OF_WRITES, PICTURES, WRITES, Failpoint, armed, name_of

PACKAGE = Path(inspect.getfile(ordu)).parent


def matrix(*, is_quick: bool = True) -> Iterator[Any]:
    """Every case with every moment; for each change one moment of each, and all of them in turn.

    Where it takes longer, for each change one case of every second failpoint.
    """
    everything = [(name, name, case) for name, case in CASES.items()]
    everything += [(f"{each.failpoint}: {what}", *each) for what, each in VARIANTS.items()]
    for number, (title, name, case) in enumerate(everything):
        moments = OF_WRITES if name in WRITES else OF_PICTURES
        for turn, moment in enumerate(moments):
            is_due = turn == number % len(moments) and (
                is_quick or (title == name and number % 2 == 0)
            )
            marks = [] if is_due else [pytest.mark.slow]
            yield pytest.param(name, case, moment, id=f"{title} - {moment}", marks=marks)


@pytest.mark.parametrize(("name", "case", "moment"), list(matrix()))
def test_a_server_that_dies_here(stage: Stage, name: str, case: Case, moment: str) -> None:
    demand_no_harm(stage, name, case, moment)


@pytest.mark.parametrize(("name", "case", "moment"), list(matrix(is_quick=False)))
def test_a_server_on_postgresql_that_dies_here(
    postgres_stage: Stage, name: str, case: Case, moment: str
) -> None:
    if name == "tidy_pictures":
        pytest.skip("a folder that processes share has a file for each picture, and no segments")
    demand_no_harm(postgres_stage, name, case, moment)


def demand_no_harm(stage: Stage, name: str, case: Case, moment: str) -> None:
    """Kill a server at this moment, and demand all or nothing of what it did."""
    if case.prepare is not None:
        stage.facts = stage.inside(case.prepare)
    before = case.look(stage) if case.undone is None else case.undone
    assert before != case.done
    kept = stage.rows() if case.prepare is not None else {}

    witnessed = strike(stage, case, name, moment)

    demand_all_or_nothing(stage, case, before if moment == "before" else case.done)
    demand_kept(stage, kept, witnessed)
    if moment == "before" and case.again:
        do_again(stage, case)
        demand_all_or_nothing(stage, case, case.done)


def test_every_failpoint_has_a_case() -> None:
    assert CASES.keys() == WRITES.keys() | PICTURES.keys()
    assert len(CASES) >= 30


def test_every_write_has_a_failpoint() -> None:
    found = []
    for path in [*(PACKAGE / "engine").glob("*.py"), *(PACKAGE / "server").rglob("*.py")]:
        for outer in ast.parse(path.read_text(encoding="utf-8")).body:
            calls = [each for each in ast.walk(outer) if isinstance(each, ast.Call)]
            for call in calls:
                if ast.unparse(call.func) in {"horde.write", "call.horde.write"}:
                    is_elsewhere = isinstance(call.args[0], ast.Attribute)
                    found.append(call.args[0].attr if is_elsewhere else outer.name)
    assert sorted(found) == sorted(WRITES), "each has a name, and no two have the same"


def test_a_write_is_called_as_the_function_that_makes_it() -> None:
    def outer():
        return lambda: None

    assert name_of(test_a_write_is_called_as_the_function_that_makes_it).startswith("test_a_write")
    assert name_of(outer()) == "test_a_write_is_called_as_the_function_that_makes_it"
    assert name_of(armed) == "armed"


@pytest.mark.parametrize("text", ["deliver", "deliver:never", "put_source:unanswered", "x:after",
                                  "deliver:after:0", "deliver:after:x", ":"])  # fmt: skip
def test_what_is_no_failpoint_is_refused_and_those_there_are_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"NAME:MOMENT:COUNT.*deliver.*put_source"):
        armed({"ORDU_FAILPOINT": text})


def test_a_server_does_not_start_with_what_is_no_failpoint(stage: Stage) -> None:
    running = stage.start("deliver:soon")
    assert running.end() == 2
    assert "ORDU_FAILPOINT=deliver:soon is no failpoint" in running.said()


def test_it_strikes_at_the_time_it_was_told() -> None:
    struck = []
    failpoint = Failpoint("take", "after", 3, lambda: struck.append(True))
    for moment in ("before", "after", "after", "unanswered"):
        failpoint.passed("take", moment)
    failpoint.passed("deliver", "after")
    assert not struck
    failpoint.passed("take", "after")
    assert struck
    assert armed({}) is None
    assert armed({"ORDU_FAILPOINT": ""}) is None
