"""A provider as it is asked: what it may say, what is not believed, and what it cannot do to us."""

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from tests.builders import HandClock
from tests.openid_provider import (
    CLIENT,
    SECRET,
    ECKey,
    Liar,
    RSAKey,
    a_liar,
    a_provider,
    agree,
    tell,
)

from ordu.openid.calls import ANSWER_BYTES_MAX
from ordu.openid.errors import NotAcceptedError, ProviderDownError
from ordu.openid.provider import KEPT_MS, KEYS_AGE_MS_MIN, STEPS_MAX, Provider, Told
from ordu.openid.tokens import Person

pytestmark = pytest.mark.anyio

BACK = "http://horde.test/sign-in/liar/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters"


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    async with a_liar() as liar:
        yield liar


@pytest.fixture
def clock() -> HandClock:
    return HandClock(int(time.time() * 1000))


def a_told(issuer: str, **change: Any) -> Told:
    told = Told(
        key="liar",
        name="The liar",
        issuer=issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        scopes=("profile",),
    )
    return Told(**{name: getattr(told, name) for name in told.__dataclass_fields__} | change)


@pytest.fixture
def provider(liar: Liar, clock: HandClock) -> Provider:
    return Provider(a_told(liar.issuer), 5, clock.now)


async def gone(provider: Provider) -> str:
    return await provider.address(
        redirect_uri=BACK, state="a-state", nonce="a-nonce", verifier=VERIFIER
    )


async def back(provider: Provider, code: str = "a-code", issuer: str | None = None) -> Person:
    return await provider.person(
        code=code, issuer=issuer, redirect_uri=BACK, nonce="a-nonce", verifier=VERIFIER
    )


@pytest.fixture
def honest(liar: Liar) -> Liar:
    """It was asked with the nonce of `back`."""
    liar.nonce = "a-nonce"
    return liar


# A real one


async def test_a_real_provider_says_who_somebody_is():
    with a_provider() as issuer:
        tell(issuer, "alice", preferred_username="alice", email="alice@example.org")
        provider = Provider(a_told(issuer), 5, lambda: int(time.time() * 1000))
        address = await gone(provider)
        query = parse_qs(urlsplit(agree(address, "alice")).query)
        assert query["state"] == ["a-state"]
        person = await back(provider, query["code"][0])
        assert person == Person("alice", ("alice",))
        with pytest.raises(NotAcceptedError, match="did not take the code"):
            await back(provider, query["code"][0])


REFUSED = [
    pytest.param(b'{"error": "invalid_client"}', "status 401, invalid_client", id="with a code"),
    pytest.param(b'{"error": "<b> a-code"}', "status 401", id="with what is no code"),
    pytest.param(b"no", "status 401", id="with nothing that can be read"),
]


@pytest.mark.parametrize(("said", "logged"), REFUSED)
async def test_the_operator_is_told_why_a_code_was_not_taken(honest, provider, said, logged):
    honest.pages["/token"] = (401, said)
    with pytest.raises(NotAcceptedError) as error:
        await back(provider)
    assert str(error.value) == f"it did not take the code ({logged})"


# What it is told


async def test_the_address_asks_for_what_the_standard_has(provider, liar):
    address = await gone(provider)
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{liar.issuer}/authorize"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": [BACK],
        "scope": ["openid profile"],
        "state": ["a-state"],
        "nonce": ["a-nonce"],
        "code_challenge": [challenge.decode().rstrip("=")],
        "code_challenge_method": ["S256"],
    }


WAYS = [
    pytest.param(SECRET, None, "basic", id="basic where nothing is said"),
    pytest.param(SECRET, ["client_secret_post"], "post", id="in the form where only that is"),
    pytest.param(SECRET, ["client_secret_post", "client_secret_basic"], "basic", id="rather basic"),
    pytest.param("", None, "none", id="no secret where there is none"),
]


@pytest.mark.parametrize(("client_secret", "ways", "how"), WAYS)
async def test_how_the_horde_proves_who_it_is(honest, clock, client_secret, ways, how):
    if ways:
        honest.about = {"token_endpoint_auth_methods_supported": ways}
    provider = Provider(a_told(honest.issuer, client_secret=client_secret), 5, clock.now)
    assert (await back(provider)).subject == "sub-1"
    ((_, headers, form),) = [asked for asked in honest.asked if asked[0] == "/token"]
    given = {"code": "a-code", "code_verifier": VERIFIER, "redirect_uri": BACK}
    assert form.items() >= {**given, "grant_type": "authorization_code"}.items()
    basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    assert headers.get("authorization") == (f"Basic {basic}" if how == "basic" else None)
    assert form.get("client_secret") == (SECRET if how == "post" else None)
    assert form.get("client_id") == (None if how == "basic" else CLIENT)


# What is believed


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        pytest.param(lambda: RSAKey.generate_key(2048), "RS256", id="RS256"),
        pytest.param(lambda: RSAKey.generate_key(2048), "PS512", id="PS512"),
        pytest.param(lambda: ECKey.generate_key("P-256"), "ES256", id="ES256"),
        pytest.param(lambda: ECKey.generate_key("P-521"), "ES512", id="ES512"),
    ],
)
async def test_a_token_of_each_kind_of_key_is_believed(honest, provider, key, alg):
    honest.key, honest.alg = key(), alg
    assert (await back(provider)).subject == "sub-1"


FITTING = [
    pytest.param(lambda now: {"aud": [CLIENT]}, id="a list of one audience"),
    pytest.param(lambda now: {"aud": [CLIENT, "other"], "azp": CLIENT}, id="two audiences, for us"),
    pytest.param(lambda now: {"exp": now - 30}, id="a clock that is a little behind"),
    pytest.param(lambda now: {"iat": now + 30}, id="a clock that is a little ahead"),
]


@pytest.mark.parametrize("claims", FITTING)
async def test_a_token_that_fits_is_believed(honest, provider, claims):
    honest.claims = claims(int(time.time()))
    assert (await back(provider)).subject == "sub-1"


LIES = [
    pytest.param(lambda now: {"nonce": "another"}, id="made for another sign-in"),
    pytest.param(lambda now: {"nonce": None}, id="made for no sign-in"),
    pytest.param(lambda now: {"aud": "another-client"}, id="made for another program"),
    pytest.param(lambda now: {"aud": ["another-client"]}, id="made for others"),
    pytest.param(lambda now: {"aud": None}, id="made for nobody"),
    pytest.param(
        lambda now: {"aud": [CLIENT, "other"], "azp": "other"}, id="given to another program"
    ),
    pytest.param(lambda now: {"iss": "http://evil.test"}, id="another issuer"),
    pytest.param(lambda now: {"iss": None}, id="no issuer"),
    pytest.param(lambda now: {"exp": now - 120}, id="too old"),
    pytest.param(lambda now: {"exp": None}, id="for ever"),
    pytest.param(lambda now: {"exp": "soon"}, id="an end that is no time"),
    pytest.param(lambda now: {"iat": None}, id="never made"),
    pytest.param(lambda now: {"iat": now + 3600}, id="made in the future"),
    pytest.param(lambda now: {"nbf": now + 3600}, id="not yet"),
    pytest.param(lambda now: {"sub": None}, id="nobody"),
    pytest.param(lambda now: {"sub": ""}, id="an empty subject"),
    pytest.param(lambda now: {"sub": 7}, id="a subject that is no text"),
    pytest.param(lambda now: {"sub": "x" * 256}, id="a subject that is too long"),
]


@pytest.mark.parametrize("claims", LIES)
async def test_a_token_that_lies_is_not_believed(honest, provider, claims):
    honest.claims = claims(int(time.time()))
    with pytest.raises(NotAcceptedError):
        await back(provider)


def part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def by_hand(liar: Liar, alg: str, sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    head = part(msgspec.json.encode({"alg": alg, "kid": liar.kid}))
    signed = f"{head}.{liar.signed().split('.')[1]}"
    return f"{signed}.{part(sign(signed.encode()))}"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
async def test_a_token_that_nobody_signed_is_not_believed(honest, provider, alg):
    honest.token = by_hand(honest, alg, lambda signed: b"")
    with pytest.raises(NotAcceptedError):
        await back(provider)


async def test_a_token_signed_by_another_with_the_same_name_of_a_key(honest, provider):
    honest.shown = RSAKey.generate_key(2048)
    with pytest.raises(NotAcceptedError):
        await back(provider)


@pytest.mark.parametrize("secret", ["the shown key", "the client's secret"])
async def test_a_token_signed_with_what_is_no_secret_of_the_provider(honest, provider, secret):
    """HS256 with the public key as its secret is the classic; nothing with HS is believed."""
    shown = honest.key.as_pem(private=False) if secret == "the shown key" else SECRET.encode()
    honest.token = by_hand(honest, "HS256", lambda signed: hmac.digest(shown, signed, "sha256"))
    with pytest.raises(NotAcceptedError):
        await back(provider)


async def test_a_token_that_was_changed(honest, provider):
    head, _, signed = honest.signed().split(".")
    honest.claims = {"sub": "somebody else"}
    honest.token = ".".join((head, honest.signed().split(".")[1], signed))
    with pytest.raises(NotAcceptedError):
        await back(provider)


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "....", "é.é.é", "x" * 70_000])
async def test_a_token_that_is_none(honest, provider, token):
    honest.token = token or " "
    with pytest.raises(NotAcceptedError):
        await back(provider)


NAMES = [
    pytest.param({"preferred_username": "ada"}, ("ada",), id="the one they prefer"),
    pytest.param({"preferred_username": "a@x.org", "nickname": "ada"}, ("ada",), id="no mail"),
    pytest.param({"name": "Ada Lovelace", "email": "a@x.org"}, (), id="not the real name"),
    pytest.param({"preferred_username": 7, "nickname": ""}, (), id="nothing that is a name"),
]


@pytest.mark.parametrize(("claims", "names"), NAMES)
async def test_by_which_name_somebody_may_be_called(honest, provider, claims, names):
    honest.claims = claims
    assert (await back(provider)).names == names


async def test_an_answer_that_says_it_is_anothers(honest, provider):
    with pytest.raises(NotAcceptedError, match="another's"):
        await back(provider, issuer="http://evil.test")
    assert "/token" not in honest.paths()
    assert (await back(provider, issuer=honest.issuer)).subject == "sub-1"


async def test_an_answer_that_does_not_say_whose_it_is_where_it_should(honest, provider):
    honest.about = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(NotAcceptedError, match="another's"):
        await back(provider)


# What is kept of it


async def test_its_document_and_keys_are_asked_for_once_an_hour(honest, provider, clock):
    for code in "abc":
        await back(provider, code)
    assert honest.paths().count("/jwks") == 1
    assert honest.paths().count("/.well-known/openid-configuration") == 1
    clock.forward(ms=KEPT_MS)
    honest.claims = {"iat": clock.now() // 1000, "exp": clock.now() // 1000 + 300}
    await back(provider, "d")
    assert honest.paths().count("/jwks") == 2
    assert honest.paths().count("/.well-known/openid-configuration") == 2


async def test_a_new_key_is_learnt_when_a_token_has_it(honest, provider, clock):
    await back(provider, "a")
    honest.key, honest.kid = RSAKey.generate_key(2048), "k2"
    clock.forward(ms=KEYS_AGE_MS_MIN)
    assert (await back(provider, "b")).subject == "sub-1"
    assert honest.paths().count("/jwks") == 2


async def test_tokens_with_strange_keys_do_not_have_it_asked_all_the_time(honest, provider):
    await back(provider, "a")
    honest.header = {"kid": "strange"}
    for code in "bcd":
        with pytest.raises(NotAcceptedError, match="does not show"):
            await back(provider, code)
    assert honest.paths().count("/jwks") == 1


async def test_a_key_that_nobody_knows_how_to_use_does_no_harm(honest, provider):
    (shown,) = msgspec.json.decode(honest.answer("/jwks", {})[1])["keys"]
    strange = [{"kty": "OKP2", "kid": "s"}, {"kty": "oct", "k": "AAAA", "kid": honest.kid}, {}]
    encrypting = {**shown, "use": "enc", "kid": "e"}
    keys = msgspec.json.encode({"keys": [*strange, encrypting, shown]})
    honest.pages["/jwks"] = (200, keys)
    assert (await back(provider)).subject == "sub-1"


# What it cannot do to us

DISCOVERY = "/.well-known/openid-configuration"
BROKEN = [
    pytest.param(DISCOVERY, (404, b"{}"), id="no document"),
    pytest.param(DISCOVERY, (200, b"<html>"), id="a document that is none"),
    pytest.param(DISCOVERY, (200, b"[]"), id="a document that is a list"),
    pytest.param(DISCOVERY, (302, b""), id="a document that is elsewhere"),
    pytest.param(DISCOVERY, (200, b" " * (ANSWER_BYTES_MAX + 1)), id="a huge document"),
    pytest.param("/jwks", (500, b"{}"), id="no keys"),
    pytest.param("/jwks", (200, b'{"keys": []}'), id="not one key"),
    pytest.param("/jwks", (200, b'{"keys": {"a": 1}}'), id="keys that are none"),
    pytest.param("/jwks", (200, b'{"keys": [7]}'), id="a key that is a number"),
    pytest.param(
        "/jwks", (200, b'{"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]}'), id="a broken key"
    ),
    pytest.param("/jwks", (200, b"[" * ANSWER_BYTES_MAX), id="brackets without end"),
    pytest.param("/token", (500, b"{}"), id="a token that fails"),
    pytest.param("/token", (200, b"{}"), id="no token"),
    pytest.param("/token", (200, b'{"id_token": 7}'), id="a token that is a number"),
    pytest.param("/token", (200, b"x" * 1_000_000), id="a huge token"),
]


@pytest.mark.parametrize(("path", "page"), BROKEN)
async def test_a_provider_that_is_broken(honest, provider, path, page):
    honest.pages[path] = page
    with pytest.raises(ProviderDownError):
        await back(provider)


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/token"])
async def test_a_provider_that_is_silent_is_waited_for_so_long(honest, clock, path):
    honest.silent.add(path)
    provider = Provider(a_told(honest.issuer), 0.1, clock.now)
    with pytest.raises(ProviderDownError, match=r"did not answer in 0\.1 s"):
        await back(provider)


async def test_a_packed_answer_is_not_unpacked(honest, provider):
    honest.headers = {"content-encoding": "gzip"}
    with pytest.raises(ProviderDownError, match="packed"):
        await gone(provider)


async def test_a_provider_that_is_not_there(clock):
    provider = Provider(a_told("http://127.0.0.1:9"), 5, clock.now)
    with pytest.raises(ProviderDownError, match="ConnectError"):
        await gone(provider)


async def test_not_too_many_wait_for_it(honest, clock):
    honest.silent.add(DISCOVERY)
    provider = Provider(a_told(honest.issuer), 60, clock.now)
    waiting = [asyncio.create_task(gone(provider)) for _ in range(STEPS_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(ProviderDownError, match="wait for it already"):
        await gone(provider)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    honest.silent.clear()
    assert await gone(provider)


async def test_a_document_of_another_issuer_says_what_to_mend(honest, provider):
    honest.about = {"issuer": honest.issuer + "/"}
    with pytest.raises(ProviderDownError, match="to the last slash"):
        await gone(provider)


@pytest.mark.parametrize("field", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", ["ftp://x/y", "javascript:alert(1)", "file:///etc/passwd"])
async def test_a_document_with_an_address_that_is_none(honest, provider, field, address):
    honest.about = {field: address}
    with pytest.raises(ProviderDownError, match="not https"):
        await gone(provider)


async def test_no_secret_and_nothing_of_a_token_is_logged(honest, provider, caplog):
    caplog.set_level(logging.DEBUG)
    code = secrets.token_urlsafe(20)
    honest.claims = {"aud": "another", "email": "ada@example.org"}
    with pytest.raises(NotAcceptedError):
        await back(provider, code)
    honest.pages["/token"] = (500, b"{}")
    with pytest.raises(ProviderDownError):
        await back(provider, code)
    said = caplog.text + repr(provider.told)
    assert "InvalidClaimError aud" in said
    assert not [each for each in (SECRET, VERIFIER, code, "ada@", "eyJ") if each in said]
