"""The door of /sdapi/v1 by values: what is remembered is bounded, texts are read as written."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request as HttpRequest
from tests.builders import NOON

from ordu.engine.tidings import AskedAsProgram, SetAsProgram
from ordu.protocol.errors import Refused
from ordu.protocol.params import Lora
from ordu.rules.lifecycle import RequestId
from ordu.server.doors.automatic1111 import infotexts, prompts
from ordu.server.doors.automatic1111.callers import CALLERS_MAX, CALLS_MAX, OPTIONS_MS, Callers
from ordu.server.doors.automatic1111.keys import key_of
from ordu.server.doors.automatic1111.names import Sampling, as_compared, sampling_of


def asked(who="1 ::1", number=1, task_id=""):
    return AskedAsProgram(who, RequestId(f"r{number}"), task_id, "txt2img", 20)


def test_of_a_caller_the_newest_calls_are_remembered():
    callers = Callers()
    for number in range(CALLS_MAX + 1):
        callers.asked(asked(number=number, task_id=f"t{number}"))
    newest = callers.newest("1 ::1")
    assert newest is not None
    assert newest.request_id == f"r{CALLS_MAX}"
    assert callers.by_task("1 ::1", "t0") is None
    assert callers.by_task("1 ::1", "t1") is not None
    assert callers.newest("2 ::1") is None


def test_of_too_many_callers_the_one_heard_of_longest_ago_is_forgotten():
    callers = Callers()
    for number in range(CALLERS_MAX):
        callers.asked(asked(f"{number} ::1"))
    callers.asked(asked("0 ::1"))
    callers.asked(asked("new ::1"))
    assert len(callers.by_name) == CALLERS_MAX
    assert callers.newest("0 ::1") is not None
    assert callers.newest("1 ::1") is None


def test_options_hold_for_a_while():
    callers = Callers()
    callers.set(SetAsProgram("1 ::1", NOON, "dreams", 2))
    assert callers.options("1 ::1", NOON) is not None
    assert callers.options("1 ::1", NOON + OPTIONS_MS) is None


def test_what_is_heard_is_not_told_on():
    told = []
    callers = Callers(told.append)
    callers.hear(asked())
    callers.asked(asked(number=2))
    assert [each.request_id for each in told] == ["r2"]


def login(text):
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"apikey": "a", "authorization": "Bearer b"}, "a", id="ours comes first"),
        pytest.param({"authorization": "bearer  b "}, "b", id="bearer"),
        pytest.param({"authorization": login("me:secret:x")}, "secret:x", id="basic"),
        pytest.param({"authorization": login("me:")}, None, id="no password"),
        pytest.param({"authorization": login("me")}, None, id="a name alone"),
        pytest.param({"authorization": "Basic é"}, "unreadable", id="no base64"),
        pytest.param({"authorization": "secret"}, "secret", id="no scheme"),
    ],
)
def test_a_key_is_found_where_programs_put_it(headers, key):
    listed = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert key_of(HttpRequest({"type": "http", "headers": listed})) == key


LINES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=40)


@given(LINES, LINES, LINES.filter(str.strip))
def test_what_an_infotext_says_is_read_back(prompt, negative_prompt, model):
    model = model.strip()
    text = infotexts.written(prompt, negative_prompt, {"Steps": 20, "Model": model, "Seed": 5})
    if infotexts.NEGATIVE.strip() in prompt + negative_prompt:
        return
    told = infotexts.read(text)
    assert (told["Steps"], told["Seed"]) == ("20", "5")
    assert told["Model"] == model
    assert told["Prompt"].strip() == prompt.strip()
    assert told.get("Negative prompt", "").strip() == negative_prompt.strip()


def test_a_text_of_somebody_elses_is_a_prompt():
    assert infotexts.read("a fox: red") == {"Prompt": "a fox: red"}


@pytest.mark.parametrize(
    ("prompt", "text", "loras"),
    [
        pytest.param("a fox", "a fox", [], id="none"),
        pytest.param("a <b> fox", "a <b> fox", [], id="brackets"),
        pytest.param(
            "<lora:ink> fox", "fox", [Lora(name="ink", model=1.0, clip=1.0)], id="no weight"
        ),
        pytest.param(
            "fox <LORA:a/b:-0.5>", "fox", [Lora(name="a/b", model=-0.5, clip=-0.5)], id="negative"
        ),
    ],
)
def test_loras_are_taken_out_of_a_prompt(prompt, text, loras):
    assert prompts.read(prompt) == (text, tuple(loras))


@pytest.mark.parametrize("tag", ["<lora:x:1:1:1>", "<lora: :1>", "<lora:x:inf>", "<lyco:x:1>"])
def test_a_tag_that_says_what_cannot_be_drawn_is_refused(tag):
    with pytest.raises(Refused) as refused:
        prompts.read(f"a fox {tag}")
    assert refused.value.errors is not None
    assert refused.value.errors.keys() == {"prompt"}


@pytest.mark.parametrize(
    ("name", "scheduler", "expected"),
    [
        ("", "", Sampling("k_euler", karras=False)),
        ("euler A", "", Sampling("k_euler_a", karras=False)),
        ("LMS Karras", "", Sampling("k_lms", karras=True)),
        ("k_lms", "Simple", Sampling("k_lms", karras=False)),
        ("DPM++ SDE", "automatic", Sampling("k_dpmpp_sde", karras=True)),
        ("plms", "Karras", Sampling("PLMS", karras=False)),
    ],
)
def test_samplers_are_known_by_all_their_names(name, scheduler, expected):
    assert sampling_of(name, scheduler) == expected


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("Dreams 1.5", "dreams 1.5"),
        ("dreams 1.5.safetensors", "dreams 1.5"),
        ("dreams.ckpt [0123456789]", "dreams"),
        ("dreams [0123456789]", "dreams"),
        ("a\\b", "a/b"),
    ],
)
def test_a_model_is_compared_without_its_files_ending_and_hash(name, compared):
    assert as_compared(name) == compared
