"""Rendering: from values to the HTML of a page.

Templates escape whatever they are given, so a name may be any text. `HEADERS` forbid every script,
style and frame that is not a file of this site, and every call to another; a page that shows
pictures which lie elsewhere names that one origin with `policy`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from babel.dates import format_date
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ordu.rules.names import ANONYMOUS_KEY
from ordu.web import assets, language
from ordu.web.language import Language
from ordu.web.visit import Theme, Visit


def policy(pictures: str = "") -> str:
    """What a page may load and call: this site, and pictures from one origin more, if one is named.

    `pictures` is such as `https://s3.example.org`.
    """
    more = f" {pictures}" if pictures else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        f"img-src 'self' data: blob:{more}; connect-src 'self'{more}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


POLICY = "Content-Security-Policy"
HEADERS: Mapping[str, str] = {
    POLICY: policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FRAME = "frame"  # what every page has: its script and its words when it has none of its own


def render(page: str, visit: Visit, **values: object) -> str:
    """A page for a visitor, from the template of its name.

    A stylesheet, a script and words of the page's name are used when they are there.
    """
    return (
        environment()
        .get_template(f"{page}.html")
        .render(
            page=page,
            visit=visit,
            site=visit.site,
            say=visit.words.say,
            words=visit.words,
            languages=Language,
            themes=Theme,
            guest_key=ANONYMOUS_KEY,
            own_sheet=f"{page}.css" if f"{page}.css" in assets.by_own_name() else None,
            scripts=scripts_of(page),
            words_script=words_of(page, visit.language),
            **values,
        )
    )


def scripts_of(page: str) -> tuple[str, ...]:
    """The scripts that a page starts; the frame's first."""
    own = f"js/{page}.js"
    return (f"js/{FRAME}.js", *((own,) if own in assets.by_own_name() else ()))


def words_of(page: str, spoken: Language) -> str:
    """The file with the words that the scripts of a page say."""
    return f"words/{page if page in language.pages() else language.COMMON}.{spoken}.js"


@cache
def environment() -> Environment:
    """Where templates are read; a name that a page was not given is an error."""
    made = Environment(
        loader=PackageLoader("ordu.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["prose"] = prose
    made.globals["imports_of"] = assets.imports_of
    made.globals["day"] = day
    return made


def day(visit: Visit, moment: datetime) -> Markup:
    """A day in words, as an element that the script puts into the visitor's own time."""
    said = format_date(moment.astimezone(UTC), "long", locale=visit.language)
    iso = moment.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" data-as="day">{}</time>').format(iso, said)


def prose(text: str) -> Markup:
    """A description, escaped, with what stands between backticks set as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # a backtick without its twin is a backtick
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if index % 2 else escape(piece)
        for index, piece in enumerate(pieces)
    )
