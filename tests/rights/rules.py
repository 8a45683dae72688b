"""The reviewed table of rights (`table.toml`), as tests and the reference read it."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

YES = "yes"
NOBODY, WRONG = "nobody", "wrong key"
TABLE = Path(__file__).with_name("table.toml")


@dataclass(frozen=True)
class Rule:
    """Some operations about what is whose, and what each identity is answered: yes, or an rc."""

    about: str
    operations: tuple[str, ...]
    whose: tuple[str | None, ...]
    key: str
    answers: Mapping[str, str]


@dataclass(frozen=True)
class Rights:
    """The whole table."""

    identities: Mapping[str, str]  # what each is, in words
    rules: tuple[Rule, ...]


def read() -> Rights:
    """The table.

    Raises:
        ValueError: a rule says two things of one identity, or names what there is not.
    """
    said = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    groups, identities = said["groups"], said["identities"]
    return Rights(identities, tuple(rule_of(each, groups, identities) for each in said["rule"]))


def rule_of(
    said: dict[str, object], groups: Mapping[str, list[str]], identities: Mapping[str, str]
) -> Rule:
    """One rule, with the groups taken apart and what follows from `key`."""
    rest = dict(said)
    about, operations, key = rest.pop("about"), rest.pop("operations"), rest.pop("key")
    whose = rest.pop("whose", [None])
    answers: dict[str, str] = {}
    for answer, names in rest.items():
        for name in members(names, groups):
            if name in answers or name not in identities:
                raise ValueError(f"{about!r}: {name!r} stands there twice, or is no identity")
            answers[name] = answer
    if key != "none":
        answers.setdefault(WRONG, "InvalidAPIKey")
    if key == "required":
        answers.setdefault(NOBODY, "InvalidAPIKey")
    return Rule(str(about), tuple(operations), tuple(whose), str(key), answers)


def members(names: list[str], groups: Mapping[str, list[str]]) -> Iterator[str]:
    """These identities, with groups taken apart."""
    for name in names:
        if name in groups:
            yield from members(groups[name], groups)
        else:
            yield name
