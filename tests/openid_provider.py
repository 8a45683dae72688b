"""Providers of OpenID Connect for tests: a real one as a process, and one that lies if told to."""

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT = "ordu"
SECRET = "a-secret-of-the-client"


# A real one


@contextlib.contextmanager
def a_provider(*flags: str) -> Iterator[str]:
    """Run oidc-provider-mock; gives its issuer."""
    port = free_port()
    issuer = f"http://localhost:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(issuer, process)
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(issuer: str, process: "subprocess.Popen[bytes]") -> None:
    """Until it answers."""
    for _ in range(600):
        assert process.poll() is None, "the provider did not start"
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{issuer}/jwks", trust_env=False, timeout=1)
            return
        time.sleep(0.05)
    raise TimeoutError("the provider does not answer")


def tell(issuer: str, subject: str, **claims: str) -> None:
    """Have it know somebody."""
    httpx.put(f"{issuer}/users/{subject}", json=claims, trust_env=False).raise_for_status()


def agree(address: str, subject: str) -> str:
    """Say there who one is; gives the address it sends the browser back to."""
    reply = httpx.post(address, data={"sub": subject}, trust_env=False)
    assert reply.status_code in {302, 303}, reply.text
    return reply.headers["location"]


def signed_in(horde: str, provider: str, subject: str) -> str:
    """Sign in at a horde by a real provider, as a browser would; gives the browser's key."""
    with httpx.Client(base_url=horde, trust_env=False) as browser:
        there = browser.get(f"/sign-in/{provider}").headers["location"]
        tell(there.partition("/oauth2")[0], subject, preferred_username=subject)
        page = browser.get(agree(there, subject))
        found = re.search(r'data-key="([^"]+)"', page.text)
        assert found is not None, page.text
        return found[1]


# One that lies


@dataclass
class Liar:
    """A provider on loopback that signs what a test wants it to.

    `claims` change those of a token that is right; None leaves one out. `pages` are answers by path
    in the stead of its own.
    """

    port: int = 0
    kid: str = "k1"
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=False))
    shown: Any = None  # the key it shows, when that is not the one it signs with
    alg: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)  # of its document
    pages: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)  # of its answers
    token: str | None = None  # instead of one that it signs
    nonce: str = ""
    now_s: Callable[[], int] = lambda: int(time.time())
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)  # paths that are never answered
    used: set[str] = field(default_factory=set)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        } | self.about

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    def came_back(self, address: str, code: str = "a-code") -> str:
        """What the browser is sent back to from this address, for whoever agrees."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce = query["nonce"]
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def signed(self) -> str:
        """The token, as it is now."""
        now = self.now_s()
        right = {
            "iss": self.issuer,
            "sub": "sub-1",
            "aud": CLIENT,
            "nonce": self.nonce,
            "iat": now,
            "exp": now + 300,
        }
        claims = {name: value for name, value in (right | self.claims).items() if value is not None}
        header = {"alg": self.alg, "kid": self.kid} | self.header
        header = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(header, claims, self.key, algorithms=[self.alg])

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        if path in self.pages:
            return self.pages[path]
        if path == "/.well-known/openid-configuration":
            return 200, msgspec.json.encode(self.document())
        if path == "/jwks":
            shown = (self.shown or self.key).as_dict(private=False)
            return 200, msgspec.json.encode({"keys": [shown | {"kid": self.kid, "use": "sig"}]})
        if path == "/token":
            if form.get("code") in self.used:
                return 400, b'{"error": "invalid_grant"}'
            self.used.add(form.get("code", ""))
            token = self.token or self.signed()
            return 200, msgspec.json.encode(
                {"id_token": token, "access_token": "x", "token_type": "Bearer"}
            )
        return 404, b"{}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                path = first.split(" ")[1]
                form = {n: v[0] for n, v in parse_qs(body.decode()).items()}
                self.asked.append((path, headers, form))
                if path in self.silent:
                    await asyncio.Event().wait()
                status, content = self.answer(path, form)
                said = {"content-length": str(len(content))} | self.headers
                top = [f"HTTP/1.1 {status} X", *(f"{n}: {v}" for n, v in said.items()), "", ""]
                writer.write("\r\n".join(top).encode() + content)
                await writer.drain()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def a_liar() -> AsyncIterator[Liar]:
    """Run one; what it still says when the test is over is cut off."""
    liar = Liar()
    talks: set[asyncio.Task[None]] = set()

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(liar.serve(reader, writer)))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    liar.port = server.sockets[0].getsockname()[1]
    try:
        yield liar
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


__all__ = ["ECKey", "Liar", "RSAKey", "a_liar", "a_provider", "agree", "signed_in", "tell"]
