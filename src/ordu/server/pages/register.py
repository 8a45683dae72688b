"""The page `/register`, which shares its path with an operation: a form is the page's."""

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute

from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.registration import RegistrationInput, RegistrationWork
from ordu.server.call import Call
from ordu.server.handlers import register
from ordu.server.pages.forms import FormRoute, field_of, read_form
from ordu.server.pages.house import NOWHERE, House, page
from ordu.web import negotiation
from ordu.web.pages import register as pages

JSON = "application/json"


def routes(house: House) -> list[BaseRoute]:
    """The form, and what becomes of it."""

    async def at_register(http: HttpRequest) -> Response:
        if http.method == "POST":
            return await post_form(house, http)
        html = pages.register(house.visit(http), asks_for_work=asks_for_work(house))
        return page(http, html)

    return [FormRoute("/register", at_register, methods=["GET", "POST"])]


async def post_form(house: House, http: HttpRequest) -> Response:
    """A page with the key, or the form again with what is wrong; JSON for who asks for it."""
    raw = await read_form(http)
    username = field_of(raw, "username")
    wants_json = negotiation.prefers_json(http.headers.get("accept", ""))
    try:
        if house.limits is not None:
            house.limits.check_address(operations.post_register, http, house.horde.now())
        registered = await register.made(call_of(house, http, raw, username))
    except Refused as refused:
        if wants_json:
            raise
        form = pages.register(
            house.visit(http), username, refused.message, asks_for_work=asks_for_work(house)
        )
        return page(http, form, refused.status, {"Cache-Control": NOWHERE})
    if wants_json:
        content = msgspec.json.encode(registered) + b"\n"
        return Response(content, headers={"Cache-Control": NOWHERE}, media_type=JSON)
    html = pages.registered(house.visit(http), str(registered.username), str(registered.api_key))
    return page(http, html, headers={"Cache-Control": NOWHERE})


def call_of(house: House, http: HttpRequest, raw: bytes, username: str) -> Call[RegistrationInput]:
    """A form as the call it stands for: the handler does not know the difference."""
    return Call(
        house.horde,
        house.secret,
        operations.post_register,
        None,
        RegistrationInput(username=username, work=work_of(raw)),
        raw,
        http,
        http.state.request_id,
    )


def asks_for_work(house: House) -> bool:
    """Whether the form's script has to solve a challenge first."""
    return house.horde.settings.registration_work_bits > 0


def work_of(raw: bytes) -> RegistrationWork | UnsetType:
    """What the form's script has solved, if it did.

    Raises:
        Refused: WorkNotAccepted, it is no such thing.
    """
    challenge, numbers = field_of(raw, "challenge"), field_of(raw, "numbers")
    if not challenge:
        return UNSET
    try:
        return msgspec.convert(
            {"challenge": challenge, "numbers": numbers.split(",")}, RegistrationWork, strict=False
        )
    except msgspec.ValidationError as error:
        raise Refused("WorkNotAccepted", f"What the form sent solves nothing: {error}.") from error
