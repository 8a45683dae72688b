"""Languages: what the pages say, with numbers and plurals as the visitor's language has them.

The words lie in `words/<language>/<page>.toml`, one file for each page and `common` for all. A
message is a whole sentence with named values in braces; one that depends on a number is a table of
plural forms by the names of CLDR (`one`, `other`), chosen by the value `count`. Templates and
scripts say the same messages by the same keys: `page.message`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import msgspec
from babel import Locale, UnknownLocaleError
from babel.core import negotiate_locale
from babel.numbers import format_compact_decimal, format_decimal
from markupsafe import Markup, escape

Message: TypeAlias = str | Mapping[str, str]

COMMON = "common"
# Pages whose words lie in further files as well.
ALSO: Mapping[str, tuple[str, ...]] = {"ask": ("pictures",)}
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
SHORT_FROM = 10_000  # numbers from here on are written short where there is little room
ACCEPTED_MAX = 20  # languages of a header that are looked at


class Language(StrEnum):
    """A language the pages are written in."""

    EN = "en"
    DE = "de"

    @property
    def own_name(self) -> str:
        """What its speakers call it."""
        return {"en": "English", "de": "Deutsch"}[self]


DEFAULT = Language.EN


def choose(chosen: str | None, accept_language: str) -> Language:
    """The language of a visitor: the one they chose, else the best that their browser accepts."""
    if chosen in set(Language):
        return Language(chosen)
    wanted = [tag for tag, _ in sorted(weighed(accept_language), key=lambda each: -each[1])]
    found = negotiate_locale(wanted, list(Language), sep="-")
    return Language(found) if found else DEFAULT


def weighed(accept_language: str) -> list[tuple[str, float]]:
    """The tags of the header `Accept-Language` with their weights; what is no tag is left out."""
    found = []
    for part in accept_language.split(",")[:ACCEPTED_MAX]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            Locale.parse(tag, sep="-")
            found.append((tag, float(weight or 1)))
        except (ValueError, UnknownLocaleError, TypeError):
            continue
    return [(tag, weight) for tag, weight in found if weight > 0]


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    language: Language

    def say(self, key: str, **values: object) -> Markup:
        """A message with its values, escaped; a value that is markup stays what it is.

        Raises:
            KeyError: there is no such message, or a value of it was not given.
        """
        message = messages(self.language, key.partition(".")[0])[key]
        if not isinstance(message, str):
            message = message[self.form(values["count"])]
        shown = {name: self.shown(value) for name, value in values.items()}
        return escape(message).format(**shown)

    def form(self, count: object) -> str:
        """The plural form of a number."""
        assert isinstance(count, int | float)
        return str(Locale(self.language).plural_form(count))

    def shown(self, value: object) -> object:
        """A value as it stands in a sentence: numbers as this language writes them."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return self.number(value)

    def number(self, value: float, digits: int = 2) -> str:
        """A number, with so many digits behind the point at most."""
        text: str = format_decimal(round(value, digits), locale=self.language)
        return text

    def short(self, value: float) -> str:
        """A number for an axis: a large one as `12K`, a small one with two figures."""
        if value >= SHORT_FROM:
            text: str = format_compact_decimal(value, locale=self.language, fraction_digits=1)
            return text
        return self.number(value, 0 if value >= 100 else 1 if value >= 10 else 2)

    def duration(self, seconds: float) -> Markup:
        """So many seconds in the two largest units: `1 min 50 s`."""
        left = max(0, round(seconds))
        if left < MINUTE_S:
            return self.say("common.seconds", count=left)
        if left < HOUR_S:
            parts = (("minutes", left // MINUTE_S), ("seconds", left % MINUTE_S))
        elif left < DAY_S:
            parts = (("hours", left // HOUR_S), ("minutes", left % HOUR_S // MINUTE_S))
        else:
            parts = (("days", left // DAY_S), ("hours", left % DAY_S // HOUR_S))
        said = (self.say(f"common.{unit}", count=count) for unit, count in parts if count)
        return Markup(" ").join(said)


@cache
def messages(language: Language, page: str) -> Mapping[str, Message]:
    """The messages of one page, by their keys."""
    text = (files("ordu.web") / "words" / language / f"{page}.toml").read_text(encoding="utf-8")
    return {f"{page}.{name}": message for name, message in tomllib.loads(text).items()}


@cache
def pages() -> tuple[str, ...]:
    """The pages that have words of their own, and `common`."""
    folder = files("ordu.web") / "words" / DEFAULT
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir()))


def script(language: Language, page: str) -> bytes:
    """The words of a page, and those of all pages, as a script that scripts import."""
    words: dict[str, Message] = {}
    for part in (COMMON, page, *ALSO.get(page, ())):
        words |= messages(language, part)
    return b"export default " + msgspec.json.encode(words) + b";\n"
