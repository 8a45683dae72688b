"""Write docs/reference/operations.md from the table of operations; `--check` only compares."""

import sys
from pathlib import Path

import msgspec

from ordu.protocol import operations
from ordu.protocol.operations import Era, Key, Operation

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "operations.md"

INTRODUCTION = """# Operations

Produced from the table in `src/ordu/protocol/operations/` by `make pages`; do not edit it by hand.
A running horde shows the same at `/api/`, with every field, and serves it as `/api/swagger.json`
(Swagger 2.0) and `/openapi.json` (OpenAPI 3.1). Every operation under `/api/v2` takes the header
`X-Fields`, a mask of the fields the answer shall have. A refusal is `{"message", "rc"}`, and
`errors` by field where a body does not fit.

"""

ERAS = {
    Era.SEED: "One of the 21 operations of October 2022.",
    Era.TODAY: "Came later to the public servers.",
    Era.ORDU: "Ordu's own.",
}
KEYS = {Key.NONE: "not needed", Key.OPTIONAL: "optional", Key.REQUIRED: "required"}


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "\n".join(section(row) for row in operations.TABLE)


def section(row: Operation) -> str:
    """One operation."""
    lines = [
        f"## {row.name}",
        "",
        f"`{row.method} {row.path}` · key: {KEYS[row.key]} · {ERAS[row.era]}",
        "",
        " ".join(f"{row.summary.rstrip('.')}. {row.description}".split()),
        "",
    ]
    if row.request is not None:
        lines += [f"Body: `{row.request.__name__}` ({', '.join(names(row.request))}).", ""]
    if row.reply is not None:
        lines += [f"Answer {row.status}: `{reply_name(row.reply)}`.", ""]
    if row.refusals:
        refusals = "; ".join(f"{status} {text}" for status, text in sorted(row.refusals.items()))
        lines += [f"Refusals: {refusals}.", ""]
    return "\n".join(lines)


def names(type_: type) -> list[str]:
    """The fields of a body as they are on the wire."""
    return [f"`{field.encode_name}`" for field in msgspec.structs.fields(type_)]


def reply_name(type_: object) -> str:
    """The answer's type in words."""
    inner = getattr(type_, "__args__", None)
    return f"list of {inner[0].__name__}" if inner else getattr(type_, "__name__", str(type_))


def main() -> int:
    """Write the page, or compare it."""
    if "--check" in sys.argv:
        if PAGE.read_text(encoding="utf-8") == page():
            return 0
        print(f"{PAGE.name} is not what the table says; run `make pages`.")
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
