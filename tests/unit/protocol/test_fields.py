"""The `X-Fields` mask and the null rule: protocol sheet 01 §5 and §4.4, line by line."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ordu.protocol.errors import Refused
from ordu.protocol.fields import DEPTH_MAX, TEXT_MAX, compile_mask, leave_out_nulls, shape
from ordu.protocol.operations import TABLE, Nulls, Operation


class Details(msgspec.Struct):
    generated: float = 1.5
    uptime: int = 4200


class Worker(msgspec.Struct):
    name: str = "attic-gpu"
    owner: str | None = None
    details: Details | msgspec.UnsetType | None = msgspec.field(default_factory=Details)
    messages: list[Details] = msgspec.field(default_factory=lambda: [Details(), Details(2.5, 7)])
    models: list[str] = msgspec.field(default_factory=lambda: ["sdxl"])
    post_processing: bool = msgspec.field(default=False, name="post-processing")
    statistics: dict[str, Any] = msgspec.field(default_factory=lambda: {"day": {"sdxl": 3}, "n": 1})
    counts: dict[str, int] = msgspec.field(default_factory=lambda: {"sdxl": 3, "flux": 4})


ALL = msgspec.to_builtins(Worker())
FIELDS = [field.encode_name for field in msgspec.structs.fields(Worker)]


def an_operation(reply: Any = Worker, nulls: Nulls = Nulls.KEEP) -> Operation:
    return Operation(
        name="get_worker", method="GET", path="/api/v2/w", summary="", reply=reply, nulls=nulls
    )


WORKER = an_operation()
WORKERS = an_operation(list[Worker])
SPARSE = an_operation(nulls=Nulls.SKIP)


def masked(text: str | None, reply: Any = None, operation: Operation = WORKER) -> Any:
    return msgspec.json.decode(shape(operation, Worker() if reply is None else reply, text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("name", {"name": "attic-gpu"}, id="one name"),
        pytest.param("{name}", {"name": "attic-gpu"}, id="outer braces are optional"),
        pytest.param("name,owner", {"name": "attic-gpu", "owner": None}, id="two names"),
        pytest.param("name,owner,", {"name": "attic-gpu", "owner": None}, id="a trailing comma"),
        pytest.param(
            "{name,owner,}", {"name": "attic-gpu", "owner": None}, id="a trailing comma in braces"
        ),
        pytest.param("name owner", {"name": "attic-gpu", "owner": None}, id="a blank is a comma"),
        pytest.param(" name ;\n\towner! ", {"name": "attic-gpu", "owner": None}, id="other signs"),
        pytest.param(
            "details{uptime}", {"details": {"uptime": 4200}}, id="braces reduce an object"
        ),
        pytest.param("details {uptime}", {"details": {"uptime": 4200}}, id="a blank before braces"),
        pytest.param(
            "details{uptime}name",
            {"details": {"uptime": 4200}, "name": "attic-gpu"},
            id="a name right after braces",
        ),
        pytest.param(
            "messages{uptime}",
            {"messages": [{"uptime": 4200}, {"uptime": 7}]},
            id="braces reduce each object of a list",
        ),
        pytest.param("details", {"details": ALL["details"]}, id="a bare name keeps all of it"),
        pytest.param("details{}", {"details": ALL["details"]}, id="empty braces keep all of it"),
        pytest.param("{}", {}, id="nothing"),
        pytest.param("*", ALL, id="everything"),
        pytest.param(
            "*,details{uptime}",
            ALL | {"details": {"uptime": 4200}},
            id="everything, one field reduced",
        ),
        pytest.param("post-processing", {"post-processing": False}, id="a name with a hyphen"),
        pytest.param("Name", {}, id="names are case-sensitive"),
        pytest.param("nobody,name", {"name": "attic-gpu"}, id="an unknown name is dropped"),
        pytest.param("nobody", {}, id="only unknown names"),
        pytest.param("nobody{x{y}}", {}, id="braces behind an unknown name"),
        pytest.param("details{nobody}", {"details": {}}, id="only unknown names in an object"),
        pytest.param("statistics{day}", {"statistics": {"day": {"sdxl": 3}}}, id="keys of a map"),
        pytest.param(
            "statistics{day{sdxl},n{x}}",
            {"statistics": {"day": {"sdxl": 3}, "n": 1}},
            id="deeper into a field without a type",
        ),
        pytest.param("counts{flux}", {"counts": {"flux": 4}}, id="keys of a map of numbers"),
        pytest.param("name,name", {"name": "attic-gpu"}, id="a name twice"),
        pytest.param(
            "details{uptime},details", {"details": ALL["details"]}, id="the last mention counts"
        ),
        pytest.param("*{name}", ALL, id="braces behind the star mean nothing"),
        pytest.param("!!", ALL, id="no names at all is no mask"),
        pytest.param("", ALL, id="an empty header is no mask"),
        pytest.param(None, ALL, id="no mask"),
    ],
)
def test_what_a_mask_keeps(text: str | None, expected: Any) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "order"),
    [
        pytest.param("models,name", ["models", "name"], id="as in the mask, not as in the model"),
        pytest.param("models,*", ["models", *(f for f in FIELDS if f != "models")], id="rest last"),
        pytest.param("*,name", [*FIELDS[1:], "name"], id="rest first"),
    ],
)
def test_the_order_of_the_answer(text: str, order: list[str]) -> None:
    assert list(masked(text)) == order


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("a,,b", "Unexpected comma", id="two commas"),
        pytest.param(",a", "Unexpected comma", id="a leading comma"),
        pytest.param("details{,uptime}", "Unexpected comma", id="a leading comma in braces"),
        pytest.param("{a", "Missing closing bracket", id="outer braces left open"),
        pytest.param("n{x", "Missing closing bracket", id="inner braces left open"),
        pytest.param("{n{x}", "Missing closing bracket", id="one of two braces left open"),
        pytest.param("a}b", "Unexpected closing bracket", id="a bracket closes nothing"),
        pytest.param("{a}}", "Unexpected closing bracket", id="a bracket too many"),
        pytest.param("{x}{", "Unexpected opening bracket", id="braces after the end"),
        pytest.param("n{x}{y}", "Unexpected opening bracket", id="braces behind braces"),
        pytest.param("n,{y}", "Unexpected opening bracket", id="braces without a name"),
        pytest.param("{{x}}", "Unexpected opening bracket", id="doubled outer braces"),
        pytest.param("{a}b", "Unexpected name", id="a name after the end"),
        pytest.param("{a},b", "Unexpected comma", id="a comma after the end"),
        pytest.param("a" * (TEXT_MAX + 1), "2001 characters", id="too long"),
        pytest.param(
            "a{" * (DEPTH_MAX + 1) + "}" * (DEPTH_MAX + 1), "deeper than 8", id="too deep"
        ),
    ],
)
def test_a_mask_that_cannot_be_read(text: str, what: str) -> None:
    with pytest.raises(Refused, match=f"^Mask parse error: .*{what}") as refused:
        masked(text)
    assert (refused.value.rc, refused.value.status) == ("BadMask", 400)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("name{x}", id="braces on a text"),
        pytest.param("name{}", id="empty braces on a text"),
        pytest.param("models{x}", id="braces on a list of texts"),
        pytest.param("details{uptime{x}}", id="braces on a number further in"),
        pytest.param("counts{flux{x}}", id="braces on a number in a map"),
    ],
)
def test_a_mask_that_does_not_fit(text: str) -> None:
    with pytest.raises(Refused, match=r"^Mask error: Mask is inconsistent with model$") as refused:
        masked(text)
    assert (refused.value.rc, refused.value.status) == ("BadMask", 400)


def test_as_deep_and_as_long_as_is_read() -> None:
    assert masked("statistics{" + "a{" * (DEPTH_MAX - 1) + "b" + "}" * DEPTH_MAX)
    assert masked("name," + "a" * (TEXT_MAX - 5)) == {"name": "attic-gpu"}


def test_a_list_answer_is_masked_element_by_element() -> None:
    reply = [Worker(), Worker(name="cellar-gpu")]
    assert masked("name,details{uptime}", reply, WORKERS) == [
        {"name": "attic-gpu", "details": {"uptime": 4200}},
        {"name": "cellar-gpu", "details": {"uptime": 4200}},
    ]
    assert masked("nobody", reply, WORKERS) == [{}, {}]


@pytest.mark.parametrize(
    ("text", "reply", "expected"),
    [
        pytest.param("name,owner", Worker(), {"name": "attic-gpu"}, id="a named null is left out"),
        pytest.param("name,owner", Worker(owner=""), {"name": "attic-gpu", "owner": ""}, id="text"),
        pytest.param("details{nobody},name", Worker(), {"name": "attic-gpu"}, id="emptied object"),
        pytest.param("details{uptime}", Worker(details=None), {}, id="a null object"),
        pytest.param("details", Worker(details=msgspec.UNSET), {}, id="an object that is not set"),
        pytest.param(None, Worker(counts={}, models=[]), None, id="no mask"),
    ],
)
def test_nulls_left_out_stay_out(text: str | None, reply: Worker, expected: Any) -> None:
    if expected is None:
        expected = {key: ALL[key] for key in FIELDS if key not in {"owner", "counts"}}
        expected["models"] = []
    assert masked(text, reply, SPARSE) == expected


def test_nulls_left_out_of_each_element() -> None:
    operation = an_operation(list[Worker], Nulls.SKIP)
    assert masked("owner,name", [Worker()], operation) == [{"name": "attic-gpu"}]
    assert "owner" not in masked(None, [Worker()], operation)[0]


def test_nulls_kept_stay_with_a_mask() -> None:
    assert masked("details{uptime},owner", Worker(details=None)) == {"details": None, "owner": None}


def test_leave_out_nulls() -> None:
    value = {"null": None, "empty": {}, "false": False, "zero": 0, "text": "", "list": []}
    kept = {"false": False, "zero": 0, "text": "", "list": []}
    assert leave_out_nulls(value) == kept
    assert leave_out_nulls({"inner": value}) == {"inner": value}, "the top level only"


def test_a_compiled_mask_is_remembered() -> None:
    assert compile_mask(WORKER, "name") is compile_mask(WORKER, "name")
    assert compile_mask(WORKER, "name") is not compile_mask(an_operation(), "name")


def test_what_is_no_json_takes_any_mask() -> None:
    assert compile_mask(an_operation(None), "name{x}")
    with pytest.raises(Refused):
        compile_mask(an_operation(None), "name{x")


@pytest.mark.parametrize("operation", TABLE, ids=lambda operation: operation.name)
def test_every_operation_takes_a_mask(operation: Operation) -> None:
    assert compile_mask(operation, "*").picks == {"*": None}


MASKS = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*FIELDS, "uptime", "nobody", "*", ",", "{", "}", " "])).map("".join),
    st.recursive(
        st.sampled_from([*FIELDS, "uptime", "day", "*"]),
        lambda inner: st.lists(
            st.tuples(st.sampled_from(["details", "messages", "statistics"]), inner)
        ).map(lambda pairs: ",".join(f"{name}{{{text}}}" for name, text in pairs)),
        max_leaves=20,
    ),
)


@given(MASKS)
@example("{")
@example("}")
@example("{}{}")
def test_any_text_is_a_mask_or_refused(text: str) -> None:
    try:
        once = compile_mask(WORKER, text).apply(ALL)
    except Refused:
        return
    assert compile_mask(WORKER, text).apply(once) == once, "a mask applied twice changes nothing"
    assert once.keys() <= ALL.keys()
