"""What is said about a body that is not what it should be."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType, inspect

from ordu.protocol.explain import KINDS, VIOLATIONS_MAX, explain
from ordu.protocol.jobs import PostJobSubmitRequest
from ordu.protocol.operations import TABLE, Operation
from ordu.protocol.requests import GenerationInput

REQUESTS = [operation for operation in TABLE if operation.request is not None]


class Inner(msgspec.Struct):
    text: Annotated[str, Meta(min_length=1, description="A text.")]
    share: Annotated[float, Meta(gt=0, lt=1)] | UnsetType = UNSET


class Everything(msgspec.Struct, kw_only=True):
    side: Annotated[int, Meta(ge=64, le=3072, multiple_of=64)] = 512
    half: Annotated[float, Meta(multiple_of=0.5)] = 1.5
    code: Annotated[str, Meta(pattern="^[a-z]+$", max_length=4)] = "a"
    word: Literal["one", "two", 3] | None = None
    either: int | Annotated[str, Meta(max_length=3)] = ""
    inner: Inner | None = None
    inners: Annotated[list[Inner], Meta(min_length=1, max_length=3)] = []
    numbers: dict[Annotated[str, Meta(max_length=3)], float] = {}
    free: dict[str, Any] | UnsetType = UNSET
    flag: bool = False
    hyphened: Annotated[int, Meta(gt=0)] = msgspec.field(default=1, name="post-processing")


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        pytest.param(
            {"params": {"width": 100}},
            "params.width",
            "100 is not a multiple of 64. Allowed: 64 to 3072 in steps of 64.",
            id="between two steps",
        ),
        pytest.param(
            {"params": {"height": 4096}},
            "params.height",
            "4096 is too large. Allowed: 64 to 3072 in steps of 64.",
            id="too large",
        ),
        pytest.param(
            {"params": {"n": 0}}, "params.n", "0 is too small. Allowed: 1 to 20.", id="too small"
        ),
        pytest.param(
            {"params": {"steps": "30"}},
            "params.steps",
            '"30" is a string. Allowed: a whole number (1 to 500).',
            id="a number as text",
        ),
        pytest.param(
            {"params": {"seed": 5}},
            "params.seed",
            "5 is a whole number. Allowed: a string.",
            id="a text as number",
        ),
        pytest.param(
            {"params": {"steps": 1.5}},
            "params.steps",
            "1.5 is a number. Allowed: a whole number (1 to 500).",
            id="a number that is not whole",
        ),
        pytest.param(
            {"nsfw": 1}, "nsfw", "1 is a whole number. Allowed: true or false.", id="1 for true"
        ),
        pytest.param(
            {"params": {"control_type": "magic"}},
            "params.control_type",
            '"magic" is not among the values. Allowed: "canny", "depth", "fakescribbles", "hed",'
            ' "hough", "normal", "openpose", "scribble", "seg".',
            id="an unknown word",
        ),
        pytest.param(
            {"models": ["sdxl", 7]},
            "models.1",
            "7 is a whole number. Allowed: a string.",
            id="an element of a list, by its index",
        ),
        pytest.param(
            {"models": "sdxl"}, "models", '"sdxl" is a string. Allowed: a list.', id="no list"
        ),
        pytest.param({"params": []}, "params", "This is a list. Allowed: an object.", id="list"),
        pytest.param(
            {"params": {"loras": [{"name": "a"}, {"model": 2}]}},
            "params.loras.1.name",
            "This field is required.",
            id="a missing field in an element",
        ),
        pytest.param(
            {"webhook": "http://"},
            "webhook",
            '"http://" has too few characters (7). Allowed: 10 to 1024 characters.',
            id="too short a text",
        ),
        pytest.param(
            {"workers": [""] * 1001},
            "workers",
            "There are too many entries (1001). Allowed: at most 1000 entries.",
            id="too long a list",
        ),
        pytest.param(
            {"params": {"cfg_scale": 1e300}},
            "params.cfg_scale",
            "1e+300 is too large. Allowed: -40 to 100.",
            id="a huge number",
        ),
        pytest.param(
            {"params": {"cfg_scale": 10**50}},
            "params.cfg_scale",
            "A 167-bit number is too large. Allowed: -40 to 100.",
            id="a whole number that nobody would read",
        ),
    ],
)
def test_what_is_wrong_with_a_request(body: dict[str, Any], path: str, words: str) -> None:
    assert explain(GenerationInput, {"prompt": "a cat", **body}) == {path: words}


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        pytest.param(
            {"code": "A1"},
            "code",
            '"A1" does not match. Allowed: a string that matches ^[a-z]+$.',
            id="a pattern",
        ),
        pytest.param(
            {"inner": {"text": "a", "share": 1}},
            "inner.share",
            "1 is too large. Allowed: more than 0 and less than 1.",
            id="open bounds",
        ),
        pytest.param(
            {"half": 1.25},
            "half",
            "1.25 is not a multiple of 0.5. Allowed: multiples of 0.5.",
            id="steps without bounds",
        ),
        pytest.param(
            {"either": []},
            "either",
            "This is a list. Allowed: a whole number or a string.",
            id="none of several types",
        ),
        pytest.param(
            {"either": "long"},
            "either",
            '"long" has too many characters (4). Allowed: at most 3 characters.',
            id="the one of several types that it is meant to be",
        ),
        pytest.param(
            {"word": 4}, "word", '4 is not among the values. Allowed: "one", "two", 3.', id="mixed"
        ),
        pytest.param(
            {"word": 4.5}, "word", '4.5 is a number. Allowed: "one", "two", 3.', id="not a word"
        ),
        pytest.param(
            {"inners": []},
            "inners",
            "There are too few entries (0). Allowed: 1 to 3 entries.",
            id="an empty list",
        ),
        pytest.param(
            {"numbers": {"a": "b"}},
            "numbers.a",
            '"b" is a string. Allowed: a number.',
            id="a value of a map",
        ),
        pytest.param(
            {"numbers": {"long": 1}},
            "numbers.long",
            '"long" has too many characters (4). Allowed: at most 3 characters.',
            id="a name in a map",
        ),
        pytest.param(
            {"half": 2**2000},
            "half",
            "A 2001-bit number is too large. Allowed: multiples of 0.5.",
            id="more than a float can hold",
        ),
        pytest.param(
            {"post-processing": 0},
            "post-processing",
            "0 is too small. Allowed: more than 0.",
            id="the name on the wire",
        ),
    ],
)
def test_other_rules(body: dict[str, Any], path: str, words: str) -> None:
    assert explain(Everything, body) == {path: words}


def test_all_violations_at_once() -> None:
    body = {"params": {"width": 1, "n": 21, "loras": [{}]}, "nsfw": "yes"}
    paths = {"prompt", "params.width", "params.n", "params.loras.0.name", "nsfw"}
    assert explain(GenerationInput, body).keys() == paths


def test_null_is_not_given_where_a_field_may_be_left_out() -> None:
    body = {"prompt": "a", "params": None, "nsfw": None, "seed": None}
    assert explain(GenerationInput, body) == {}
    assert explain(PostJobSubmitRequest, {"id": "a", "seed": None, "state": None}) == {}


def test_null_where_a_value_is_needed() -> None:
    assert explain(GenerationInput, {"prompt": None}) == {
        "prompt": "This is null. Allowed: a string."
    }
    assert explain(GenerationInput, {"prompt": "a", "models": [None]}) == {
        "models.0": "This is null. Allowed: a string."
    }


def test_a_seed_is_a_number_or_a_text_when_it_is_submitted() -> None:
    assert explain(PostJobSubmitRequest, {"id": "a", "seed": 5}) == {}
    assert explain(PostJobSubmitRequest, {"id": "a", "seed": "5"}) == {}


@pytest.mark.parametrize("value", [[], "text", 5, None, True])
def test_a_body_that_is_no_object(value: Any) -> None:
    (words,) = explain(GenerationInput, value).items()
    assert words[0] == "body"
    assert words[1].endswith("Allowed: an object.")


def test_what_was_given_is_shortened_and_visible() -> None:
    words = explain(GenerationInput, {"prompt": "a", "webhook": "\x00\u202e\n"})["webhook"]
    assert words.startswith(r'"\x00\u202e\n" has')
    words = explain(GenerationInput, {"prompt": "a", "models": ["x" * 1_000_000]})["models.0"]
    assert len(words.split(" has ")[0]) <= 60
    (path,) = explain(Everything, {"numbers": {"x\n" * 1000: 1}})
    assert len(path) <= len("numbers.") + 60
    assert path.isprintable()


def test_no_more_than_anybody_reads() -> None:
    errors = explain(GenerationInput, {"prompt": "a", "models": [1] * 1000})
    assert len(errors) == VIOLATIONS_MAX


def test_a_long_list_of_values_is_cut() -> None:
    words = Literal[tuple(f"value-{number:03}" for number in range(200))]  # type: ignore[valid-type]
    assert explain(words, "no")["body"].endswith('"value-029" and 170 more.')


def kinds_in(kind: inspect.Type, seen: set[type]) -> Iterator[type]:
    """The kinds of types that a type is made of."""
    match kind:
        case inspect.Metadata(type=inner):
            yield from kinds_in(inner, seen)
        case inspect.UnionType(types=members):
            for member in members:
                yield from kinds_in(member, seen)
        case inspect.StructType(cls=cls, fields=fields) if cls not in seen:
            yield type(kind)
            for field in fields:
                yield from kinds_in(field.type, seen | {cls})
        case inspect.CollectionType(item_type=inner) | inspect.DictType(value_type=inner):
            yield type(kind)
            yield from kinds_in(inner, seen)
        case _:
            yield type(kind)


@pytest.mark.parametrize("operation", REQUESTS, ids=lambda operation: operation.name)
def test_every_kind_of_type_in_a_request_is_known(operation: Operation) -> None:
    assert set(kinds_in(inspect.type_info(operation.request), set())) <= KINDS.keys()


# -- explain() and msgspec agree ---------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(-5, 10),
    st.sampled_from([64, 100, 512, 3072, 3136, -(2**63), 2**63, 2**64, 10**30, 2**1024]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.5, 1.0, 1.25, -40.0]),
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(["one", "k_lms", "prompt", "abc", "abcd", "ok", "https://a.example"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)


def json_values(type_: Any) -> st.SearchStrategy[Any]:
    """JSON values that look as if they were meant to be of this type, and others."""
    anything = st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
        max_leaves=8,
    )
    return st.one_of(meant(inspect.type_info(type_), anything), anything)


def meant(kind: inspect.Type, anything: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.Metadata(type=inner):
            return meant(inner, anything)
        case inspect.UnionType(types=members):
            return st.one_of([meant(member, anything) for member in members])
        case inspect.StructType(fields=fields):
            values = {f.encode_name: meant(f.type, anything) | SCALARS for f in fields}
            return st.fixed_dictionaries({}, optional=values)
        case inspect.CollectionType(item_type=inner):
            return st.lists(meant(inner, anything), max_size=4)
        case inspect.DictType(value_type=inner):
            return st.dictionaries(TEXTS, meant(inner, anything), max_size=4)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.IntType() | inspect.FloatType():
            return NUMBERS
        case inspect.StrType():
            return TEXTS
    return SCALARS | anything


def without_nulls(kind: inspect.Type, value: Any) -> Any:
    """The value without nulls in fields that may be left out."""
    match kind:
        case inspect.Metadata(type=inner):
            return without_nulls(inner, value)
        case inspect.UnionType(types=members):
            for member in members:
                value = without_nulls(member, value)
        case inspect.StructType(fields=fields) if isinstance(value, dict):
            optional = {field.encode_name for field in fields if not field.required}
            types = {field.encode_name: field.type for field in fields}
            return {
                name: without_nulls(types.get(name, inspect.AnyType()), inner)
                for name, inner in value.items()
                if not (name in optional and inner is None)
            }
        case inspect.CollectionType(item_type=inner) if isinstance(value, list):
            return [without_nulls(inner, element) for element in value]
        case inspect.DictType(value_type=inner) if isinstance(value, dict):
            return {name: without_nulls(inner, element) for name, element in value.items()}
    return value


@pytest.mark.parametrize("type_", [Everything, GenerationInput, PostJobSubmitRequest, list[Inner]])
@given(data=st.data())
def test_explains_what_msgspec_refuses_and_nothing_else(type_: Any, data: st.DataObject) -> None:
    value = data.draw(json_values(type_))
    try:
        msgspec.convert(without_nulls(inspect.type_info(type_), value), type_)
        converts = True
    except msgspec.ValidationError:
        converts = False
    errors = explain(type_, value)
    assert (errors == {}) == converts
    assert len(errors) <= VIOLATIONS_MAX
    assert all(path.isprintable() and words.isprintable() for path, words in errors.items())
