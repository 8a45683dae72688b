"""The seed's Swagger document, and what in an answer is not as its definitions say.

Stricter than Swagger 2.0: every field of a definition must be there unless `MAY_LACK` says why not,
and null is only where `MAY_BE_NULL` says so. Fields that the seed does not know are let through:
answers are a superset.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

SEED = yaml.safe_load(
    (Path(__file__).parents[2] / "docs/seed/swagger-2022.yaml").read_text(encoding="utf-8")
)
METHODS = ("get", "post", "put", "delete")
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}

PRIVILEGED = "told to the owner and to moderators only"
ONLY_CHANGED = "the answer of a PUT has what was changed"
# Fields of the seed that an answer may lack, by path below the definition, and why.
MAY_LACK: Mapping[str, Mapping[str, str]] = {
    "UserDetailsStable": {
        "evaluating_kudos": PRIVILEGED,
        "monthly_kudos": PRIVILEGED,
        "monthly_kudos.last_received": "nothing came yet",
        "suspicious": PRIVILEGED,
        "worker_ids": PRIVILEGED,
    },
    "WorkerDetailsStable": {
        "info": "its owner wrote nothing",
        "owner": PRIVILEGED,
        "paused": PRIVILEGED,
        "suspicious": PRIVILEGED,
    },
    "RequestAsync": {"message": "there is nothing to be said about most requests"},
    "HordeModes": {
        "raid_mode": PRIVILEGED,
        "maintenance_mode": ONLY_CHANGED,
        "invite_only_mode": ONLY_CHANGED,
    },
    "ModifyUser": dict.fromkeys(SEED["definitions"]["ModifyUser"]["properties"], ONLY_CHANGED),
    "ModifyWorker": dict.fromkeys(SEED["definitions"]["ModifyWorker"]["properties"], ONLY_CHANGED),
    # Of a job's payload only what was asked for; `skipped` is empty beside a job.
    "GenerationPayload": {
        **dict.fromkeys(
            (
                *("payload.toggles", "payload.denoising_strength", "payload.seed_variation"),
                *("payload.use_gfpgan", "payload.use_real_esrgan", "payload.use_ldsr"),
                "payload.use_upscaling",
            ),
            "it was not asked for",
        ),
        "payload.use_nsfw_censor": "it was not asked for",
        "payload.prompt": "there is no job (protocol sheet 11 §4.1)",
        "payload.seed": "there is no job",
        **{
            f"skipped.{name}": "nothing was passed over where there is a job"
            for kind in ("NoValidRequestFound", "NoValidRequestFoundStable")
            for part in [SEED["definitions"][kind], *SEED["definitions"][kind].get("allOf", [])]
            for name in part.get("properties", ())
        },
    },
}
MAY_BE_NULL: Mapping[str, Mapping[str, str]] = {
    "GenerationPayload": {
        "id": "there is no job",
        "model": "there is no job",
        "source_image": "the request has none",
    },
    "UserDetailsStable": {  # in lists nothing is left out
        "evaluating_kudos": PRIVILEGED,
        "monthly_kudos": PRIVILEGED,
        "suspicious": PRIVILEGED,
        "worker_ids": PRIVILEGED,
    },
}


def documented() -> dict[tuple[str, int], Mapping[str, Any] | None]:
    """Every (operation, status) of the seed with the schema of its answer."""
    return {
        (row["operationId"], int(status)): answer.get("schema")
        for path in SEED["paths"].values()
        for method in METHODS
        if (row := path.get(method))
        for status, answer in row["responses"].items()
    }


def places() -> dict[str, tuple[str, str]]:
    """Each operation's method and path, as the seed writes them."""
    return {
        row["operationId"]: (method.upper(), SEED["basePath"] + path)
        for path, rows in SEED["paths"].items()
        for method in METHODS
        if (row := rows.get(method))
    }


def body_fields(operation: str) -> set[str]:
    """The fields that the seed knows in the body of an operation; those within are dotted."""
    method, path = places()[operation]
    row = SEED["paths"][path.removeprefix(SEED["basePath"])][method.lower()]
    for parameter in row["parameters"]:
        if parameter["in"] == "body":
            return set(_dotted(parameter["schema"]))
    return set()


def wrong(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """What is not as this schema says, one line each."""
    name = _name(schema.get("items", schema))
    if name is None:
        return list(_wrong(value, schema, "", {}, {}))
    return list(_wrong(value, schema, "", MAY_LACK.get(name, {}), MAY_BE_NULL.get(name, {})))


def _wrong(
    value: Any,
    schema: Mapping[str, Any],
    where: str,
    may_lack: Mapping[str, str],
    may_be_null: Mapping[str, str],
) -> Iterator[str]:
    schema = resolved(schema)
    kind = schema["type"]
    if value is None and where in may_be_null:
        return
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{where or 'the answer'} is no {kind}: {value!r:.80}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is none of {schema['enum']}: {value!r}"
    if kind == "array":
        for number, element in enumerate(value):
            for line in _wrong(element, schema["items"], where, may_lack, may_be_null):
                yield f"[{number}] {line}"
    if kind == "object":
        for name, field in schema["properties"].items():
            place = f"{where}.{name}" if where else name
            if name in value:
                yield from _wrong(value[name], field, place, may_lack, may_be_null)
            elif place not in may_lack:
                yield f"{place} is missing"


def resolved(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with `$ref` followed and `allOf` folded into one object."""
    if "$ref" in schema:
        return resolved(SEED["definitions"][_name(schema)])
    if "allOf" not in schema:
        return dict(schema)
    parts = [resolved(part) for part in schema["allOf"]]
    properties = {name: field for part in parts for name, field in part["properties"].items()}
    return {"type": "object", "properties": properties}


def _name(schema: Mapping[str, Any]) -> str | None:
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


def _dotted(schema: Mapping[str, Any], where: str = "") -> Iterator[str]:
    for name, field in resolved(schema).get("properties", {}).items():
        yield where + name
        yield from _dotted(field, f"{where}{name}.")
