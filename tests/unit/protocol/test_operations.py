"""The table of operations, held against the mission's own documents."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from ordu.protocol import operations
from ordu.protocol.errors import STATUS
from ordu.protocol.operations import BY_NAME, TABLE, Era, Key, Nulls, Operation, Place

SEED = Path(__file__).parents[3] / "docs" / "seed"
SWAGGER = yaml.safe_load((SEED / "swagger-2022.yaml").read_text())
LISTED = re.findall(
    r"^\[\*\*(\w+)\*\*\]\(\S+\) \| \*\*(\w+)\*\* (\S+) \|",
    (SEED / "V2Api.md").read_text(),
    re.MULTILINE,
)
NO_KEY_IN_SEED = {"get_find_user", "delete_worker_single"}  # documented as optional, needed in fact


def seed_operations() -> dict[str, dict[str, Any]]:
    """Operation name -> what the swagger says, with path parameters merged in."""
    found = {}
    for path, methods in SWAGGER["paths"].items():
        shared = methods.get("parameters", [])
        for method, said in methods.items():
            if method != "parameters":
                parameters = shared + said.get("parameters", [])
                found[said["operationId"]] = {
                    **said, "parameters": parameters, "method": method.upper(), "path": path
                }  # fmt: skip
    return found


IN_SWAGGER = seed_operations()


def test_the_seed_has_21_operations():
    assert len(LISTED) == len(IN_SWAGGER) == 21


@pytest.mark.parametrize(("name", "method", "path"), LISTED)
def test_every_operation_of_the_seed_is_a_row(name, method, path):
    row = BY_NAME[name]
    assert (row.method, row.path, row.era) == (method, f"/api{path}", Era.SEED)


def test_the_other_rows_are_not_of_the_seed():
    names = {name for name, _, _ in LISTED}
    assert {row.name for row in TABLE if row.era is Era.SEED} == names


@pytest.mark.parametrize("name", IN_SWAGGER)
def test_parameters_are_those_of_the_seed(name):
    ours = {
        (parameter.name, parameter.place.value): parameter for parameter in BY_NAME[name].parameters
    }
    for said in IN_SWAGGER[name]["parameters"]:
        if said["in"] == "body":
            continue
        parameter = ours.pop((said["name"], said["in"]))
        assert parameter.required == said.get("required", False)
        assert parameter.format == said.get("format")
        if said["in"] == "header":
            assert parameter.description == said["description"]
    # What is left came later and can be left out.
    assert not any(parameter.required for parameter in ours.values())


@pytest.mark.parametrize("name", IN_SWAGGER)
def test_the_body_is_that_of_the_seed(name):
    row = BY_NAME[name]
    bodies = [said for said in IN_SWAGGER[name]["parameters"] if said["in"] == "body"]
    assert bool(bodies) == (row.request is not None)
    for said in bodies:
        reference = said["schema"].get("$ref")
        documented = re.search(
            rf"^## {name}\b.*?\*\*payload\*\* \| \[\*\*(\w+)\*\*",
            (SEED / "V2Api.md").read_text(),
            re.MULTILINE | re.DOTALL,
        )
        assert documented is not None
        assert row.request.__name__ == documented[1]
        assert reference is None or reference.rsplit("/", 1)[1] == documented[1]


@pytest.mark.parametrize("name", IN_SWAGGER)
def test_the_answer_is_that_of_the_seed(name):
    row = BY_NAME[name]
    (status,) = (code for code in IN_SWAGGER[name]["responses"] if code < "400")
    schema = IN_SWAGGER[name]["responses"][status]["schema"]
    reference = schema.get("items", schema)["$ref"].rsplit("/", 1)[1]
    is_list = schema.get("type") == "array" or name == "get_users"  # the seed forgot the list there
    (element,) = row.reply.__args__ if is_list else (row.reply,)
    assert element.__name__ == reference
    assert row.status == int(status)


@pytest.mark.parametrize("name", IN_SWAGGER)
def test_the_refusals_of_the_seed_are_documented(name):
    documented = {int(code) for code in IN_SWAGGER[name]["responses"] if code >= "400"}
    expected = {403 if code == 402 else code for code in documented}
    assert expected <= BY_NAME[name].refusals.keys()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_is_complete(row: Operation):
    assert row.summary
    assert row.status_text
    assert row.method in {"GET", "POST", "PUT", "DELETE"}
    assert getattr(operations, row.name) is row
    assert BY_NAME[row.name] is row
    in_path = {parameter.name for parameter in row.parameters if parameter.place is Place.PATH}
    assert in_path == set(re.findall(r"{(\w+)}", row.path))
    assert all(400 <= status <= 599 and words for status, words in row.refusals.items())
    assert 402 not in row.refusals
    others = {**row.likewise, **row.also}
    assert all(200 <= status <= 399 and words for status, words in others.items())
    assert {STATUS[rc] for rc in (*row.common_rcs, *row.rcs)} <= row.statuses_refused.keys()
    if row.key is not Key.NONE:
        assert 401 in row.refusals


def test_names_and_places_are_used_once():
    assert len(BY_NAME) == len(TABLE)
    assert len({(row.method, row.path) for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_that_knows_callers_has_the_header(row: Operation):
    has_header = any(parameter.name == "apikey" for parameter in row.parameters)
    assert has_header == (row.key is not Key.NONE)
    required = any(
        parameter.name == "apikey" and parameter.required for parameter in row.parameters
    )
    assert required == (row.key is Key.REQUIRED and row.name not in NO_KEY_IN_SEED)


SENT_IN_PIECES = {"get_user_export"}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_every_json_answer_of_the_api_can_be_masked(row: Operation):
    has_mask = any(parameter.name == "X-Fields" for parameter in row.parameters)
    is_whole = row.name not in SENT_IN_PIECES
    assert has_mask == (row.path.startswith("/api/v2/") and row.reply is not None and is_whole)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("post_async_generate", "generate"),
        ("get_users", "users"),
        ("get_user_single", "users"),
        ("get_find_user", "find_user"),
        ("get_heartbeat", "status"),
        ("post_register", "register"),
        ("put_picture", "pictures"),
        ("get_livez", "livez"),
    ],
)
def test_the_family_is_the_first_segment_of_the_path(name, family):
    assert BY_NAME[name].family == family


def test_nulls_are_left_out_where_the_public_server_leaves_them_out():
    assert {row.name for row in TABLE if row.nulls is Nulls.SKIP} == {
        "post_async_generate",
        "get_find_user",
        "get_user_single",
        "put_user_single",
        "get_workers",
        "get_worker_single",
        "get_worker_single_name",
        "put_worker_single",
        "get_horde_modes",
        "put_horde_modes",
    }


def test_parameters_have_names_for_python():
    names = [parameter.python for row in TABLE for parameter in row.parameters]
    assert all(name.isidentifier() for name in names)
    assert "x_fields" in names


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_messages_can_be_decoded_and_described(row: Operation):
    for message in filter(None, (row.request, row.reply)):
        msgspec.json.Decoder(message)
        msgspec.json.schema(message)
