"""The pages `/sign-in/{provider}`: to a provider and back, and who comes back is signed in.

They are there where the operator has named providers. The last of them hands the browser its key;
from then on it calls with that as with any other, and no cookie says who it is.
"""

import hmac
import secrets
from dataclasses import dataclass, replace

from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ordu.engine import accounts, sign_ins
from ordu.openid.errors import NotAcceptedError, ProviderDownError
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.operations import Limit, Operation
from ordu.rules import names
from ordu.rules.lifecycle import Millis
from ordu.server import signing_in
from ordu.server.pages.choices import place_of
from ordu.server.pages.forms import field_of, read_form
from ordu.server.pages.house import NOWHERE, House, page
from ordu.server.signing_in import PATH, Begun, Known
from ordu.web.pages import sign_in as pages
from ordu.web.visit import Visit

UNCACHED = {"Cache-Control": NOWHERE}
CODE_LENGTH_MAX = 4096
# Each begins calls of ours to a provider. These are no rows of the API: only how often counts.
STEP = Operation(name="sign_in_step", method="GET", path=PATH, summary="", limits=(Limit(30, 60),))


def routes(house: House) -> list[BaseRoute]:
    """The pages of each provider; without one there are none."""
    at = [At(house, key) for key in house.horde.providers]
    return [
        route
        for each in at
        for route in (
            Route(f"{PATH}/{each.key}", each.get_begin),
            Route(f"{PATH}/{each.key}/callback", each.get_callback),
            Route(f"{PATH}/{each.key}/name", each.post_name, methods=["POST"]),
        )
    ]


@dataclass(frozen=True)
class At:
    """The pages of one provider."""

    house: House
    key: str

    async def get_begin(self, http: HttpRequest) -> Response:
        """GET /sign-in/{provider}: off to the provider.

        A link on another site may not send people there: it would sign them in, or in as somebody
        else than they are here, without their having asked. They are shown the page to ask on.
        """
        house = self.house
        if http.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return RedirectResponse(house.site.path("/account"), 303, UNCACHED)
        self.count(http)
        root = house.site.root
        to = root + place_of(http.query_params.get("to", ""), root)
        provider = signing_in.provider_of(house.horde, self.key)
        try:
            address, begun = await signing_in.begin(house.horde, house.site, provider, to)
        except ProviderDownError:
            return self.failed(http, "down", 503)
        response = RedirectResponse(address, 303, UNCACHED)
        signing_in.keep(response, house.secret, house.site, begun)
        return response

    async def get_callback(self, http: HttpRequest) -> Response:
        """GET /sign-in/{provider}/callback: back from the provider."""
        self.count(http)
        begun = self.kept(http)
        state = http.query_params.get("state", "")
        if isinstance(begun, Begun) and not state and "error" in http.query_params:
            return self.stopped(http, "denied", 403)  # some leave the state out when they say no
        if not isinstance(begun, Begun) or not same(state, begun.state):
            return self.stopped(http, "over", 400)
        code = http.query_params.get("code", "")
        if not 0 < len(code) <= CODE_LENGTH_MAX:
            return self.failed(http, "denied", 403)
        return await self.finish(http, begun, code)

    async def finish(self, http: HttpRequest, begun: Begun, code: str) -> Response:
        """What becomes of a code; a page for whatever stands in its way."""
        try:
            return await self.come_back(http, begun, code)
        except ProviderDownError:
            return self.failed(http, "down", 503)
        except NotAcceptedError:
            return self.failed(http, "not-accepted", 403)
        except Refused as refused:
            return self.failed(http, "refused", refused.status, refused.message)

    async def come_back(self, http: HttpRequest, begun: Begun, code: str) -> Response:
        """Link, sign in, or make an account of whoever the provider says this is."""
        house = self.house
        provider = signing_in.provider_of(house.horde, self.key)
        person = await provider.person(
            code=code,
            issuer=http.query_params.get("iss"),
            redirect_uri=signing_in.callback_of(house.site, provider),
            nonce=begun.nonce,
            verifier=begun.verifier,
        )
        issuer, subject = provider.told.issuer, person.subject
        if begun.link is not None:
            user_id, proof = begun.link.user_id, begun.link.proof
            await sign_ins.link(house.horde, user_id, proof, issuer, subject)
            return self.forgetting(RedirectResponse(begun.to, 303, UNCACHED))
        api_key = house.horde.fresh.key()
        key_hash = house.secret.hash_of(api_key)
        if await sign_ins.sign_in(house.horde, issuer, subject, key_hash) is not None:
            return self.entered(http, api_key, begun.to)
        known = Known(
            provider=self.key,
            issuer=issuer,
            subject=subject,
            form=secrets.token_urlsafe(signing_in.TOKEN_BYTES),
            to=begun.to,
            until=Millis(house.horde.now() + signing_in.LASTS_MS),
        )
        for name in person.names:
            if is_fitting(name):
                return await self.make(http, known, name)
        accounts.check_open(house.horde)  # before somebody thinks about a name
        return self.ask_name(http, known)

    async def post_name(self, http: HttpRequest) -> Response:
        """POST /sign-in/{provider}/name: the name of whoever the provider knows and we do not."""
        self.count(http)
        known = self.kept(http)
        raw = await read_form(http)
        if not isinstance(known, Known) or not same(field_of(raw, "form"), known.form):
            return self.stopped(http, "over", 400)
        username = field_of(raw, "username")
        try:
            return await self.make(http, known, username)
        except Refused as refused:
            if refused.rc in {"BadRequest", "TooLongUserName"}:
                return self.ask_name(http, known, username, refused)
            return self.failed(http, "refused", refused.status, refused.message)

    async def make(self, http: HttpRequest, known: Known, username: str) -> Response:
        """Make an account and hand over the browser's key.

        Raises:
            Refused: RegistrationClosed, RateLimited, BadRequest or TooLongUserName.
        """
        house = self.house
        accounts.check_open(house.horde)
        names.username(username)
        if house.limits is not None:
            house.limits.check_address(operations.post_register, http, house.horde.now())
        api_key = house.horde.fresh.key()
        await sign_ins.register(
            house.horde, username, known.issuer, known.subject, house.secret.hash_of(api_key)
        )
        return self.entered(http, api_key, known.to)

    # Answers

    def entered(self, http: HttpRequest, api_key: str, to: str) -> Response:
        """The page that hands a browser its key and goes on."""
        html = pages.signed_in(self.visit(http), api_key, to)
        return self.forgetting(page(http, html, headers=UNCACHED))

    def ask_name(
        self, http: HttpRequest, known: Known, username: str = "", refused: Refused | None = None
    ) -> Response:
        """The form that asks for a name."""
        html = pages.name(
            self.visit(http),
            self.key,
            self.name,
            known.form,
            username,
            refused.message if refused else "",
        )
        response = page(http, html, refused.status if refused else 200, UNCACHED)
        signing_in.keep(response, self.house.secret, self.house.site, known)
        return response

    def failed(self, http: HttpRequest, reason: str, status: int, why: str = "") -> Response:
        """The same; what the browser keeps is of no more use."""
        return self.forgetting(self.stopped(http, reason, status, why))

    def stopped(self, http: HttpRequest, reason: str, status: int, why: str = "") -> Response:
        """What went wrong, and how to go on. A sign-in that this may not be about is left alone."""
        html = pages.failed(self.visit(http), self.key, self.name, reason, why)
        headers = UNCACHED | ({"Retry-After": "30"} if status == 503 else {})
        return page(http, html, status, headers)

    def forgetting(self, response: Response) -> Response:
        """The same, and the browser forgets the cookie."""
        signing_in.forget(response, self.house.site, self.key)
        return response

    def visit(self, http: HttpRequest) -> Visit:
        """The visit; who chooses another language here goes on at Account, as no step has two."""
        return replace(self.house.visit(http), path="/account")

    @property
    def name(self) -> str:
        """The provider's name for people."""
        return self.house.horde.providers[self.key].told.name

    def kept(self, http: HttpRequest) -> signing_in.Kept | None:
        """What the browser keeps of this sign-in."""
        now = self.house.horde.now()
        return signing_in.read_cookie(self.house.secret, http.cookies, self.key, now)

    def count(self, http: HttpRequest) -> None:
        """Count a step against what its address may.

        Raises:
            Refused: RateLimited.
        """
        if self.house.limits is not None:
            self.house.limits.check_address(STEP, http, self.house.horde.now())


def same(given: str, kept: str) -> bool:
    """Whether two secrets are the same, in the same time for all that are not."""
    return hmac.compare_digest(given.encode(), kept.encode())


def is_fitting(name: str) -> bool:
    """Whether a name that a provider gives can be one here."""
    try:
        names.username(name)
    except Refused:
        return False
    return True
