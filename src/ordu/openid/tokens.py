"""Tokens: what a provider signed, checked, and who it says somebody is.

Here, and only here, authlib and joserfc are loaded: a horde that names no provider needs neither.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from ordu.openid.errors import NotAcceptedError, ProviderDownError

# Signatures that only the provider can make. Those by a secret that both know (HS256) are not among
# them, nor is `none`: whatever a token says of itself, it is checked by one of these.
ALGORITHMS = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
KEYS_MAX = 100
LEEWAY_S = 60  # that the clocks of both may differ
SUBJECT_LENGTH_MAX = 255  # as the standard has it
TOKEN_LENGTH_MAX = 64 * 1024


class UnknownKeyError(Exception):
    """A token was signed with a key that is not among those known: there may be new ones."""


class Person(msgspec.Struct, frozen=True):
    """Who somebody is to a provider, and the names by which they may want to be called."""

    subject: str
    names: tuple[str, ...] = ()


def read_keys(content: bytes) -> KeySet:
    """The keys with which a provider signs, from its document.

    Raises:
        ProviderDownError: it is none, or has no key that can be used.
    """
    try:
        listed = msgspec.json.decode(content, type=dict[str, Any])["keys"]
        usable = [
            key
            for key in listed[:KEYS_MAX]
            if key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig"
        ]
        return KeySet.import_key_set({"keys": usable})
    except (
        msgspec.DecodeError,
        JoseError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise ProviderDownError(f"its keys cannot be read ({type(error).__name__})") from error


def challenge_of(verifier: str) -> str:
    """What the provider is told at the beginning of the secret it is told at the end (S256)."""
    return str(create_s256_code_challenge(verifier))


def authorization_url(endpoint: str, client_id: str, **parameters: str) -> str:
    """Where a browser is sent, with what the provider has to know."""
    return str(prepare_grant_uri(endpoint, client_id, "code", **parameters))


def exchange(
    endpoint: str, client_id: str, client_secret: str, method: str, **parameters: str
) -> tuple[str, Mapping[str, str], str]:
    """Address, headers and body of the call that gives a code for a token."""
    body = prepare_token_request("authorization_code", **parameters)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    prepared = ClientAuth(client_id, client_secret, method).prepare("POST", endpoint, headers, body)
    return prepared[0], prepared[1], prepared[2]


def person_of(
    token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now_s: int
) -> Person:
    """Who the token says somebody is, if it is the provider's, for us, new, and for this sign-in.

    Raises:
        UnknownKeyError: none of the keys signed it.
        NotAcceptedError: it is not accepted.
    """
    if len(token) > TOKEN_LENGTH_MAX:
        raise NotAcceptedError("its token is too long")
    try:
        decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
                "exp": {"essential": True},
                "iat": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            },
            params={"nonce": nonce, "client_id": client_id},
        )
        claims.validate(now=now_s, leeway=LEEWAY_S)
    except InvalidKeyIdError as error:
        raise UnknownKeyError from error
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotAcceptedError(f"its token is not accepted: {reason(error)}") from error
    return read_person(claims)


def reason(error: Exception) -> str:
    """Why, without anything of the token itself."""
    claim = getattr(error, "claim", None)
    return f"{type(error).__name__} {claim}" if claim else type(error).__name__


def read_person(claims: Mapping[str, Any]) -> Person:
    """Subject and names; a name that is an address of mail is nobody else's business."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH_MAX:
        raise NotAcceptedError("its token has no subject")
    return Person(subject, names_in(claims, ("preferred_username", "nickname")))


def names_in(claims: Mapping[str, Any], fields: Sequence[str]) -> tuple[str, ...]:
    """The names of these claims, as they came."""
    found = (claims.get(field) for field in fields)
    return tuple(name for name in found if isinstance(name, str) and name and "@" not in name)
