"""Every operation of the table as a method: what goes out, what comes back, how it is called."""

import inspect
import re
import uuid
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import msgspec
import pytest

from ordu.client import AsyncHorde, Horde
from ordu.client.retrying import Repeating, repeating
from ordu.client.wire import ALWAYS, ANONYMOUS_KEY, root_of
from ordu.protocol.jobs import PopInputStable, PostJobSubmitRequest
from ordu.protocol.kudos import PostAwardKudosRequest, PostTransferKudosRequest
from ordu.protocol.operations import BY_NAME, TABLE, Era, Key, Operation, Place
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.registration import RegistrationInput
from ordu.protocol.requests import GenerationInput
from ordu.protocol.sign_ins import IdentityInput
from ordu.protocol.status import PutHordeModesRequest, PutHordeNewsRequest
from ordu.protocol.users import PutUserSingleRequest
from ordu.protocol.workers import PutWorkerSingleRequest

pytestmark = pytest.mark.anyio

KEY = "a-key-of-22-characters"
SEED_DOCUMENT = (Path(__file__).parents[3] / "docs" / "seed" / "V2Api.md").read_text()
SEED_SIGNATURES = {
    name: [each.strip() for each in parameters.split(",")]
    for name, parameters in re.findall(r"^> \S+ (\w+)\(([^)]*)\)", SEED_DOCUMENT, re.MULTILINE)
}
CALLS = [row for row in TABLE if row.reply is not None]
PAYLOADS: dict[Any, tuple[msgspec.Struct, dict[str, Any]]] = {
    PopInputStable: (
        PopInputStable(name="attic", models=["sdxl"], bridge_agent="Ordu:1:local"),
        {"name": "attic", "models": ["sdxl"], "bridge_agent": "Ordu:1:local"},
    ),
    PostJobSubmitRequest: (
        PostJobSubmitRequest(id="j", generation="R2", seed=7),
        {"id": "j", "generation": "R2", "seed": 7},
    ),
    PostTransferKudosRequest: (
        PostTransferKudosRequest(username="ada#2"),
        {"username": "ada#2", "amount": 100},
    ),
    PostAwardKudosRequest: (
        PostAwardKudosRequest(username="ada#2", amount=100),
        {"username": "ada#2", "amount": 100},
    ),
    RegistrationInput: (RegistrationInput(username="ada"), {"username": "ada"}),
    IdentityInput: (IdentityInput(provider="company"), {"provider": "company"}),
    PutHordeModesRequest: (PutHordeModesRequest(raid=False), {"raid": False}),
    PutHordeNewsRequest: (PutHordeNewsRequest(id=7, title=""), {"id": 7, "title": ""}),
    PutUserSingleRequest: (PutUserSingleRequest(trusted=True), {"trusted": True}),
    PutWorkerSingleRequest: (PutWorkerSingleRequest(info=""), {"info": ""}),
    GenerationInput: (
        GenerationInput(prompt="a fox", params=ModelGenerationInputStable(seed="7")),
        {"prompt": "a fox"},
    ),
}


def named(operation: Operation) -> str:
    return operation.name


def arguments_of(operation: Operation) -> dict[str, Any]:
    """Something for each parameter that the method must be given."""
    given: dict[str, Any] = {
        each.python: "a/b 1" for each in operation.parameters if each.place is Place.PATH
    }
    if operation.request is not None:
        given["payload"] = PAYLOADS[operation.request][0]
    return given | {
        each.python: 7
        for each in operation.parameters
        if each.place is Place.QUERY and each.required
    }


def empty_reply(operation: Operation) -> httpx.Response:
    empty: Any = [] if getattr(operation.reply, "__origin__", None) is list else {}
    return httpx.Response(operation.status, json=empty)


@pytest.mark.parametrize("operation", CALLS, ids=named)
async def test_it_sends_what_the_table_says(connect, operation):
    client = connect(lambda call: empty_reply(operation))
    reply = await getattr(client, operation.name)(**arguments_of(operation))
    (call,) = client.sent
    assert call.method == operation.method
    path = re.sub(r"\{\w+\}", "a%2Fb%201", operation.path)
    assert call.url.raw_path.decode().partition("?")[0] == path
    assert call.headers["client-agent"].startswith("ordu:")
    assert call.headers.get("apikey") == (None if operation.key is Key.NONE else KEY)
    if operation.request is None:
        assert call.content == b""
    else:
        assert call.headers["content-type"] == "application/json"
        body = msgspec.json.decode(call.content)
        assert body.items() >= PAYLOADS[operation.request][1].items()
    assert isinstance(reply, getattr(operation.reply, "__origin__", operation.reply))


@pytest.mark.parametrize("operation", CALLS, ids=named)
async def test_it_passes_the_mask_and_another_key(connect, operation):
    client = connect(lambda call: empty_reply(operation))
    parameters = inspect.signature(getattr(Horde, operation.name)).parameters
    extras = {"apikey": "another", "x_fields": "name"}
    given = {name: extras[name] for name in parameters if name in extras}
    await getattr(client, operation.name)(**arguments_of(operation), **given)
    (call,) = client.sent
    assert call.headers.get("x-fields") == given.get("x_fields")
    assert call.headers.get("apikey", "") == given.get("apikey", "")


@pytest.mark.parametrize("operation", CALLS, ids=named)
async def test_without_a_key_it_is_anonymous_only_where_a_key_is_required(connect, operation):
    client = connect(lambda call: empty_reply(operation), apikey=None)
    await getattr(client, operation.name)(**arguments_of(operation))
    expected = ANONYMOUS_KEY if operation.key is Key.REQUIRED else None
    assert client.sent[0].headers.get("apikey") == expected


@pytest.mark.parametrize(
    ("operation", "query"),
    [
        ("get_users", {"page": 2, "sort": "age", "name": "fer"}),
        ("get_workers", {"type": "image", "name": "attic"}),
        ("get_models", {"type": "image", "min_count": 1, "max_count": 9, "model_state": "all"}),
    ],
)
async def test_it_passes_what_todays_servers_take_besides(connect, operation, query):
    client = connect(lambda call: httpx.Response(200, json=[]))
    await getattr(client, operation)(**query)
    assert dict(client.sent[0].url.params) == {name: str(value) for name, value in query.items()}
    documented = {each.name for each in BY_NAME[operation].parameters if each.place is Place.QUERY}
    assert documented == set(query)


WITH_A_KEY = [
    row.name
    for row in TABLE
    if any(parameter.name == "Idempotency-Key" for parameter in row.parameters)
]


def test_what_places_pays_or_makes_an_account_takes_an_idempotency_key():
    assert set(WITH_A_KEY) >= {
        "post_async_generate",
        "post_sync_generate",
        "post_transfer_kudos",
        "post_award_kudos",
        "post_register",
    }


@pytest.mark.parametrize(
    "operation",
    [
        row
        for row in CALLS
        if repeating(row) is Repeating.KEYED and row.name != "post_sync_generate"
    ],
    ids=named,
)
async def test_what_creates_or_pays_carries_a_fresh_idempotency_key(connect, operation):
    client = connect(lambda call: httpx.Response(200, json={}))
    method, payload = getattr(client, operation.name), PAYLOADS[operation.request][0]
    await method(payload)
    await method(payload)
    await method(payload, idempotency_key="once")
    first, second, third = (call.headers.get("idempotency-key") for call in client.sent)
    assert uuid.UUID(first) != uuid.UUID(second)
    assert third == "once"


async def test_what_reads_or_waits_carries_none(connect):
    client = connect(lambda call: httpx.Response(200, json={}))
    await client.get_async_check("r")
    await client.post_sync_generate({"prompt": "a fox"})
    await client.post_sync_generate({"prompt": "a fox"}, idempotency_key="once")
    keys = [call.headers.get("idempotency-key") for call in client.sent]
    assert keys == [None, None, "once"]


# -- how the methods are called ----------------------------------------------------------------


@pytest.mark.parametrize("form", [AsyncHorde, Horde])
@pytest.mark.parametrize("name", SEED_SIGNATURES)
def test_its_parameters_are_those_of_the_seed(form, name):
    signature = inspect.signature(getattr(form, name))
    mine = [each for each in signature.parameters.values() if each.name != "self"]
    positional = [each.name for each in mine if each.kind is each.POSITIONAL_OR_KEYWORD]
    # The same names in the same order, but the key may be left out and so follows what may not.
    expected = [each for each in SEED_SIGNATURES[name] if each not in {"apikey", "x_fields"}]
    expected += [each for each in SEED_SIGNATURES[name] if each in {"apikey", "x_fields"}]
    assert positional == expected
    needed = {each.name for each in mine if each.default is each.empty}
    assert needed == set(expected) - {"apikey", "x_fields"}


def test_the_seed_has_21_operations_and_all_are_in_the_table():
    assert set(SEED_SIGNATURES) == {row.name for row in TABLE if row.era is Era.SEED}
    assert len(SEED_SIGNATURES) == 21


@pytest.mark.parametrize("form", [AsyncHorde, Horde])
@pytest.mark.parametrize("operation", CALLS, ids=named)
def test_its_types_are_those_of_the_table(form, operation):
    method = getattr(form, operation.name)
    hints = get_type_hints(method)
    assert hints["return"] == operation.reply
    assert method.__doc__
    if operation.request is not None:
        assert operation.request in get_args(hints["payload"])


# -- bodies ------------------------------------------------------------------------------------


async def test_a_mapping_is_sent_as_it_is(connect):
    client = connect(lambda call: httpx.Response(202, json={"id": "r"}))
    await client.post_async_generate({"prompt": "a fox", "params": {"steps": 30}, "new": None})
    assert msgspec.json.decode(client.sent[0].content) == {
        "prompt": "a fox",
        "params": {"steps": 30},
        "new": None,
    }


async def test_a_struct_sends_what_differs_and_what_eras_understand_differently(connect):
    client = connect(lambda call: httpx.Response(202, json={"id": "r"}))
    params = ModelGenerationInputStable(seed="7", tiling=True)
    await client.post_async_generate(GenerationInput(prompt="a fox", params=params))
    assert msgspec.json.decode(client.sent[0].content) == {
        "prompt": "a fox",
        "params": {
            "steps": 30,
            "n": 1,
            "width": 512,
            "height": 512,
            "cfg_scale": 5.0,
            "sampler_name": "k_euler_a",
            "karras": True,
            "seed": "7",
            "tiling": True,
        },
        "nsfw": True,
        "censor_nsfw": True,
        "models": ["stable_diffusion"],
        "r2": False,
    }


@pytest.mark.parametrize("kind", ALWAYS)
def test_what_is_always_sent_exists(kind):
    assert set(kind.__struct_fields__) >= ALWAYS[kind]


# -- addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://127.0.0.1:7001", "http://127.0.0.1:7001"),
        ("http://127.0.0.1:7001/", "http://127.0.0.1:7001"),
        ("https://horde.test/api", "https://horde.test"),
        ("https://horde.test/api/", "https://horde.test"),
        ("https://horde.test/api/v2", "https://horde.test"),
        (" https://horde.test/api/v2/ ", "https://horde.test"),
        ("https://example.org/my/horde/api/v2", "https://example.org/my/horde"),
        ("http://[::1]:7001/api", "http://[::1]:7001"),
    ],
)
async def test_an_address_may_end_in_any_known_way(connect, url, root):
    assert root_of(url) == root
    client = connect(lambda call: httpx.Response(200, json={}), url=url)
    await client.get_heartbeat()
    assert str(client.sent[0].url) == f"{root}/api/v2/status/heartbeat"


@pytest.mark.parametrize("url", ["", "horde.test", "ftp://horde.test", "http://", "/api/v2"])
def test_what_is_no_address_is_refused_at_once(url):
    with pytest.raises(ValueError, match="no address of a horde"):
        Horde(url)


# -- answers of all eras -----------------------------------------------------------------------


async def test_an_answer_of_2022_leaves_later_fields_unset(connect):
    old = {"finished": 1, "processing": 0, "waiting": 0, "done": True, "wait_time": 0}
    client = connect(lambda call: httpx.Response(200, json={**old, "queue_position": 0}))
    check = await client.get_async_check("r")
    assert check.done is True
    assert check.kudos is msgspec.UNSET
    assert check.is_possible is msgspec.UNSET


@pytest.mark.parametrize(
    ("method", "answer", "field", "value"),
    [
        pytest.param("get_async_check", {"wait_time": 3.0}, "wait_time", 3, id="3.0 for 3"),
        pytest.param("get_async_check", {"kudos": 3}, "kudos", 3.0, id="3 for 3.0"),
        pytest.param("get_async_check", {"done": None}, "done", msgspec.UNSET, id="null"),
        pytest.param("get_async_check", {"from_tomorrow": 1}, "done", msgspec.UNSET, id="unknown"),
    ],
)
async def test_numbers_and_nulls_of_other_servers_are_understood(
    connect, method, answer, field, value
):
    client = connect(lambda call: httpx.Response(200, json=answer))
    assert getattr(await getattr(client, method)("r"), field) == value


async def test_the_client_is_a_context_manager():
    transport = httpx.MockTransport(lambda call: httpx.Response(200, json={"message": "OK"}))
    with Horde(transport=transport) as horde:
        assert horde.get_heartbeat().message == "OK"
    async with AsyncHorde(transport=transport) as async_horde:
        assert (await async_horde.get_heartbeat()).message == "OK"
    assert horde.url == async_horde.url == "http://127.0.0.1:7001"
    with pytest.raises(RuntimeError):
        horde.get_heartbeat()
