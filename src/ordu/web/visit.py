"""A visit: one page being opened, and how whoever opens it wants it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ordu.web.language import Language, Words, choose
from ordu.web.site import Site

# What a visitor chose, kept by the browser; neither says who they are.
LANGUAGE_COOKIE = "ordu-language"
THEME_COOKIE = "ordu-theme"


class Theme(StrEnum):
    """By day, by night, or as the visitor's system has it."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Visit:
    """One page of a site, for one visitor."""

    site: Site
    path: str  # below the site's root
    language: Language
    theme: Theme

    @property
    def words(self) -> Words:
        """The words of this visitor's language."""
        return Words(self.language)


def visit(site: Site, path: str, cookies: Mapping[str, str], accept_language: str) -> Visit:
    """A visit as a browser makes it; what it says wrong is as if it were not said."""
    theme = cookies.get(THEME_COOKIE, "")
    return Visit(
        site,
        path,
        choose(cookies.get(LANGUAGE_COOKIE), accept_language),
        Theme(theme) if theme in set(Theme) else Theme.SYSTEM,
    )
