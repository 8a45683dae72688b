"""Write docs/reference/compatibility.md from the tables of operations; `--check` only compares."""

import sys
from types import SimpleNamespace
from typing import cast

from derived import write_or_check
from operations_page import ROOT, table, test_files

from ordu.engine.horde import Horde
from ordu.protocol import operations
from ordu.protocol.operations import Era, Operation
from ordu.protocol.operations.later import LATER
from ordu.server.doors import table as all_doors

PAGE = ROOT / "docs" / "reference" / "compatibility.md"

INTRODUCTION = """# Compatibility

Produced by `make pages` from the tables of operations; do not edit it by hand.

Which operations of the public servers this horde serves, those of October 2022 and those of today,
and the tests that prove it. How answers differ is in [differences](differences.md), every field and
refusal in [operations](operations.md).

- **2022**: `tests/system/test_seed_script.py` calls each of the 21 operations with the fields of that
  document only, brings about every status that it names, and holds the answers against its
  definitions; `tests/unit/protocol/test_openapi.py` compares this server's document with it, operation
  by operation and field by field.
- **today**: the tests named in the row; `tests/api/test_later.py` asks for all operations of the public
  servers, and each is served or answered with 501 `NotImplemented`.

## Programs

| program | what it does in the tests | test |
|---|---|---|
| horde-sdk 0.18.0, its simple clients | asks for pictures and gets them, by link and in Base64 | `tests/system/test_horde_sdk.py` |
| a worker made of horde-sdk's messages | pops, uploads or sends Base64, submits and is paid | `tests/system/test_horde_sdk.py` |
| a bridge of October 2022 | pops, submits in Base64, survives restarts, drops what is over | `tests/system/test_bridge_2022.py` |
| a program for AUTOMATIC1111's API `/sdapi/v1` | draws from words and from pictures, watches, interrupts ([its door](a1111.md)) | `tests/system/test_a1111.py` |
| Ordu's own backend `automatic1111` | draws for one horde with another, through that door | `tests/system/test_a1111.py` |
| Ordu's own client, both faces | calls every operation there is | `tests/system/test_client_live.py` |
| the official packages `openai`, Python 3.57.0 and JavaScript 7.57.0 | generate, edit, vary, stream, list models, read refusals ([all calls](openai.md#what-was-run)) | `tests/system/test_openai_packages.py` |

## Operations
"""  # noqa: E501 - rows of a table

DOORS_INTRODUCTION = """
## Doors

Other protocols' shapes for the same, each under a prefix of its own; why so is
[ADR 0029](../adr/0029-doors.md). Their operations are in no API document.
Fields and refusals: [the OpenAI door](openai.md), [the A1111 door](a1111.md).
"""


def page() -> str:
    """The whole page."""
    rows = [row for row in operations.TABLE if row.era is not Era.ORDU]
    head = ("operation", "name", "2022", "today", "tests")
    lines = [line(row, *eras(row)) for row in rows]
    lines += [line(row, "–", "501") for row in LATER]
    return f"{INTRODUCTION}\n{table(head, lines)}\n{DOORS_INTRODUCTION}\n{doors()}\n"


def doors() -> str:
    """The operations of all doors."""
    # A door is told of its horde when it is made; what it lists does not depend on it.
    nobodys = cast("Horde", SimpleNamespace(tidings=None, hears={}, forgets=[], now=int))
    rows = [(door, row) for door in all_doors.doors(nobodys) for row, _ in door.table]
    lines = [(f"`{row.method} {row.path}`", door.name, row.summary) for door, row in rows]
    return table(("operation", "door", "what it does"), lines)


def eras(row: Operation) -> tuple[str, str]:
    """Whether an operation is served as in 2022, and as today."""
    if row.era is Era.TODAY:
        return "–", "served"
    return "served", "gone from the public servers" if "sync" in row.path else "served"


def line(row: Operation, then: str, now: str) -> tuple[str, ...]:
    """One operation."""
    files = ["`tests/api/test_later.py`"] if row in LATER else test_files(row)
    return f"`{row.method} {row.path}`", f"`{row.name}`", then, now, ", ".join(files)


def main() -> int:
    """Write the page, or compare it."""
    return write_or_check(PAGE, page())


if __name__ == "__main__":
    sys.exit(main())
