"""A provider: what the operator told of it, what it says of itself, and what it is asked.

Its document and its keys are kept for an hour. A token with a key that is not among them has the
keys asked for again, at most every ten seconds. Each step of signing in has one time in which all
of its calls must be done.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from ordu.openid import tokens
from ordu.openid.calls import ask
from ordu.openid.errors import NotAcceptedError, ProviderDownError
from ordu.openid.tokens import Person, UnknownKeyError
from ordu.rules.lifecycle import Millis

log = logging.getLogger(__name__)

T = TypeVar("T")

KEPT_MS = 3_600_000  # its document and its keys
KEYS_AGE_MS_MIN = 10_000  # before they are asked for again
STEPS_MAX = 32  # at once of one provider, in this process
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Told:
    """What the operator told of a provider."""

    key: str  # its name in addresses
    name: str  # its name for people
    issuer: str
    client_id: str
    client_secret: str  # empty: it wants none
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Told({self.key!r}, {self.issuer!r})"


class Document(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0 §3), as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )
    authorization_response_iss_parameter_supported: bool = False

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The addresses in it."""
        return self.authorization_endpoint, self.token_endpoint, self.jwks_uri


class Tokens(msgspec.Struct, frozen=True):
    """What a code is exchanged for; of it only the ID token is used."""

    id_token: str


class TokenError(msgspec.Struct, frozen=True):
    """Why a code is not taken."""

    error: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,40}\Z")]


class Provider:
    """One provider, as this process knows it."""

    def __init__(self, told: Told, timeout_s: float, now: Callable[[], Millis]) -> None:
        self.told = told
        self.timeout_s = timeout_s
        self.now = now
        self._document: tuple[Millis, Document] | None = None
        self._keys: tuple[Millis, Any] | None = None
        self._asking = asyncio.Lock()
        self._steps = 0

    async def address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where somebody says to the provider who they are.

        Raises:
            ProviderDownError: it does not answer as it should.
        """
        document = await self._step(self._learn)
        return tokens.authorization_url(
            document.authorization_endpoint,
            self.told.client_id,
            redirect_uri=redirect_uri,
            scope=" ".join(dict.fromkeys(("openid", *self.told.scopes))),
            state=state,
            nonce=nonce,
            code_challenge=tokens.challenge_of(verifier),
            code_challenge_method="S256",
        )

    async def person(
        self, *, code: str, issuer: str | None, redirect_uri: str, nonce: str, verifier: str
    ) -> Person:
        """Who has come back with this code; `issuer` is whom the answer says it is from (RFC 9207).

        Raises:
            ProviderDownError: it does not answer as it should.
            NotAcceptedError: the code, or what it was exchanged for, is not accepted.
        """
        return await self._step(lambda: self._person(code, issuer, redirect_uri, nonce, verifier))

    async def _step(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something in the time there is, unless too much is being done."""
        try:
            if self._steps >= STEPS_MAX:
                raise ProviderDownError(f"{STEPS_MAX} wait for it already")
            self._steps += 1
            try:
                async with asyncio.timeout(self.timeout_s):
                    return await work()
            except TimeoutError as error:
                raise ProviderDownError(f"did not answer in {self.timeout_s:g} s") from error
            finally:
                self._steps -= 1
        except (ProviderDownError, NotAcceptedError) as error:
            log.warning("provider %s: %s", self.told.key, error)
            raise

    async def _person(
        self, code: str, issuer: str | None, redirect_uri: str, nonce: str, verifier: str
    ) -> Person:
        document = await self._learn()
        must_say = document.authorization_response_iss_parameter_supported
        if issuer != self.told.issuer and (issuer is not None or must_say):
            raise NotAcceptedError("an answer came that says it is another's")
        token = await self._exchange(document, code, redirect_uri, verifier)
        try:
            return await self._read(token, nonce, await self._signing_keys(document, KEPT_MS))
        except UnknownKeyError:
            keys = await self._signing_keys(document, KEYS_AGE_MS_MIN)
        try:
            return await self._read(token, nonce, keys)
        except UnknownKeyError as error:
            raise NotAcceptedError(
                "its token is signed with a key that it does not show"
            ) from error

    async def _read(self, token: str, nonce: str, keys: Any) -> Person:
        return tokens.person_of(
            token,
            keys,
            issuer=self.told.issuer,
            client_id=self.told.client_id,
            nonce=nonce,
            now_s=self.now() // 1000,
        )

    async def _learn(self) -> Document:
        """What it says of itself."""
        async with self._asking:
            if self._document is not None and self.now() - self._document[0] < KEPT_MS:
                return self._document[1]
            url = self.told.issuer.rstrip("/") + WELL_KNOWN
            document = read_as(Document, await answer("GET", url), url)
            check(document, self.told.issuer)
            self._document = (self.now(), document)
            return document

    async def _signing_keys(self, document: Document, age_ms_max: int) -> Any:
        """Its keys, as they were so long ago at most."""
        async with self._asking:
            if self._keys is not None and self.now() - self._keys[0] < age_ms_max:
                return self._keys[1]
            keys = tokens.read_keys(await answer("GET", document.jwks_uri))
            self._keys = (self.now(), keys)
            return keys

    async def _exchange(
        self, document: Document, code: str, redirect_uri: str, verifier: str
    ) -> str:
        """The ID token that a code is exchanged for."""
        url, headers, body = tokens.exchange(
            document.token_endpoint,
            self.told.client_id,
            self.told.client_secret,
            self._way_in(document),
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=verifier,
        )
        status, content = await ask("POST", url, headers, body)
        if 400 <= status < 500:  # the code was used, is another's, or is too old
            why = error_in(content)
            raise NotAcceptedError(f"it did not take the code (status {status}{why})")
        if status != 200:
            raise ProviderDownError(f"{url} answered with status {status}")
        return read_as(Tokens, content, url).id_token

    def _way_in(
        self, document: Document
    ) -> Literal["none", "client_secret_basic", "client_secret_post"]:
        """How this horde proves to it who it is."""
        if not self.told.client_secret:
            return "none"
        ways = document.token_endpoint_auth_methods_supported
        if "client_secret_basic" not in ways and "client_secret_post" in ways:
            return "client_secret_post"
        return "client_secret_basic"


async def answer(method: str, url: str) -> bytes:
    """What is there.

    Raises:
        ProviderDownError: nothing.
    """
    status, content = await ask(method, url)
    if status != 200:
        raise ProviderDownError(f"{url} answered with status {status}")
    return content


def read_as(kind: type[T], content: bytes, url: str) -> T:
    """An answer as what it should be.

    Raises:
        ProviderDownError: it is not.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderDownError(f"{url} did not answer as the standard has it") from error


def error_in(content: bytes) -> str:
    """The code of an error (RFC 6749 §5.2), for the operator; nothing else of what was said."""
    try:
        error = msgspec.json.decode(content, type=TokenError).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return f", {error}"


def check(document: Document, issuer: str) -> None:
    """Refuse the document of another issuer, and addresses less safe than its own.

    Raises:
        ProviderDownError: it is such a one.
    """
    if document.issuer != issuer:
        raise ProviderDownError(
            f"it says that its issuer is {document.issuer[:200]!r}, and the setting oidc has"
            f" {issuer!r}: both must be the same, to the last slash"
        )
    schemes = ("https://",) if issuer.startswith("https://") else ("https://", "http://")
    for endpoint in document.endpoints:
        if not endpoint.startswith(schemes):
            raise ProviderDownError(f"it names {endpoint[:200]!r}, which is not https")
