"""Both documents: valid, whole, and never less than what the seed promised.

The seed comparison walks the Swagger document of October 2022 and asks of everything in it whether
ours says the same or more: all operations, parameters, answers, definitions and fields, the same
types, bounds at least as wide. What differs on purpose stands in `DIFFERENT`, with the reason.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator

from ordu.protocol.openapi import _as_swagger, openapi_document, swagger_document
from ordu.protocol.operations import BY_NAME, TABLE, Operation
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput

SEED = yaml.safe_load(
    (Path(__file__).parents[3] / "docs" / "seed" / "swagger-2022.yaml").read_text()
)
JSON = "application/json"
METHODS = ("get", "post", "put", "delete", "patch")


@cache
def swagger() -> dict[str, Any]:
    return swagger_document("Ordu", "1.2.3")


@cache
def openapi() -> dict[str, Any]:
    return openapi_document("Ordu", "1.2.3")


def operations_in(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """operationId -> the operation with its path, method and the path's own parameters."""
    return {
        said["operationId"]: said
        | {
            "path": path,
            "method": method,
            "parameters": item.get("parameters", []) + said["parameters"],
        }
        for path, item in document["paths"].items()
        for method, said in item.items()
        if method in METHODS
    }


def merged(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema with references and `allOf` resolved on the top level."""
    if "$ref" in schema:
        return merged(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    whole = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema.get("allOf", ()):
        for key, value in merged(part, definitions).items():
            if key == "properties":
                whole[key] = whole.get(key, {}) | value
            elif key == "required":
                whole[key] = [*whole.get(key, []), *value]
            else:
                whole.setdefault(key, value)
    return whole


# -- the seed comparison -----------------------------------------------------------------------

# "where: what" -> why. A line that no longer differs has to go.
DIFFERENT: dict[str, str] = {
    r"get_users 200: .* became {'type': 'array'.*": "the seed forgot that it is a list",
    r"(GenerationInput|PopInput|PopInputStable)\.\w+: default \w+ became \w+": (
        "the seed documents defaults that its server did not use (sheets 10 and 11)"
    ),
    r"ModelGenerationInputStable\.sampler_name: default k_euler became k_euler_a": (
        "the default really used (sheet 10 §1.2)"
    ),
    r"Model(PayloadRoot|Payload)Stable\.\w+: default \w+ became None": (
        "shared with what workers get, where nothing is left to a default"
    ),
    r"(RequestStatus|UserKudosDetails|WorkerDetails)\w*\.\w+: default \w+ became None": (
        "in an answer: it is always there"
    ),
    r"PopInput(Stable)?: required None became \['name'\]": "the seed's server needed it, too",
    r"post_job_submit: required None became \['id'\]": "the seed's server needed it, too",
    r"post_transfer_kudos: required None became \['username'\]": (
        "the seed's server needed it, too"
    ),
    r".*(name|models\[\]): minLength None became 1": "an empty name was never of use",
    r"put_user_single\.\w+: \w+imum None became .*": "beyond what was ever meant",
    r"put_user_single\.kudos: type integer became number": "kudos have hundredths here",
    r"MonthlyKudos\.last_received: format date-time became None": (
        "its server wrote dates as RFC 822 does (sheet 20 §5), and so do we"
    ),
    r"UserDetails(?:Stable)?\.\w+: \{(.*)\} became \{\1, 'x-nullable': True\}": (
        "null in lists of users, who are not shown it; generators do not read the extension"
    ),
}
WORD = 2**31 - 1  # bounds as wide as a machine word are no bounds: nobody meant more


def seed_differences() -> dict[str, str]:
    """All differences, as "where: what"; bodies and answers of operations included."""
    found: list[tuple[str, str]] = []
    for name, schema in SEED["definitions"].items():
        found += differences({"allOf": [schema]}, {"$ref": f"#/definitions/{name}"}, name)
    for name, said in operations_in(SEED).items():
        ours = operations_in(swagger())[name]
        for parameter in said["parameters"]:
            if parameter["in"] == "body":
                found += differences(parameter["schema"], body_of(ours), name)
        for status, response in said["responses"].items():
            answer = ours["responses"][known_status(status)]
            found += differences(response["schema"], answer["schema"], f"{name} {status}")
    return {f"{where}: {what}": where for where, what in found}


def body_of(said: dict[str, Any]) -> dict[str, Any]:
    (body,) = (parameter for parameter in said["parameters"] if parameter["in"] == "body")
    assert (body["name"], body["required"]) == ("payload", True)
    schema: dict[str, Any] = body["schema"]
    return schema


def known_status(status: str) -> str:
    """The seed documents 402 where its server answered 403."""
    return "403" if status == "402" else status


def test_nothing_of_the_seed_is_missing_or_narrower() -> None:
    unexplained = [
        found
        for found in seed_differences()
        if not any(re.fullmatch(known, found) for known in DIFFERENT)
    ]
    assert unexplained == []


@pytest.mark.parametrize("known", DIFFERENT)
def test_a_difference_that_is_explained_exists(known: str) -> None:
    assert any(re.fullmatch(known, found) for found in seed_differences())


@pytest.mark.parametrize("name", operations_in(SEED))
def test_an_operation_is_where_the_seed_has_it(name: str) -> None:
    seed, ours = operations_in(SEED)[name], operations_in(swagger())[name]
    for key in ("path", "method", "operationId", "tags"):
        assert ours[key] == seed[key]


@pytest.mark.parametrize("name", operations_in(SEED))
def test_an_operation_takes_the_parameters_of_the_seed(name: str) -> None:
    seed, ours = operations_in(SEED)[name], operations_in(swagger())[name]
    by_name = {(said["name"], said["in"]): said for said in ours["parameters"]}
    for said in seed["parameters"]:
        parameter = by_name.pop((said["name"], said["in"]))
        for key in ("type", "format", "required"):
            assert parameter.get(key) == said.get(key), (said["name"], key)
    assert not any(said.get("required") for said in by_name.values()), "new ones are optional"


@pytest.mark.parametrize("name", operations_in(SEED))
def test_an_operation_answers_as_in_the_seed(name: str) -> None:
    seed, ours = operations_in(SEED)[name], operations_in(swagger())[name]
    assert {known_status(status) for status in seed["responses"]} <= ours["responses"].keys()
    assert "402" not in ours["responses"]
    assert all(response["description"] for response in ours["responses"].values())


def test_definitions_inherit_as_in_the_seed() -> None:
    for name, schema in SEED["definitions"].items():
        ours = swagger()["definitions"][name]
        assert schema.get("allOf", [None])[0] == ours.get("allOf", [None])[0]


def test_the_rest_of_the_document_is_that_of_the_seed() -> None:
    for key in ("swagger", "basePath", "produces", "consumes", "tags", "responses"):
        assert swagger()[key] == SEED[key]


def differences(
    seed: dict[str, Any], ours: dict[str, Any], where: str
) -> Iterator[tuple[str, str]]:
    """What of the seed's schema is missing from ours, or has become narrower."""
    if "$ref" in seed:
        if seed != ours:
            yield where, f"{seed} became {ours}"
        return
    seed, ours = merged(seed, SEED["definitions"]), merged(ours, swagger()["definitions"])
    for keyword in ("type", "format", "default"):
        if keyword in seed and seed[keyword] != ours.get(keyword):
            yield where, f"{keyword} {seed[keyword]} became {ours.get(keyword)}"
    yield from ((where, words) for words in narrowed(seed, ours))
    if "items" in seed:
        yield from differences(seed["items"], ours.get("items", {}), f"{where}[]")
    fields = ours.get("properties", {})
    for name, field in seed.get("properties", {}).items():
        if name in fields:
            yield from differences(field, fields[name], f"{where}.{name}")
        else:
            yield f"{where}.{name}", "is missing"


def narrowed(seed: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    """Bounds that leave out something that the seed let in.

    Lengths upwards are not looked at: the seed knew none, and ours only keep bodies small.
    """
    for bound, wider, no_bound in (
        ("minimum", min, -WORD),
        ("maximum", max, WORD),
        ("minLength", min, 0),
    ):
        limit = ours.get(bound, no_bound)
        if wider(limit, seed.get(bound, no_bound)) != limit:
            yield f"{bound} {seed.get(bound)} became {limit}"
    if "multipleOf" in ours and seed.get("multipleOf", 0.5) % ours["multipleOf"]:
        yield f"multipleOf {seed.get('multipleOf')} became {ours['multipleOf']}"
    if "enum" in ours and not set(seed.get("enum", ["anything"])) <= set(ours["enum"]):
        yield f"enum {seed.get('enum')} became {ours['enum']}"
    if set(seed.get("required", ())) != set(ours.get("required", ())):
        yield f"required {seed.get('required')} became {ours.get('required')}"


# -- both documents ----------------------------------------------------------------------------


def test_swagger_is_valid() -> None:
    OpenAPIV2SpecValidator(swagger()).validate()


def test_openapi_is_valid() -> None:
    OpenAPIV31SpecValidator(openapi()).validate()


@pytest.mark.parametrize("document", [swagger, openapi])
def test_documents_are_json_and_always_the_same(document: Any) -> None:
    made = document.__wrapped__()
    assert made == document()
    assert msgspec.json.decode(msgspec.json.encode(made)) == made
    assert made["info"]["title"] == "Ordu"
    assert made["info"]["version"] == "1.2.3"


def references_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references_in(inner)


@pytest.mark.parametrize("document", [swagger, openapi])
def test_every_reference_leads_somewhere(document: Any) -> None:
    references = set(references_in(document()))
    assert references
    for reference in references:
        part = document()
        for key in reference.removeprefix("#/").split("/"):
            part = part[key]


def test_both_documents_have_the_same_schemas() -> None:
    schemas = openapi()["components"]["schemas"]
    assert swagger()["definitions"].keys() <= schemas.keys()
    assert SEED["definitions"].keys() <= schemas.keys()


def test_operations_of_both_documents() -> None:
    assert operations_in(openapi()).keys() == BY_NAME.keys()
    api = {row.name for row in TABLE if row.path.startswith("/api/v2/")}
    assert operations_in(swagger()).keys() == api


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_openapi_says_what_the_row_says(row: Operation) -> None:
    said = operations_in(openapi())[row.name]
    assert (said["path"], said["method"].upper()) == (row.path, row.method)
    assert said["summary"] == row.summary
    assert [p["name"] for p in said["parameters"]] == [p.name for p in row.parameters]
    assert said["responses"].keys() == {
        str(status) for status in (row.status, *row.likewise, *row.also, *row.statuses_refused)
    }
    for status in row.likewise:
        same = said["responses"][str(row.status)].get("content")
        assert said["responses"][str(status)].get("content") == same
    content = said["responses"][str(row.status)].get("content", {})
    assert (row.produces in content) == (row.reply is not None or row.produces != JSON)
    body = said.get("requestBody", {"content": {}})["content"]
    assert (row.consumes in body) == (row.request is not None or row.consumes != JSON)


def test_bytes_have_no_schema() -> None:
    assert operations_in(openapi())["get_picture"]["responses"]["200"]["content"] == {"image/*": {}}


def test_every_field_is_described() -> None:
    for name, schema in openapi()["components"]["schemas"].items():
        assert schema["description"], name
        own = schema["allOf"][1] if "allOf" in schema else schema
        for field, said in own["properties"].items():
            assert said.get("description"), f"{name}.{field}"
            assert "title" not in said


@pytest.mark.parametrize("document", [swagger, openapi])
@pytest.mark.parametrize("message", [GenerationInput, ModelGenerationInputStable])
def test_defaults_are_those_really_used(message: type[msgspec.Struct], document: Any) -> None:
    schemas = document().get("definitions") or document()["components"]["schemas"]
    fields = merged(schemas[message.__name__], schemas)["properties"]
    used = msgspec.to_builtins(msgspec.convert({"prompt": "a cat"}, message))
    documented = {name: said["default"] for name, said in fields.items() if "default" in said}
    given = {"prompt", "params"}
    assert documented == {
        name: default for name, default in used.items() if default is not None and name not in given
    }


@pytest.mark.parametrize(
    ("message", "field", "expected"),
    [
        pytest.param(
            "PostJobSubmitRequest",
            "seed",
            {"type": "string", "maxLength": 1000, "x-nullable": True, "x-also": "integer"},
            id="a text or a number, or null",
        ),
        pytest.param(
            "GenerationPayload",
            "payload",
            {"$ref": "#/definitions/ModelPayloadStable"},
            id="a reference stands alone",
        ),
        pytest.param(
            "HordeAct",
            "date",
            {"type": "string", "format": "date-time"},
            id="a date",
        ),
        pytest.param(
            "GenerationInput",
            "source_processing",
            {
                "type": "string",
                "enum": ["img2img", "inpainting", "outpainting", "remix"],
                "default": "img2img",
            },
            id="one of a few words",
        ),
    ],
)
def test_the_swagger_dialect(message: str, field: str, expected: dict[str, Any]) -> None:
    said = swagger()["definitions"][message]["properties"][field]
    assert {key: value for key, value in said.items() if key != "description"} == expected


def test_the_swagger_dialect_of_what_no_message_has_yet() -> None:
    schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 2, "examples": [1, 0.5]}
    assert _as_swagger(schema) == {
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 2,
        "exclusiveMaximum": True,
        "example": 1,
    }


def test_swagger_has_nothing_that_it_does_not_know() -> None:
    text = msgspec.json.encode(swagger()).decode()
    for keyword in ("anyOf", "examples", "const", "contentEncoding"):
        assert f'"{keyword}":' not in text
    assert '"type":"null"' not in text


# -- what generated calls found (tests/attacks) --------------------------------------------------


def test_swagger_says_that_an_object_may_be_null() -> None:
    fields = merged(swagger()["definitions"]["UserDetailsStable"], swagger()["definitions"])
    monthly = fields["properties"]["monthly_kudos"]
    assert monthly == {"$ref": "#/definitions/MonthlyKudos", "x-nullable": True}


def test_swagger_gives_no_type_to_what_may_be_a_list_or_something_else() -> None:
    values = swagger()["definitions"]["ChangeThatHelps"]["properties"]["set"]
    assert "type" not in values["additionalProperties"]


def test_refusals_are_json_where_the_answer_is_not() -> None:
    said = operations_in(swagger())["get_async_events"]
    assert said["produces"] == ["text/event-stream", "application/json"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        pytest.param("post_async_generate", "200", id="a dry run"),
        pytest.param("post_async_generate", "413", id="a body too large"),
        pytest.param("get_find_user", "501", id="a shared key"),
        pytest.param("get_workers", "401", id="a wrong key where none is needed"),
    ],
)
def test_both_documents_know_every_status(name: str, status: str) -> None:
    for document in (swagger(), openapi()):
        assert status in operations_in(document)[name]["responses"]
