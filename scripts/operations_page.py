"""Write docs/reference/operations.md from the table of operations; `--check` only compares."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from derived import write_or_check

from ordu.protocol import operations
from ordu.protocol.errors import STATUS
from ordu.protocol.openapi import openapi_document
from ordu.protocol.operations import Counts, Era, Key, Limit, Nulls, Operation
from ordu.protocol.operations.later import LATER
from ordu.rules.rights import (
    MODES_CHANGED,
    MODES_SEEN,
    USER_CHANGED,
    USER_SEEN,
    WORKER_CHANGED,
    WORKER_EXPLAINED,
    WORKER_SEEN,
    Right,
    Standing,
)
from ordu.web.schemas import fields_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "operations.md"
SCHEMAS = openapi_document("Ordu", "0")["components"]["schemas"]

INTRODUCTION = """# Operations

Produced by `make pages` from the tables of operations (`src/ordu/protocol/operations/`) and
of rights (`src/ordu/rules/rights.py`); do not edit it by hand.
A running horde shows the same at `/api/`, with every field, and serves it as `/api/swagger.json`
(Swagger 2.0) and `/openapi.json` (OpenAPI 3.1). Nearly all operations under `/api/v2` take the
header `X-Fields`, a mask of the fields a JSON answer shall have. A refusal has `message`, `rc` and
more: [errors](errors.md) has them all.

"""

NOT_SERVED = """## Not served yet

Operations of the public servers that this horde answers with 501 `NotImplemented` and a message
that says what is served in their stead. Each may be called 90 a minute from one address, needs no
key, and is not in the documents of the API. They are listed in
`src/ordu/protocol/operations/later.py`.
"""

ERAS = {
    Era.SEED: "One of the 21 operations of October 2022.",
    Era.TODAY: "Came later to the public servers.",
    Era.ORDU: "Ordu's own.",
}
WHO = {
    Standing.OWNER: "owner and moderators",
    Standing.MODERATOR: "moderators",
    Standing.ADMINISTRATOR: "administrator",
}
SEEN: Mapping[str, Mapping[str, Standing]] = {
    **dict.fromkeys(("get_users", "get_user_single", "get_find_user"), USER_SEEN),
    "get_worker_explain": WORKER_EXPLAINED,
    **dict.fromkeys(("get_workers", "get_worker_single", "get_worker_single_name"), WORKER_SEEN),
    "get_horde_modes": MODES_SEEN,
}
CHANGED: Mapping[str, Mapping[str, Right]] = {
    "put_user_single": USER_CHANGED,
    "put_worker_single": WORKER_CHANGED,
    "put_horde_modes": MODES_CHANGED,
}
# What a field is called in those tables, where the wire has two names.
OLD_NAMES: Mapping[str, str] = {
    "worker_invite": "worker_invited",
    "maintenance": "maintenance_mode",
    "invite_only": "invite_only_mode",
    "raid": "raid_mode",
    "maintenance_msg": "maintenance",
}
KEYS = {Key.NONE: "not needed", Key.OPTIONAL: "optional", Key.REQUIRED: "required"}


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "\n".join(section(row) for row in operations.TABLE) + "\n" + not_served()


def not_served() -> str:
    """The operations that are answered with 501, and what is served in their stead."""
    lines = [
        (f"`{row.method} {row.path}`", f"`{row.name}`", row.summary.partition(". ")[2])
        for row in LATER
    ]
    head = ("operation", "name", "in its stead")
    return f"{NOT_SERVED}\n{table(head, lines)}\n\nTests: `tests/api/test_later.py`.\n"


def section(row: Operation) -> str:
    """One operation: what it is for, what goes in, what comes out, what is refused, its tests."""
    return (
        "\n\n".join(
            filter(
                None,
                (
                    f"## {row.name}",
                    f"`{row.method} {row.path}` · key: {KEYS[row.key]} · {ERAS[row.era]}",
                    " ".join(f"{row.summary.rstrip('.')}. {row.description}".split()),
                    limits(row),
                    parameters(row),
                    body(row),
                    reply(row),
                    refusals(row),
                    tests(row),
                ),
            )
        )
        + "\n"
    )


def limits(row: Operation) -> str:
    """How often it may be called."""
    by = {
        Counts.ADDRESS: "from one address",
        Counts.NETWORK: "from one network",
        Counts.PATH: "from one address for one path",
        Counts.KEY: "by one user",
    }
    said = [f"{limits_words(limit)} {by[limit.counts]}" for limit in row.limits]
    return "Limits: " + (", ".join(said) or "none") + "."


def limits_words(limit: Limit) -> str:
    """One limit."""
    unit = {1: "second", 60: "minute", 3600: "hour"}[limit.per_s]
    anonymous = f" ({limit.anonymous} by all anonymous together)" if limit.anonymous else ""
    setting = f" (setting `{limit.setting}`)" if limit.setting else ""
    return f"{limit.calls} a {unit}{anonymous}{setting}"


def parameters(row: Operation) -> str:
    """What stands outside the body."""
    lines = [
        (f"`{each.name}`", each.place.value, each.description + (" (required)" * each.required))
        for each in row.parameters
        if each.name != "X-Fields"
    ]
    return table(("parameter", "in", "what"), lines)


def body(row: Operation) -> str:
    """The fields of the body, and who may change each."""
    if row.request is None:
        return ""
    rights = CHANGED.get(row.name, {})
    lines = [
        (
            f"`{field.name}`",
            field.takes + (" (required)" * field.is_required),
            *((who_changes(rights, field.name),) if rights else ()),
        )
        for field in fields_of(schema_of(row.request), SCHEMAS)
        if field.name.count(".") <= 1
    ]
    head = ("field of the body", "takes", "who") if rights else ("field of the body", "takes")
    return table(head, lines)


def who_changes(rights: Mapping[str, Right], field: str) -> str:
    """Who may change a field."""
    right = rights.get(OLD_NAMES.get(field, field))
    return "anybody who may change another" if right is None else WHO[right.least]


def reply(row: Operation) -> str:
    """The fields of the answer, and who sees those that not everybody does."""
    others = {**row.likewise, **row.also}
    also = "".join(f" Answer {status}: {words}." for status, words in others.items())
    if row.reply is None:
        return f"Answer {row.status}: `{row.produces}`.{also}"
    fields = fields_of(schema_of(row.reply), SCHEMAS)
    names = ", ".join(f"`{field.name}`" for field in fields if "." not in field.name)
    seen = SEEN.get(row.name, {})
    groups: dict[Standing, list[str]] = {}
    for name, least in seen.items():
        groups.setdefault(least, []).append(f"`{name}`")
    said = "".join(
        f" Seen by {WHO[least]} only: {', '.join(names_of)}." for least, names_of in groups.items()
    )
    nulls = "null fields are left out" if row.nulls is Nulls.SKIP else "every field is there"
    return f"Answer {row.status} ({reply_name(row.reply)}; {nulls}): {names}.{said}{also}"


def refusals(row: Operation) -> str:
    """Every code it may be refused with, by status."""
    by_status: dict[int, list[str]] = {}
    for rc in dict.fromkeys((*row.common_rcs, *row.rcs)):
        by_status.setdefault(STATUS[rc], []).append(f"`{rc}`")
    said = "; ".join(f"{status} {', '.join(by_status[status])}" for status in sorted(by_status))
    return f"Refusals: {said}."


def tests(row: Operation) -> str:
    """The files with tests of it, in a sentence."""
    return f"Tests: {', '.join(test_files(row))}."


def test_files(row: Operation) -> Sequence[str]:
    """The files with tests named after it."""
    pattern = re.compile(rf"def test_\w*{row.name}|\b{row.name}\b")
    return [
        f"`{path.relative_to(ROOT)}`"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if pattern.search(path.read_text(encoding="utf-8"))
    ]


def table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> str:
    """A table; nothing when it has no lines."""
    if not lines:
        return ""
    rows = [head, tuple("---" for _ in head), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def schema_of(message: object) -> dict[str, Any]:
    """The schema of a message, or of a list of one, as a reference into the document."""
    inner = getattr(message, "__args__", (message,))[0]
    return {"$ref": f"#/components/schemas/{inner.__name__}"}


def reply_name(type_: object) -> str:
    """The answer's type in words."""
    inner = getattr(type_, "__args__", None)
    return f"list of {inner[0].__name__}" if inner else getattr(type_, "__name__", str(type_))


def main() -> int:
    """Write the page, or compare it."""
    return write_or_check(PAGE, page())


if __name__ == "__main__":
    sys.exit(main())
