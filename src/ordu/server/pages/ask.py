"""The page `/`: Ask. Its form is posted here where no script sends it by the API.

A guest's request spends nobody's kudos, and a key stands in the form itself, so another site that
posts this form gains nothing.
"""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ordu.engine.progress import progress_of
from ordu.protocol import operations
from ordu.protocol.decoding import decode
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput, RequestStatusStable
from ordu.rules.names import ANONYMOUS_KEY
from ordu.server.auth import identify
from ordu.server.call import Call
from ordu.server.handlers import generate
from ordu.server.pages.forms import read_form
from ordu.server.pages.house import NOWHERE, House, page
from ordu.server.pages.origins import PictureOrigin
from ordu.server.shown import counted
from ordu.web.pages import ask as pages

FIELDS_MAX = 200
NEGATIVE = "###"  # stands before what should not be in the picture

Read = Callable[[list[str]], object]


def routes(house: House) -> list[BaseRoute]:
    """The page, its form, and the page that a form leads to."""
    origin = PictureOrigin(house.horde)

    async def at_ask(http: HttpRequest) -> Response:
        if http.method == "POST":
            return await post_form(house, http)
        html = pages.ask(house.visit(http), terms_of(house))
        return page(http, html, headers=await origin.headers())

    async def get_asked(http: HttpRequest) -> Response:
        status = await status_of(house, http)
        html = pages.asked(house.visit(http), status, terms_of(house).kept_s)
        return page(http, html, headers={**await origin.headers(), "Cache-Control": NOWHERE})

    return [
        Route("/", at_ask, methods=["GET", "POST"]),
        Route("/asked/{id}", get_asked),
    ]


def terms_of(house: House) -> pages.Terms:
    """What of this horde's settings somebody should know who asks."""
    settings = house.horde.settings
    return pages.Terms(
        takes_guests=settings.anonymous,
        upfront=settings.upfront,
        kept_s=settings.request_lifetime_s,
    )


async def post_form(house: House, http: HttpRequest) -> Response:
    """Place what a form asks for, and lead to its page; or show the form with what is wrong."""
    fields: Mapping[str, list[str]] = {}
    try:
        fields = fields_of(await read_form(http))
        call = await call_of(house, http, fields)
        answer = await generate.post_async_generate(call)
    except Refused as refused:
        kept = {name: fields.get(name, [""])[0] for name in ("prompt", "negative")}
        html = pages.ask(house.visit(http), terms_of(house), pages.Typed(kept, told(refused)))
        return page(http, html, refused.status, {"Cache-Control": NOWHERE})
    return RedirectResponse(
        house.site.path(f"/asked/{answer.reply.id}"), 303, {"Cache-Control": NOWHERE}
    )


def told(refused: Refused) -> str:
    """What is wrong, with the fields it is about."""
    return " ".join([refused.message, *(refused.errors or {}).values()])


async def call_of(
    house: House, http: HttpRequest, fields: Mapping[str, list[str]]
) -> Call[GenerationInput]:
    """A form as the call it stands for: the handler does not know the difference."""
    row, horde = operations.post_async_generate, house.horde
    if house.limits is not None:
        house.limits.check_address(row, http, horde.now())
    key = fields.get("key", [""])[0].strip() or ANONYMOUS_KEY
    user = await identify(horde, house.secret, key, row)
    if house.limits is not None and user is not None:
        house.limits.check_key(row, http, user.id, horde.now())
    raw = msgspec.json.encode(body_of(fields))
    body = decode(GenerationInput, raw)
    return Call(horde, house.secret, row, user, body, raw, http, http.state.request_id)


async def status_of(house: House, http: HttpRequest) -> RequestStatusStable:
    """How far a request is; with pictures, as they are, when it is done."""
    row = operations.get_async_status
    if house.limits is not None:
        house.limits.check_address(operations.get_async_check, http, house.horde.now())
    progress = await progress_of(house.horde, http.path_params["id"])
    call: Call[None] = Call(
        house.horde, house.secret, row, None, None, b"", http, http.state.request_id
    )
    if not progress.done:
        return RequestStatusStable(**counted(progress), generations=[])
    return await generate.status_of(call, progress)


# From fields to a body


def fields_of(raw: bytes) -> Mapping[str, list[str]]:
    """The fields of a form; empty ones are not given."""
    try:
        return parse_qs(raw.decode(), errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise Refused("MalformedBody", "The form is not text in UTF-8, or too long.") from error


def text(values: list[str]) -> object:
    """A field as it was typed."""
    return values[0]


def number(values: list[str]) -> object:
    """A number; what is none stays text, and is refused with its field's name."""
    try:
        value = float(values[0])
    except ValueError:
        return values[0]
    return int(value) if value.is_integer() else value


def switch(values: list[str]) -> object:
    """Whether a box is ticked: one that is not is left out of a form."""
    return bool(values[0])


PARAMS: Mapping[str, Read] = {
    "n": number,
    "width": number,
    "height": number,
    "steps": number,
    "sampler_name": text,
    "cfg_scale": number,
    "clip_skip": number,
    "seed": text,
    "seed_variation": number,
    "hires_fix_denoising_strength": number,
    "karras": switch,
    "tiling": switch,
    "hires_fix": switch,
    "post_processing": list,
}
OUTER: Mapping[str, Read] = {
    "models": list,
    "nsfw": switch,
    "censor_nsfw": switch,
    "trusted_workers": switch,
    "slow_workers": switch,
    "extra_slow_workers": switch,
    "replacement_filter": switch,
    "allow_downgrade": switch,
}


def body_of(fields: Mapping[str, list[str]]) -> dict[str, object]:
    """The body of the request that a form asks for.

    A picture to start from, a choice of models and LoRAs take scripts.
    """
    if "seed" not in fields:  # then there is nothing to step on from
        fields = {name: values for name, values in fields.items() if name != "seed_variation"}
    prompt, negative = (fields.get(name, [""])[0].strip() for name in ("prompt", "negative"))
    return {
        **read_all(OUTER, fields),
        "models": fields.get("models", []),
        "r2": False,  # pictures are shown in the page itself, wherever they are kept
        "prompt": f"{prompt} {NEGATIVE} {negative}" if negative and prompt else prompt,
        "params": read_all(PARAMS, fields),
    }


def read_all(table: Mapping[str, Read], fields: Mapping[str, list[str]]) -> dict[str, object]:
    """The fields of a table that are there; switches also when they are off."""
    given = {name: read(fields[name]) for name, read in table.items() if name in fields}
    return {name: False for name, read in table.items() if read is switch} | given
