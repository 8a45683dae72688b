"""Keys: how programs of this API say who calls."""

import base64
import binascii

from starlette.requests import Request as HttpRequest

from ordu.server.call import header


def key_of(http: HttpRequest) -> str | None:
    """The API key: the header `apikey`, a bearer token, or the password of basic authentication.

    What is none of these is no key that anybody has, and is refused as one. None: there is none.
    """
    if key := header(http, b"apikey"):
        return key
    authorization = header(http, b"authorization") or ""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.casefold() != "basic":
        return value.strip() or scheme or None
    try:
        login = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "unreadable"
    return login.partition(":")[2] or None
