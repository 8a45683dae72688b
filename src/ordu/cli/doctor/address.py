"""Looks at addresses: the server that runs here, the one that others see, and what is between.

Nobody is called but this machine and the operator's own public address.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from ordu.cli.doctor.finding import Grade, better, fine, note, wrong
from ordu.protocol.addresses import is_public_text
from ordu.settings import ServerSettings

TIMEOUT_S = 5.0
CERTIFICATE_DAYS_MIN = 14
CLOCK_S = 60
DAY_S = 86_400
Told = Iterator[tuple[Grade, str, str]]


def local_url(settings: ServerSettings) -> str:
    """Where the server is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def server(settings: ServerSettings) -> Told:
    """Whether the server runs, and can do its work."""
    url = local_url(settings)
    if settings.port == 0:
        yield note("It takes any free port, so it is not looked for.")
        return
    try:
        answer = httpx.get(f"{url}/readyz", timeout=TIMEOUT_S, trust_env=False)
    except httpx.ConnectError:
        yield note(f"None runs at {url}.", "ordu serve")
        return
    except httpx.HTTPError as error:
        yield wrong(
            f"What listens at {url} does not answer ({type(error).__name__}).",
            "Restart the server; its log may say more.",
        )
        return
    if "x-request-id" not in answer.headers:
        yield wrong(
            f"Another program listens at {url}.",
            "Stop that, or give the horde another --port.",
        )
    elif answer.status_code != httpx.codes.OK:
        said = message_of(answer)
        yield wrong(f"It runs at {url} and is not ready: {said}", "See the other findings.")
    else:
        yield fine(f"It runs at {url} and is ready.")


def message_of(answer: httpx.Response) -> str:
    """What a refusal says."""
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}."


def public(settings: ServerSettings) -> Told:
    """Whether the address that others see leads here, and how safely."""
    if not settings.public_url:
        if settings.host in {"127.0.0.1", "::1", "localhost"}:
            yield note("Nobody but this machine reaches the horde.")
        else:
            yield better(
                f"Links lead to {local_url(settings)}, where others may not get.",
                "Set public_url to the address under which they see this horde.",
            )
        return
    url = settings.public_url.rstrip("/")
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        socket.getaddrinfo(host, parts.port or 443)
    except OSError:
        yield wrong(f"The host {host} is not known.", "Correct public_url, or its DNS entry.")
        return
    yield from encrypted(url, host)
    try:
        answer = httpx.get(f"{url}/livez", timeout=TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        yield wrong(
            f"{url} does not answer from here ({type(error).__name__}).",
            "Look at proxy and firewall. Some networks do not let a machine call its own public"
            " address; then try from elsewhere.",
        )
        return
    if answer.status_code != httpx.codes.OK or "x-request-id" not in answer.headers:
        yield wrong(
            f"{url} answers, but not as a horde does (status {answer.status_code}).",
            "Let the proxy hand all paths to the server, with their headers.",
        )
        return
    yield from in_time(answer)
    yield fine(f"{url} leads to a horde.")


def encrypted(url: str, host: str) -> Told:
    """Whether keys travel unseen, and how long the certificate holds."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        found = socket.getaddrinfo(host, parts.port or 80, type=socket.SOCK_STREAM)
        if any(is_public_text(str(each[4][0])) for each in found):
            yield wrong(
                "The public address is plain http: everybody on the way reads keys and prompts.",
                "Put a proxy with TLS in front (docs/how-to/run-with-compose.md), then set"
                " public_url to https.",
            )
        return
    try:
        context = ssl.create_default_context()
        with (
            socket.create_connection((host, parts.port or 443), TIMEOUT_S) as line,
            context.wrap_socket(line, server_hostname=host) as tls,
        ):
            certificate = tls.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        yield wrong(
            f"Its certificate is not accepted: {error.verify_message}.",
            "Get one for this name that browsers accept (Caddy does so by itself).",
        )
        return
    except OSError as error:
        yield wrong(f"No TLS is spoken there ({type(error).__name__}).", "Look at the proxy.")
        return
    ends_s = ssl.cert_time_to_seconds(str(certificate.get("notAfter", "Jan 1 00:00:00 2000 GMT")))
    days = (ends_s - time.time()) / DAY_S
    if days < CERTIFICATE_DAYS_MIN:
        yield better(
            f"Its certificate ends in {days:,.0f} days.", "Look why it is not renewed by itself."
        )


def in_time(answer: httpx.Response) -> Told:
    """Whether the clocks of this machine and of that proxy agree."""
    date = answer.headers.get("date")
    if date is None:
        return
    apart_s = abs(parsedate_to_datetime(date).timestamp() - time.time())
    if apart_s > CLOCK_S:
        yield better(
            f"What answers there has a clock that is {apart_s:,.0f} s apart from this one.",
            "Set both by the same time servers.",
        )


def proxies(settings: ServerSettings) -> Told:
    """Whether the server knows callers apart behind what stands before it."""
    parts = urlsplit(settings.public_url)
    own = urlsplit(local_url(settings))
    is_behind = parts.scheme == "https" or (
        bool(parts.hostname) and (parts.port or 80) != (own.port or 80)
    )
    if is_behind and not settings.trusted_proxies:
        yield wrong(
            "A proxy stands before the server (it speaks no TLS itself), and none is named: all"
            " callers seem to come from one address, share its limits, and hide behind it.",
            "Set trusted_proxies to the address from which the proxy calls, such as 127.0.0.1.",
        )
        return
    if "0.0.0.0/0" in settings.trusted_proxies or "::/0" in settings.trusted_proxies:
        yield wrong(
            "Everybody is trusted as a proxy, so everybody may claim any address.",
            "Name only your proxies in trusted_proxies.",
        )
        return
    if is_behind and settings.public_url:
        yield from metrics_hidden(settings.public_url.rstrip("/"))
    yield fine("Callers are told apart.")


def metrics_hidden(url: str) -> Told:
    """Whether the numbers for operators are read through the proxy as well."""
    try:
        answer = httpx.get(f"{url}/metrics", timeout=TIMEOUT_S, trust_env=False)
    except httpx.HTTPError:
        return  # said already
    if answer.status_code == httpx.codes.OK:
        yield better(
            "/metrics can be read through the public address, at least from here.",
            "Let the proxy refuse /metrics, as deploy/compose/Caddyfile does.",
        )
