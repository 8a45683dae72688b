"""Signing in by a provider: how it begins and ends, and the cookie that holds both together.

Nothing is kept on the server while somebody is at the provider. What the end must know is in a
cookie of ten minutes that is signed, that scripts cannot read, and that browsers send only to the
addresses of this sign-in. It does not say who somebody is, and is gone when that is known
(docs/adr/0032).
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from starlette.responses import Response

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.server.secret import Secret
from ordu.web.site import Site

if TYPE_CHECKING:  # it loads what only a horde that names providers has
    from ordu.openid.provider import Provider

PATH = "/sign-in"
COOKIE = "ordu-sign-in"
COOKIE_LENGTH_MAX = 4096  # what browsers keep
LASTS_MS = 600_000  # from its beginning to the provider's answer, and again for choosing a name
TOKEN_BYTES = 32


class Link(msgspec.Struct, frozen=True):
    """That an account is to be linked, and the hash of the key with which that was asked."""

    user_id: UserId
    proof: str


class Begun(msgspec.Struct, frozen=True, tag=True):
    """Somebody was sent to a provider."""

    provider: str
    state: str  # comes back with the answer: it answers this browser
    nonce: str  # comes back in the token: it was made for this sign-in
    verifier: str  # what the provider gets with the code (PKCE)
    to: str  # the path that comes after it
    until: Millis
    link: Link | None = None


class Known(msgspec.Struct, frozen=True, tag=True):
    """A provider has said who somebody is, and they have no account yet."""

    provider: str
    issuer: str
    subject: str
    form: str  # stands in the form that asks for a name: it is this browser's
    to: str
    until: Millis


Kept: TypeAlias = Begun | Known


def provider_of(horde: Horde, key: str) -> "Provider":
    """The provider of this name.

    Raises:
        Refused: ProviderNotFound.
    """
    provider = horde.providers.get(key)
    if provider is None:
        raise Refused("ProviderNotFound", "Nobody can sign in here by a provider of this name.")
    return provider


async def begin(
    horde: Horde, site: Site, provider: "Provider", to: str, link: Link | None = None
) -> tuple[str, Begun]:
    """Where somebody is sent to say who they are, and what their browser keeps until then.

    Raises:
        ProviderDownError: the provider does not answer as it should.
    """
    begun = Begun(
        provider=provider.told.key,
        state=secrets.token_urlsafe(TOKEN_BYTES),
        nonce=secrets.token_urlsafe(TOKEN_BYTES),
        verifier=secrets.token_urlsafe(TOKEN_BYTES),
        to=to,
        until=Millis(horde.now() + LASTS_MS),
        link=link,
    )
    address = await provider.address(
        redirect_uri=callback_of(site, provider),
        state=begun.state,
        nonce=begun.nonce,
        verifier=begun.verifier,
    )
    return address, begun


def callback_of(site: Site, provider: "Provider") -> str:
    """Where the provider sends people back to; the operator registers it there."""
    return f"{site.url}{PATH}/{provider.told.key}/callback"


# The cookie


def keep(response: Response, secret: Secret, site: Site, kept: Kept) -> None:
    """Have the browser keep this."""
    response.headers.append("Set-Cookie", cookie(secret, site, kept))


def cookie(secret: Secret, site: Site, kept: Kept) -> str:
    """The header that has a browser keep this."""
    return header(site, kept.provider, sealed(secret, kept), LASTS_MS // 1000)


def forget(response: Response, site: Site, provider: str) -> None:
    """Have the browser forget what it keeps."""
    response.headers.append("Set-Cookie", header(site, provider, "", 0))


def header(site: Site, provider: str, value: str, lasts_s: int) -> str:
    """A cookie that is sent to the addresses of this sign-in only, and by no script."""
    safe = "; Secure" if site.url.startswith("https://") else ""
    path = site.path(f"{PATH}/{provider}")
    return f"{COOKIE}={value}; Max-Age={lasts_s}; Path={path}; HttpOnly; SameSite=Lax{safe}"


def sealed(secret: Secret, kept: Kept) -> str:
    """What is kept, signed."""
    content = msgspec.json.encode(kept)
    return as_text(content) + "." + as_text(signature(secret, content))


def read_cookie(
    secret: Secret, cookies: Mapping[str, str], provider: str, now: Millis
) -> Kept | None:
    """What a browser keeps of this sign-in; None: nothing, nothing of ours, or too old."""
    text = cookies.get(COOKIE, "")
    content, _, signed = text.partition(".")
    if not text or len(text) > COOKIE_LENGTH_MAX:
        return None
    try:
        raw, given = from_text(content), from_text(signed)
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(given, signature(secret, raw)):
        return None
    try:
        kept: Kept = msgspec.json.decode(raw, type=Begun | Known)
    except msgspec.DecodeError:  # of another version of this program
        return None
    return kept if kept.provider == provider and now < kept.until else None


def signature(secret: Secret, content: bytes) -> bytes:
    """The signature of what is kept."""
    return hmac.digest(secret.key("sign-in cookie"), content, "sha256")


def as_text(content: bytes) -> str:
    """Bytes as a cookie can have them."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """The same backwards."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
