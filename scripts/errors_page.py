"""Write docs/reference/errors.md from the table of refusals; `--check` only compares."""

import sys
from collections.abc import Iterator
from pathlib import Path

from derived import write_or_check

from ordu.protocol import operations
from ordu.protocol.errors import RC, RETRY_AFTER_S, Family
from ordu.protocol.problems import ADVICE, ADVICE_OF, TITLES

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "errors.md"

# Of calls that reach no operation, and of our own mistakes.
ANYWHERE = {"NotFound", "MethodNotAllowed", "InternalError"}

INTRODUCTION = f"""\
# Errors

Produced by `make pages` from `src/ordu/protocol/errors.py` and `problems.py`; do not edit it by
hand. A running horde shows the same at `/problems/RC`, which is what `type` says.

A refusal has this body, whatever was called:

```json
{{
  "message": "This request costs 40 kudos up front and you have 13. Lower the size, or ...",
  "rc": "KudosUpfront",
  "type": "/problems/KudosUpfront",
  "title": "{TITLES["KudosUpfront"]}",
  "status": 403,
  "instance": "5f0c8d6e1b7a42930000000000000a1f"
}}
```

`message` is for people and carries the numbers of this call. `rc` is for programs: the words below
do not change. `errors`, where a body does not fit, says what is wrong with each of its fields.
`type`, `title`, `status` and `instance` are those of RFC 9457; `type` is relative to the horde's
root, and `instance` is the id of the call (as in `X-Request-Id`), which finds it in the log. Who
sends `Accept: application/problem+json` gets that media type, and the message once more as
`detail`. New fields may come: read those you know.

With 429 and 503 there is always a `Retry-After`, in seconds. It is exact for `RateLimited`; where
nobody can know, it is {RETRY_AFTER_S} s, or what stands beside the rc.

Codes come in families; a program reacts to the family, and our client has an exception class for
each. Codes in *italics* are those of the public servers that this horde does not send: our client
knows them. A dot at the end, a blank and a misspelling are theirs.
"""


def page() -> str:
    """The whole page."""
    sent = ANYWHERE | {rc for row in operations.TABLE for rc in (*row.rcs, *row.common_rcs)}
    parts = [INTRODUCTION]
    for family in Family:
        codes = [rc for rc, (_, its) in RC.items() if its is family]
        parts.append("\n".join(section(family, codes, sent)))
    return "\n".join(parts)


def section(family: Family, codes: list[str], sent: set[str]) -> Iterator[str]:
    """The lines about one family."""
    yield f"## {family.capitalize()}\n"
    yield f"{ADVICE[family]}\n"
    yield "| rc | status | meaning |"
    yield "|---|---|---|"
    for rc in sorted(codes, key=lambda rc: (rc not in sent, rc.lower())):
        name = f"`{rc}`" if rc in sent else f"*`{rc}`*"
        advice = f". {ADVICE_OF[rc]}" if rc in ADVICE_OF else ""
        yield f"| {name} | {RC[rc][0]} | {TITLES[rc]}{advice} |"
    yield ""


def main() -> int:
    """Write the page, or compare it."""
    return write_or_check(PAGE, page())


if __name__ == "__main__":
    sys.exit(main())
