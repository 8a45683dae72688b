"""Bad input for every field of every operation, generated from what the table says they take."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.conftest import ADMIN, ANONYMOUS

from ordu.protocol.openapi import openapi_document
from ordu.protocol.operations import BY_NAME, TABLE, Era, Key, Operation, Place
from ordu.web import examples
from ordu.web.schemas import item_of, name_of, parts, single

pytestmark = pytest.mark.anyio

SCHEMAS = openapi_document("Ordu", "0")["components"]["schemas"]
UNKNOWN_KEY = "no-such-key-0000000022"
NOTHING = "00000000-0000-0000-0000-000000000000"
WRONG_TYPES: dict[str, list[Any]] = {
    "string": [5, True, [], {}],
    "integer": ["5", 1.5, True, []],
    "number": ["5", True, []],
    "boolean": ["true", 1, []],
    "array": ["text", 5, {}],
    "object": ["text", 5, []],
}
# Fields that take more than one type on purpose (the two eras write them differently).
TAKES_BOTH = {("post_job_submit", "seed")}
BIGGEST = 2**62  # a bound as wide as the type bounds nothing


def bad_values(schema: dict[str, Any]) -> Iterator[Any]:
    """Values that a field of this schema must not take."""
    schema = single(schema)
    if "anyOf" in schema:  # several types: only what is none of them
        return
    schema = SCHEMAS.get(name_of(schema), schema)
    if "enum" in schema:
        yield from ("no such word", 5)
        return
    kind = schema.get("type", "object")
    yield from WRONG_TYPES[kind]
    for bound, beyond in (("minimum", -1), ("maximum", 1)):
        if bound in schema and abs(schema[bound]) < BIGGEST:
            yield schema[bound] + beyond
    if schema.get("minLength"):
        yield "x" * (schema["minLength"] - 1)
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if "maxItems" in schema:
        yield [None] * (schema["maxItems"] + 1)


def fields_in(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The fields of a body, those of `params` too, by the dotted names that refusals use."""
    for name, field in parts(schema, SCHEMAS)[0].items():
        yield prefix + name, field
        inner = single(field)
        if name_of(inner) and item_of(field) is inner and not prefix:
            yield from fields_in(inner, f"{name}.")


def with_value(body: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The body with one field changed, which may be one of a message inside."""
    head, _, rest = name.partition(".")
    return body | {head: with_value(body.get(head, {}), rest, value) if rest else value}


BODIES = [row for row in TABLE if row.request is not None and row.consumes == "application/json"]
CASES = [
    pytest.param(row, name, field, id=f"{row.name} {name}")
    for row in BODIES
    for name, field in fields_in({"$ref": f"#/components/schemas/{row.request.__name__}"})
    if (row.name, name) not in TAKES_BOTH
]


def path_of(row: Operation) -> str:
    """The path with ids of the right form that nobody has."""
    ids = {each.name: NOTHING for each in row.parameters if each.place is Place.PATH}
    if "user_id" in ids:
        ids["user_id"] = "999999"
    return row.path.format(**ids)


@pytest.mark.parametrize(("row", "name", "field"), CASES)
async def test_a_field_refuses_what_it_does_not_take(api, row, name, field):
    body = examples.BODIES[row.name]
    for value in bad_values(field):
        given = with_value(body, name, value)
        reply = await api.request(row.method, path_of(row), json=given, headers=ADMIN)
        assert reply.status_code == 400, (value, reply.text)
        refusal = reply.json()
        assert refusal["rc"] in {"ValidationFailed", "MissingPrompt"}, (value, refusal)
        if refusal["rc"] == "ValidationFailed":
            assert any(field.startswith(name) for field in refusal["errors"]), (value, refusal)


@pytest.mark.parametrize("row", BODIES, ids=lambda row: row.name)
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 5000])
async def test_a_body_that_is_no_object_is_refused(api, row, raw):
    headers = ADMIN | {"Content-Type": "application/json"}
    reply = await api.request(row.method, path_of(row), content=raw, headers=headers)
    assert reply.status_code == 400
    assert reply.json()["rc"] in {"MalformedBody", "ValidationFailed"}


NEED_KEY = [row for row in TABLE if row.key is Key.REQUIRED]
MAY_HAVE_KEY = [row for row in TABLE if row.key is not Key.NONE]


@pytest.mark.parametrize("row", NEED_KEY, ids=lambda row: row.name)
async def test_a_missing_key_is_401(api, row):
    body = examples.BODIES.get(row.name)
    reply = await api.request(row.method, path_of(row), json=body)
    assert (reply.status_code, reply.json()["rc"]) == (401, "InvalidAPIKey")


@pytest.mark.parametrize("row", MAY_HAVE_KEY, ids=lambda row: row.name)
@pytest.mark.parametrize("key", [UNKNOWN_KEY, "x", "x" * 5000, "clé"])
async def test_an_unknown_key_is_refused(api, row, key):
    body = examples.BODIES.get(row.name)
    headers = {"apikey": key.encode("latin-1")}
    reply = await api.request(row.method, path_of(row), json=body, headers=headers)
    assert (reply.status_code, reply.json()["rc"]) == (
        404 if row.name == "get_find_user" else 401,
        row.unknown_key,
    )
    assert key not in reply.text or len(key) == 1, "a key is never repeated"


WITH_IDS = [
    row
    for row in TABLE
    if row.era is not Era.ORDU
    and row.name != "get_model_single"  # which is an empty list
    and any(each.place is Place.PATH for each in row.parameters)
]


@pytest.mark.parametrize("row", WITH_IDS, ids=lambda row: row.name)
async def test_what_does_not_exist_is_404(api, row):
    body = examples.BODIES.get(row.name)
    reply = await api.request(row.method, path_of(row), json=body, headers=ADMIN)
    assert reply.status_code == 404
    assert reply.json()["rc"].endswith("NotFound")
    for strange in ("%00", "%2e%2e", "x" * 3000, "%F0%9F%A6%8A", "'%20OR%201=1--"):
        ids = {each.name: strange for each in row.parameters if each.place is Place.PATH}
        reply = await api.request(row.method, row.path.format(**ids), json=body, headers=ADMIN)
        assert reply.status_code in {404, 405}, (strange, reply.text)


MASKED = [row for row in TABLE if "X-Fields" in {each.name for each in row.parameters}]


@pytest.mark.parametrize("row", MASKED, ids=lambda row: row.name)
async def test_a_mask_that_is_none_is_refused(api, row):
    body = examples.BODIES.get(row.name)
    for mask in ("a,,b", "{a", "a}b"):
        headers = ADMIN | {"X-Fields": mask}
        reply = await api.request(row.method, path_of(row), json=body, headers=headers)
        assert (reply.status_code, reply.json()["rc"]) == (400, "BadMask")


@pytest.mark.parametrize("name", ["put_user_single", "put_worker_single", "delete_worker_single"])
async def test_what_is_somebody_elses_is_not_changed(api, register, pop, name):
    ferris, stranger = await register("ferris"), await register("stranger")
    await pop(ferris, name="loft")
    worker = (await api.get("/api/v2/workers")).json()[0]["id"]
    row = BY_NAME[name]
    path = row.path.format(user_id=2, worker_id=worker)
    before = (await api.get(path, headers=ADMIN)).json()
    for headers in (stranger, ANONYMOUS):
        reply = await api.request(row.method, path, json=examples.BODIES.get(name), headers=headers)
        assert reply.status_code == 403
        assert (await api.get(path, headers=ADMIN)).json() == before
