"""Decoding: whatever the bytes are, the caller gets a message or a refusal."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordu.protocol.decoding import DEPTH_MAX, decode, decode_reply, forgive
from ordu.protocol.errors import Refused
from ordu.protocol.jobs import PopInputStable, PostJobSubmitRequest
from ordu.protocol.kudos import KudosTransferred, PostTransferKudosRequest
from ordu.protocol.operations import TABLE
from ordu.protocol.requests import GenerationInput, RequestStatusCheck
from ordu.protocol.status import ActiveModel, PutHordeModesRequest
from ordu.protocol.users import PutUserSingleRequest
from ordu.protocol.workers import PutWorkerSingleRequest

REQUESTS = [row.request for row in TABLE if row.request]


def refusal(wanted: Any, raw: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        decode(wanted, raw)
    assert caught.value.status == 400
    return caught.value


def body(**fields: Any) -> bytes:
    return json.dumps({"prompt": "a fox", **fields}).encode()


# -- what is no JSON object at all -------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "rc", "words"),
    [
        pytest.param(b"", "MalformedBody", "no body", id="nothing"),
        pytest.param(b"  \n", "MalformedBody", "no body", id="only blanks"),
        pytest.param(b"[]", "MalformedBody", "JSON object", id="a list"),
        pytest.param(b"null", "MalformedBody", "JSON object", id="null"),
        pytest.param(b'"prompt"', "MalformedBody", "JSON object", id="a string"),
        pytest.param(b"7", "MalformedBody", "JSON object", id="a number"),
        pytest.param(b"{", "MalformedBody", "not valid JSON", id="cut off"),
        pytest.param(b'{"prompt":"x",}', "MalformedBody", "trailing comma", id="trailing comma"),
        pytest.param(b'{"prompt":"x"}{}', "MalformedBody", "trailing", id="two values"),
        pytest.param(b"prompt=a+fox", "MalformedBody", "not valid JSON", id="a web form"),
        pytest.param(b'\xef\xbb\xbf{"prompt":"x"}', "MalformedBody", "not valid", id="a BOM"),
        pytest.param('{"prompt":"x"}'.encode("utf-16"), "MalformedBody", "not valid", id="UTF-16"),
        pytest.param(b'{"prompt":"\xff"}', "MalformedBody", "UTF-8", id="not UTF-8"),
        pytest.param(b'{"prompt":"\xed\xa0\x80"}', "MalformedBody", "UTF-8", id="a raw surrogate"),
        pytest.param(rb'{"prompt":"\ud800"}', "MalformedBody", "half", id="a high surrogate"),
        pytest.param(rb'{"prompt":"\udc00 x"}', "MalformedBody", "half", id="a low surrogate"),
        pytest.param(b'{"prompt":"a\x00b"}', "MalformedBody", "not valid", id="a raw NUL byte"),
        pytest.param(rb'{"prompt":"a\u0000b"}', "NulByteInPayload", "NUL", id="an escaped NUL"),
        pytest.param(
            rb'{"prompt":"x","zz":[{"a\u0000":1}]}', "NulByteInPayload", "NUL", id="NUL in a name"
        ),
        pytest.param(
            rb'{"prompt":"x","models":["\u0000"]}', "NulByteInPayload", "NUL", id="NUL in a list"
        ),
        pytest.param(b'{"prompt":"x","n":NaN}', "MalformedBody", "not valid JSON", id="NaN"),
        pytest.param(b'{"prompt":"x","n":Infinity}', "MalformedBody", "valid", id="Infinity"),
        pytest.param(
            b'{"prompt":"x","params":{"cfg_scale":1e999}}', "MalformedBody", "large", id="1e999"
        ),
        pytest.param(
            b'{"prompt":"x","params":{"n":' + b"9" * 5000 + b"}}",
            "MalformedBody",
            "large",
            id="5000 digits",
        ),
        pytest.param(
            b'{"prompt":"x","a":' + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b"}",
            "MalformedBody",
            "too deep",
            id="one list too deep",
        ),
        pytest.param(b"[" * 200_000, "MalformedBody", "too deep", id="200 000 open brackets"),
        pytest.param(b'{"a":' * 200_000, "MalformedBody", "too deep", id="200 000 open braces"),
    ],
)
def test_what_is_no_body_is_refused_in_words(raw, rc, words):
    refused = refusal(GenerationInput, raw)
    assert refused.rc == rc
    assert words in refused.message
    assert refused.errors is None


def test_as_deep_as_allowed_passes():
    raw = b'{"prompt":"x","a":' + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1) + b"}"
    assert decode(GenerationInput, raw).prompt == "x"


def test_brackets_in_texts_and_side_by_side_are_no_depth():
    lists = [[] for _ in range(500)]
    raw = body(prompt='[[{"\\' * 500, other=lists, more="[" * 500)
    assert decode(GenerationInput, raw).prompt == '[[{"\\' * 500


def test_an_escaped_backslash_before_u0000_is_no_nul():
    assert decode(GenerationInput, rb'{"prompt":"a\\u0000"}').prompt == r"a\u0000"


def test_a_large_picture_is_decoded_in_one_pass():
    image = "A" * 8_000_000
    assert decode(GenerationInput, body(source_image=image, x=[[]] * 40)).source_image == image


# -- what is wrong with its fields -------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "raw", "fields"),
    [
        pytest.param(GenerationInput, b"{}", {"prompt"}, id="prompt is missing"),
        pytest.param(GenerationInput, b'{"prompt":null}', {"prompt"}, id="prompt is null"),
        pytest.param(GenerationInput, b'{"prompt":""}', {"prompt"}, id="prompt is empty"),
        pytest.param(GenerationInput, b'{"prompt":5}', {"prompt"}, id="prompt is a number"),
        pytest.param(
            GenerationInput,
            body(params={"width": 100, "steps": 0, "n": 21, "sampler_name": "x"}, nsfw="yes"),
            {"params.width", "params.steps", "params.n", "params.sampler_name", "nsfw"},
            id="everything wrong is told at once",
        ),
        pytest.param(GenerationInput, body(params=[]), {"params"}, id="params is a list"),
        pytest.param(
            GenerationInput, body(params={"seed": 5}), {"params.seed"}, id="seed is a number"
        ),
        pytest.param(
            GenerationInput, body(params={"steps": "5"}), {"params.steps"}, id="steps is a string"
        ),
        pytest.param(
            GenerationInput, body(params={"steps": 1.5}), {"params.steps"}, id="steps is no integer"
        ),
        pytest.param(
            GenerationInput, body(params={"steps": True}), {"params.steps"}, id="steps is a bool"
        ),
        pytest.param(GenerationInput, body(models=[None]), {"models.0"}, id="null in a list"),
        pytest.param(
            GenerationInput,
            body(params={"loras": [{"name": "a"}, {"model": 9}]}),
            {"params.loras.1.name", "params.loras.1.model"},
            id="inside a list",
        ),
        pytest.param(PopInputStable, b"{}", {"name"}, id="pop without a name"),
        pytest.param(
            PopInputStable,
            b'{"name":"w","max_pixels":9223372036854775808}',
            {"max_pixels"},
            id="more than 64 bits",
        ),
        pytest.param(
            PostJobSubmitRequest,
            b'{"id":"j","seed":99999999999999999999,"state":"lost"}',
            {"seed", "state"},
            id="submit with a seed of more than 64 bits",
        ),
        pytest.param(
            PostJobSubmitRequest,
            json.dumps({"id": "j", "gen_metadata": [{"type": "a", "value": "b"}] * 51}).encode(),
            {"gen_metadata"},
            id="51 remarks",
        ),
        pytest.param(
            PostTransferKudosRequest, b'{"amount":12.7}', {"username", "amount"}, id="12.7 kudos"
        ),
        pytest.param(
            PutUserSingleRequest, b'{"kudos":1e300}', {"kudos"}, id="more kudos than can be counted"
        ),
        pytest.param(PutHordeModesRequest, b'{"raid":"false"}', {"raid"}, id="a string is no bool"),
    ],
)
def test_every_wrong_field_is_named(wanted, raw, fields):
    refused = refusal(wanted, raw)
    assert refused.rc == "ValidationFailed"
    assert refused.message == "Input payload validation failed"
    assert set(refused.errors) == fields


@pytest.mark.parametrize("wanted", REQUESTS)
def test_a_null_is_not_given(wanted):
    required = {
        field.encode_name: "x" for field in msgspec.structs.fields(wanted) if field.required
    }
    nulls = {
        field.encode_name: None for field in msgspec.structs.fields(wanted) if not field.required
    }
    sent = json.dumps(required | nulls | {"unknown": None}).encode()
    assert decode(wanted, sent) == decode(wanted, json.dumps(required).encode())


def test_a_null_deep_inside_is_not_given():
    sent = decode(
        GenerationInput, body(params={"width": None, "loras": [{"name": "a", "clip": None}]})
    )
    assert sent.params.width == 512
    assert sent.params.loras is not None
    assert sent.params.loras[0].clip == 1.0


@pytest.mark.parametrize("wanted", REQUESTS)
def test_unknown_fields_are_ignored(wanted):
    required = {
        field.encode_name: "x" for field in msgspec.structs.fields(wanted) if field.required
    }
    unknown = {"use_default_badwordsids": True, "api_key": "0", "deep": {"er": [1]}}
    sent = json.dumps(required | unknown).encode()
    assert decode(wanted, sent) == decode(wanted, json.dumps(required).encode())


def test_a_whole_number_with_a_point_is_an_integer():
    assert decode(GenerationInput, body(params={"steps": 20.0, "n": 2.0})).params.steps == 20


def test_a_body_of_blanks_and_fields_out_of_order_is_fine():
    sent = decode(PutWorkerSingleRequest, b' {\n "name" : "fox den" , "paused":true } ')
    assert (sent.name, sent.paused, sent.maintenance) == ("fox den", True, None)


# -- invariants --------------------------------------------------------------------------------

# The first texts are slow to make, and a loaded machine is no fault of the code.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=20)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Any, bytes]:
    """A request type, and an object that has some of its names and any values."""
    wanted = draw(st.sampled_from(REQUESTS))
    names = [field.encode_name for field in msgspec.structs.fields(wanted)]
    fields = draw(st.dictionaries(st.sampled_from(names) | st.text(), values, max_size=6))
    params = draw(
        st.dictionaries(st.sampled_from(["width", "seed", "loras", "toggles", "special"]), values)
    )
    return wanted, json.dumps({"params": params, **fields}).encode()


def outcome(wanted: Any, raw: bytes) -> Any:
    """The message, or the refusal; anything else fails the test."""
    try:
        return decode(wanted, raw)
    except Refused as refused:
        return refused


@unhurried
@given(bodies())
def test_any_object_is_a_message_or_refused(case):
    wanted, raw = case
    result = outcome(wanted, raw)
    if isinstance(result, Refused):
        assert result.status == 400
        assert result.rc in {"ValidationFailed", "MalformedBody", "NulByteInPayload"}
        assert (result.rc == "ValidationFailed") == bool(result.errors)
    else:
        assert isinstance(result, wanted)
        assert decode(wanted, msgspec.json.encode(result)) == result


@unhurried
@given(st.binary(max_size=200), st.sampled_from(REQUESTS))
def test_any_bytes_are_a_message_or_refused(raw, wanted):
    assert isinstance(outcome(wanted, raw), (Refused, wanted))


@unhurried
@given(bodies(), st.integers(0, 300), st.binary(min_size=1, max_size=4))
def test_a_damaged_body_is_a_message_or_refused(case, place, damage):
    wanted, raw = case
    place %= len(raw)
    assert isinstance(outcome(wanted, raw[:place] + damage + raw[place + 1 :]), (Refused, wanted))


@unhurried
@given(values)
def test_forgiving_twice_changes_nothing_more(value):
    assert forgive(forgive(value)) == forgive(value)


# -- answers -----------------------------------------------------------------------------------


def test_decode_reply_reads_what_another_server_writes_differently():
    model = decode_reply(ActiveModel, b'{"name":"m","count":2.0,"eta":null,"performance":0}')
    assert (model.name, model.count, model.performance) == ("m", 2, 0.0)
    assert decode_reply(KudosTransferred, b'{"transferred": 100.0}').transferred == 100
    assert decode_reply(KudosTransferred, b'{"transferred": null}').transferred is None
    assert decode_reply(list[ActiveModel], b'[{"count": 1.0}]')[0].count == 1


@pytest.mark.parametrize("raw", [b"<html>", b"[]", b'{"finished":"one"}', b""])
def test_decode_reply_raises_what_msgspec_raises(raw):
    with pytest.raises(msgspec.DecodeError):
        decode_reply(RequestStatusCheck, raw)
