"""The reference: the table of operations as the API page shows it, group by group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ordu.protocol import openapi
from ordu.protocol.operations import TABLE, Era, Key, Operation
from ordu.protocol.replies import RequestError
from ordu.web import examples, snippets
from ordu.web.schemas import Field, Json, Schemas, fields_of, takes

API = "/api/v2"

WHO_MAY_CALL: Mapping[Key, str] = {
    Key.NONE: "anybody, without a key",
    Key.OPTIONAL: "anybody; with a key you may see more",
    Key.REQUIRED: "whoever has a key",
}
SINCE: Mapping[Era, str] = {
    Era.SEED: "the Stable Horde of 2022",
    Era.TODAY: "the public hordes of today",
    Era.ORDU: "Ordu alone",
}


# What cannot be taken back costs more than a change: who tries these is told so.
SPENDING = frozenset(
    {"post_async_generate", "post_sync_generate", "post_transfer_kudos", "post_award_kudos"}
)


@dataclass(frozen=True)
class Message:
    """What goes in or comes out: its name and fields, or its media type."""

    name: str
    is_list: bool
    fields: tuple[Field, ...]
    media_type: str


@dataclass(frozen=True)
class Entry:
    """One operation as it is shown."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    who: str
    since: str
    parameters: tuple[tuple[str, Field], ...]  # where each stands, and what it is
    body: Message | None
    status: int
    status_text: str
    answer: Message | None
    refusals: tuple[tuple[int, str], ...]
    examples: tuple[tuple[str, str], ...]  # a language, and the call in it
    key: Key
    effect: str  # `spends`, `changes`, or nothing
    sends: str  # the media type of its body; empty where it takes none
    body_example: str

    @property
    def short_path(self) -> str:
        """The path without what nearly all paths begin with."""
        return self.path.removeprefix(API)


@dataclass(frozen=True)
class Group:
    """Operations about one subject."""

    anchor: str
    title: str
    about: str
    entries: tuple[Entry, ...]


# First path segments by subject; one that is not named here gets a group of its own.
SUBJECTS: Sequence[tuple[str, str, frozenset[str]]] = (
    ("Requests and jobs", "Ask for pictures, and draw them", frozenset({"generate"})),
    ("Users", "Accounts and their keys", frozenset({"users", "find_user", "register", "sign_in"})),
    ("Workers", "The machines that draw", frozenset({"workers"})),
    ("Kudos", "Given from one to another", frozenset({"kudos"})),
    ("The horde", "Load, models, modes, news", frozenset({"status", "stats", "documents"})),
    ("Webhooks", "What was delivered, and what signs it", frozenset({"webhooks"})),
    ("Pictures", "By signed link, without a key", frozenset({"pictures"})),
    ("Running it", "For those who run the horde", frozenset({"operations"})),
    ("Health", "For programs that watch it", frozenset({"livez", "readyz", "metrics"})),
)


def groups(base_url: str) -> tuple[Group, ...]:
    """Every operation, in its group."""
    document = openapi.openapi_document("", "")
    schemas: Schemas = document["components"]["schemas"]
    named = frozenset().union(*(families for _, _, families in SUBJECTS))
    rest = sorted({row.family for row in TABLE} - named)
    others = tuple((family, "", frozenset({family})) for family in rest)
    return tuple(
        Group(
            anchor=title.lower().replace(" ", "-"),
            title=title,
            about=about,
            entries=tuple(
                entry(row, said_of(row, document), schemas, base_url)
                for row in TABLE
                if row.family in families
            ),
        )
        for title, about, families in (*SUBJECTS, *others)
    )


def said_of(row: Operation, document: Json) -> Json:
    """What the document says of an operation."""
    said: Json = document["paths"][row.path][row.method.lower()]
    return said


def entry(row: Operation, said: Json, schemas: Schemas, base_url: str) -> Entry:
    """One operation as it is shown."""
    return Entry(
        name=row.name,
        method=row.method,
        path=row.path,
        summary=row.summary,
        description=row.description,
        who=WHO_MAY_CALL[row.key],
        since=SINCE[row.era],
        parameters=tuple(parameter(each) for each in said["parameters"]),
        body=message(said.get("requestBody", {}), schemas),
        status=row.status,
        status_text=row.status_text,
        answer=message(said["responses"][str(row.status)], schemas),
        refusals=tuple(sorted(row.refusals.items())),
        examples=(
            ("curl", examples.curl(row, base_url)),
            ("Python", snippets.python(row, base_url)),
            ("JavaScript", snippets.javascript(row, base_url)),
        ),
        key=row.key,
        effect=effect(row),
        sends=row.consumes if row.request is not None or is_upload(row) else "",
        body_example=examples.body(row),
    )


def effect(row: Operation) -> str:
    """What calling an operation does besides answering."""
    if row.name in SPENDING:
        return "spends"
    return "" if row.method == "GET" else "changes"


def is_upload(row: Operation) -> bool:
    """Whether its body is a picture."""
    return row.consumes.startswith("image/")


def parameter(said: Json) -> tuple[str, Field]:
    """Where a parameter stands, and what it is."""
    return said["in"], Field(
        name=said["name"],
        takes=takes(said["schema"]),
        meaning=said["description"],
        is_required=said.get("required", False),
    )


def message(said: Json, schemas: Schemas) -> Message | None:
    """What a body or an answer has; None when it is empty."""
    content: dict[str, Any] = said.get("content", {})
    for media_type, inside in content.items():
        schema = inside.get("schema", {})
        is_list = schema.get("type") == "array"
        reference = (schema["items"] if is_list else schema).get("$ref", "")
        return Message(
            name=reference.rpartition("/")[2],
            is_list=is_list,
            fields=fields_of(schema, schemas) if schema else (),
            media_type=media_type,
        )
    return None


def refusal_fields() -> tuple[Field, ...]:
    """The fields of every refusal."""
    schemas: Schemas = openapi.openapi_document("", "")["components"]["schemas"]
    return fields_of(schemas[RequestError.__name__], schemas)
