"""Write docs/reference/rights.md from the reviewed table of rights; `--check` only compares."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from derived import write_or_check

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the table lies with the tests that prove it

from tests.rights import rules  # noqa: E402 - see above
from tests.rights.rules import NOBODY, WRONG, YES, Rule  # noqa: E402 - see above

from ordu.protocol.errors import STATUS  # noqa: E402 - see above
from ordu.rules.rights import (  # noqa: E402 - see above
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

PAGE = ROOT / "docs" / "reference" / "rights.md"
RIGHTS = rules.read()
# The columns, and who stands in each. People are told apart only where they differ.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "no key": (NOBODY,),
    "guest": ("guest",),
    "people": ("user", "owner", "education", "flagged", "deleted", "browser"),
    "moderator": ("moderator",),
    "administrator": ("administrator",),
}
STANDINGS = {
    Standing.OWNER: "the owner, moderators, the administrator",
    Standing.MODERATOR: "moderators, the administrator",
    Standing.ADMINISTRATOR: "the administrator",
}

IDENTITIES = "\n".join(f"- **{name}**: {words}" for name, words in RIGHTS.identities.items())
INTRODUCTION = f"""\
# Rights

Produced by `make pages` from the reviewed table `tests/rights/table.toml` and from
`src/ordu/rules/rights.py`; do not edit it by hand. `tests/rights` makes every call of it on SQLite
and PostgreSQL, for each identity and on what is its own and what is others': who is refused gets
the code that stands here, changes no row of the database, and is shown nothing that others wrote
for few.

{IDENTITIES}

*People* are all from user to browser. Where an operation looks at a key, one that nobody has is
refused with `InvalidAPIKey` (in one place with `UserNotFound`); where it does not, it makes no
difference.

✓ may; the rest are the codes of refusals ([errors](errors.md)). — has nothing of that kind.

## Operations
"""

FIELDS = """\
## Fields

What everybody else sees or may not change. Fields that do not stand here are seen by everybody who
sees the thing, and changed by nobody.
"""


def page() -> str:
    """The whole page."""
    return "\n".join((INTRODUCTION, *operations(), FIELDS, *fields()))


def operations() -> Iterator[str]:
    """A table of each rule."""
    yield f"| what | operations | {' | '.join(COLUMNS)} |"
    yield "|" + "---|" * (len(COLUMNS) + 2)
    for rule in RIGHTS.rules:
        # With one the words say it already.
        whose = ", ".join(filter(None, rule.whose)) if len(rule.whose) > 1 else ""
        about = rule.about + (f" ({whose})" if whose else "")
        names = ", ".join(f"`{name}`" for name in rule.operations)
        yield f"| {about} | {names} | {' | '.join(cells(rule))} |"
    yield ""


def cells(rule: Rule) -> Iterator[str]:
    """What each column is answered; of people first what most are."""
    for members in COLUMNS.values():
        by_answer: dict[str, list[str]] = {}
        for name in members:
            if name in rule.answers:
                by_answer.setdefault(rule.answers[name], []).append(name)
        usual, *others = sorted(by_answer.items(), key=lambda each: -len(each[1])) or [("", [])]
        words = [answer(usual[0])]
        words += [f"{', '.join(names)}: {answer(code)}" for code, names in others]
        yield "; ".join(words)


def answer(code: str) -> str:
    """An answer in a cell."""
    return {YES: "✓", "": "—"}.get(code) or f"`{code}`"


def fields() -> Iterator[str]:
    """The tables of fields."""
    seen = {
        "Of a user": USER_SEEN,
        "Of a worker": WORKER_SEEN,
        "Of the explanation of a worker": WORKER_EXPLAINED,
        "Of the modes": MODES_SEEN,
    }
    yield "| seen | field | by |\n|---|---|---|"
    for thing, table in seen.items():
        for least, who in STANDINGS.items():
            if names := [f"`{name}`" for name, its in table.items() if its is least]:
                yield f"| {thing} | {', '.join(names)} | {who} |"
    yield "\nWorkers that their owner has made public are seen with `owner` and `worker_ids`."
    changed = {"Of a user": USER_CHANGED, "Of a worker": WORKER_CHANGED, "Modes": MODES_CHANGED}
    yield "\n| changed | field | by | refused |\n|---|---|---|---|"
    for thing, rights in changed.items():
        for right in dict.fromkeys((each.least, each.rc) for each in rights.values()):
            yield f"| {thing} | {names_of(rights, *right)} | {STANDINGS[right[0]]} | `{right[1]}` |"
    shared = [f"`{name}`" for name, right in USER_CHANGED.items() if right.of_anonymous]
    yield f"\nOf the account that guests share only {' and '.join(shared)} can be changed.\n"


def names_of(rights: Mapping[str, Right], least: Standing, rc: str) -> str:
    """The fields with this right."""
    return ", ".join(
        f"`{name}`" for name, its in rights.items() if (its.least, its.rc) == (least, rc)
    )


def main() -> int:
    """Write the page, or compare it."""
    unknown = {each for rule in RIGHTS.rules for each in rule.answers.values()} - {YES, *STATUS}
    assert not unknown, f"No refusals: {unknown}, {WRONG}"
    return write_or_check(PAGE, page())


if __name__ == "__main__":
    sys.exit(main())
