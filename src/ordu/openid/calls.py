"""How a provider is asked: one call, with a bound on everything that could have none.

Redirects are not followed: a provider says its addresses in its own document. The proxies of the
environment are not used; `SSL_CERT_FILE` is, for providers with a certificate of their operator's
own authority.
"""

import ssl
from collections.abc import Mapping
from functools import cache

import httpx

from ordu.openid.errors import ProviderDownError

ANSWER_BYTES_MAX = 256 * 1024
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "ordu"}


async def ask(
    method: str, url: str, headers: Mapping[str, str] | None = None, content: str | None = None
) -> tuple[int, bytes]:
    """Status and body of one answer. The caller bounds how long it may take.

    Raises:
        ProviderDownError: there is none, or it is too large.
    """
    try:
        async with (
            httpx.AsyncClient(verify=authorities(), trust_env=False, timeout=None) as client,  # noqa: S113 - the caller's
            client.stream(
                method, url, headers={**HEADERS, **(headers or {})}, content=content
            ) as response,
        ):
            return response.status_code, await read(response)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise ProviderDownError(f"{url}: {type(error).__name__}") from error


async def read(response: httpx.Response) -> bytes:
    """The body as it came: what is packed could be larger than anything once it is unpacked."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ProviderDownError(f"{response.url} sent a packed answer, which was not asked for")
    content = b""
    async for part in response.aiter_raw():
        content += part
        if len(content) > ANSWER_BYTES_MAX:
            raise ProviderDownError(f"{response.url} sent more than {ANSWER_BYTES_MAX} bytes")
    return content


@cache
def authorities() -> ssl.SSLContext:
    """Whose certificates are believed; to load them takes 20 ms."""
    return httpx.create_ssl_context(trust_env=True)
