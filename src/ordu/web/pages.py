"""The pages: one function for each, from values to HTML.

Templates escape whatever they are given, so a name may be any text. A page needs no script, and
`HEADERS` forbids every script, style and frame that is not a file of this site.
"""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ordu.protocol.errors import STATUS
from ordu.protocol.operations import TABLE
from ordu.protocol.problems import TITLES, advice
from ordu.rules.names import ANONYMOUS_KEY, USERNAME_LENGTH_MAX
from ordu.web import examples, reference
from ordu.web.site import Site
from ordu.web.standing import Standing, sentence

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; "
        "script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

# What an error says on top of its page: in ink, and softer.
ERRORS: Mapping[int, tuple[str, str]] = {
    404: ("There is no page here.", "The address may be mistyped, or the page was never there."),
    405: ("This page only answers when it is opened.", "What you sent it was not taken."),
}


def home(site: Site, standing: Standing, *, takes_guests: bool) -> str:
    """The first page: how things stand, and how to begin."""
    return render(
        "home.html", site, sentence=sentence(standing), takes_guests=takes_guests, page="home"
    )


def register(site: Site, username: str = "", error: str = "") -> str:
    """The form that makes an account; with `error` beside its field when it was refused."""
    return render(
        "register.html",
        site,
        username=username,
        error=error,
        length_max=USERNAME_LENGTH_MAX,
        page="register",
    )


def registered(site: Site, alias: str, api_key: str) -> str:
    """The new account with its key, which nobody can show a second time."""
    return render("registered.html", site, alias=alias, api_key=api_key, page="register")


@cache
def api(site: Site) -> str:
    """Every operation, to browse."""
    return render(
        "api.html",
        site,
        groups=reference.groups(site.url),
        refusal_fields=reference.refusal_fields(),
        operation_count=len(TABLE),
        page="api",
    )


def error(site: Site, status: int, path: str) -> str:
    """What a browser is shown where there is no page."""
    said = ERRORS.get(status, (f"{HTTPStatus(status).phrase}.", ""))
    return render("error.html", site, said=said, path=path, page="error")


def problem(site: Site, rc: str) -> str:
    """What a kind of refusal means, and what one does about it."""
    return render(
        "problem.html",
        site,
        rc=rc,
        title=TITLES[rc],
        advice=advice(rc),
        status=STATUS[rc],
        page="problem",
    )


# Rendering


def render(template: str, site: Site, **values: object) -> str:
    """A page of this site."""
    return (
        environment()
        .get_template(template)
        .render(site=site, guest_key=ANONYMOUS_KEY, prompt=examples.PROMPT, **values)
    )


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
    return made


def prose(text: str) -> Markup:
    """A description, escaped, with what stands between backticks set as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # a backtick without its twin is a backtick
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if index % 2 else escape(piece)
        for index, piece in enumerate(pieces)
    )
