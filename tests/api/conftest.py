"""Calls against the whole application, in process: real handlers, real SQLite, no socket."""

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from tests.builders import a_picture
from tests.conftest import ADMIN_KEY

from ordu.protocol import operations
from ordu.server.app import make_app
from ordu.server.run import Opened

ANONYMOUS = {"apikey": "0000000000"}
ADMIN = {"apikey": ADMIN_KEY}
POP = {
    "name": "attic",
    "models": ["stable_diffusion"],
    "max_pixels": 1048576,
    "bridge_agent": "Ordu:1:x",
}


@pytest.fixture
async def api(opened: Opened) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(
        make_app(opened.horde, opened.secret), raise_app_exceptions=False
    )
    hooks = {"response": [check_is_documented]}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://horde.test", event_hooks=hooks
    ) as client:
        yield client


PATHS = [
    (row, row.method, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(row.path))))
    for row in operations.TABLE
]


async def check_is_documented(response: httpx.Response) -> None:
    """Whatever a test does: a refusal has a code that its operation's row knows."""
    request = response.request
    rows = [
        row
        for row, method, path in PATHS
        if method == request.method and path.fullmatch(request.url.path)
    ]
    if response.status_code >= 400 and rows:
        await response.aread()
        if response.headers["content-type"] == "application/json":
            rc = response.json()["rc"]
            # The router's own no: a fixed path may look like another's parameter.
            if rc == "MethodNotAllowed":
                return
            assert rc in {"InternalError", *rows[0].rcs, *rows[0].common_rcs}, (rows[0].name, rc)


@pytest.fixture
def register(api: httpx.AsyncClient) -> Callable[[str], Awaitable[dict[str, str]]]:
    """Make an account and return the headers that carry its key."""

    async def make(username: str) -> dict[str, str]:
        reply = await api.post("/register", json={"username": username})
        assert reply.status_code == 200, reply.text
        return {"apikey": reply.json()["api_key"]}

    return make


@pytest.fixture
def ask(api: httpx.AsyncClient) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Place a request and return the answer."""

    async def place(headers: dict[str, str] = ANONYMOUS, **body: Any) -> dict[str, Any]:
        reply = await api.post(
            "/api/v2/generate/async", json={"prompt": "a fox"} | body, headers=headers
        )
        assert reply.status_code == 202, reply.text
        return reply.json()

    return place


@pytest.fixture
def pop(api: httpx.AsyncClient) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Pop as the administrator's worker and return the answer."""

    async def take(headers: dict[str, str] = ADMIN, **body: Any) -> dict[str, Any]:
        reply = await api.post("/api/v2/generate/pop", json=POP | body, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()

    return take


@pytest.fixture
def submit(api: httpx.AsyncClient) -> Callable[..., Awaitable[httpx.Response]]:
    """Submit a picture for a job."""

    async def send(job_id: str, headers: dict[str, str] = ADMIN, **body: Any) -> httpx.Response:
        generation = base64.b64encode(a_picture()).decode()
        return await api.post(
            "/api/v2/generate/submit",
            json={"id": job_id, "generation": generation, "seed": 1} | body,
            headers=headers,
        )

    return send
