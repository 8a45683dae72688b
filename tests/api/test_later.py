"""Operations of today that are not served yet: found, counted, and refused with the reason."""

import re

import httpx
import pytest
from tests.api.conftest import ADMIN

from ordu.protocol.operations import TABLE
from ordu.protocol.operations.later import LATER
from ordu.server.app import make_app
from ordu.server.run import open_horde
from ordu.settings import ServerSettings

pytestmark = pytest.mark.anyio

# Every operation of the public servers, in 2022 and today, by the index of the protocol.
INDEX = """
POST /generate/async
POST /generate/sync
GET /generate/check/{id}
GET /generate/status/{id}
DELETE /generate/status/{id}
POST /generate/pop
POST /generate/submit
GET /users
GET /users/{user_id}
PUT /users/{user_id}
GET /find_user
GET /workers
GET /workers/{worker_id}
PUT /workers/{worker_id}
DELETE /workers/{worker_id}
POST /kudos/transfer
GET /status/modes
PUT /status/modes
GET /status/performance
GET /status/models
GET /status/news
POST /generate/rate/{id}
POST /generate/text/async
GET /generate/text/status/{id}
DELETE /generate/text/status/{id}
POST /generate/text/pop
POST /generate/text/submit
POST /interrogate/async
GET /interrogate/status/{id}
DELETE /interrogate/status/{id}
POST /interrogate/pop
POST /interrogate/submit
DELETE /users/{user_id}
PUT /sharedkeys
GET /sharedkeys/{sharedkey_id}
PATCH /sharedkeys/{sharedkey_id}
DELETE /sharedkeys/{sharedkey_id}
GET /workers/name/{worker_name}
GET /workers/messages
POST /workers/messages
GET /workers/messages/{message_id}
DELETE /workers/messages/{message_id}
POST /kudos/award
GET /status/models/{model_name}
GET /status/heartbeat
GET /teams
POST /teams
GET /teams/{team_id}
PATCH /teams/{team_id}
DELETE /teams/{team_id}
GET /operations/ipaddr
POST /operations/ipaddr
DELETE /operations/ipaddr
GET /operations/ipaddr/{ipaddr}
PUT /operations/block_worker_ipaddr/{worker_id}
DELETE /operations/block_worker_ipaddr/{worker_id}
GET /filters
PUT /filters
POST /filters
GET /filters/regex
GET /filters/{filter_id}
PATCH /filters/{filter_id}
DELETE /filters/{filter_id}
GET /stats/img/totals
GET /stats/img/models
GET /stats/text/totals
GET /stats/text/models
GET /documents/terms
GET /documents/privacy
GET /documents/sponsors
GET /styles/image
POST /styles/image
GET /styles/image/{style_id}
PATCH /styles/image/{style_id}
DELETE /styles/image/{style_id}
GET /styles/image_by_name/{style_name}
POST /styles/image/{style_id}/example
PATCH /styles/image/{style_id}/example/{example_id}
DELETE /styles/image/{style_id}/example/{example_id}
GET /styles/text
POST /styles/text
GET /styles/text/{style_id}
PATCH /styles/text/{style_id}
DELETE /styles/text/{style_id}
GET /styles/text_by_name/{style_name}
GET /collections
POST /collections
GET /collections/{collection_id}
PATCH /collections/{collection_id}
DELETE /collections/{collection_id}
GET /collection_by_name/{collection_name}
"""
PUBLIC = [tuple(line.split()) for line in INDEX.strip().splitlines()]
SERVED = {(row.method, row.path.removeprefix("/api/v2")) for row in TABLE}


def concrete(path):
    """The path with something for each parameter."""
    return "/api/v2" + re.sub(r"{\w+}", "1", path)


@pytest.mark.parametrize(("method", "path"), PUBLIC)
async def test_every_public_operation_is_served_or_said_to_be_missing(api, method, path):
    if (method, path) in SERVED:
        return
    for headers in ({}, ADMIN, {"Accept": "text/html"}):
        reply = await api.request(method, concrete(path), headers=headers)
        assert (reply.status_code, reply.json()["rc"]) == (501, "NotImplemented")
        assert reply.headers["content-type"] == "application/json"
    (row,) = (row for row in LATER if (row.method, row.path) == (method, "/api/v2" + path))
    assert reply.json()["message"].startswith(f"{row.name} is not served by this horde yet. ")


def test_what_is_missing_is_public_and_named_once():
    places = {(row.method, row.path.removeprefix("/api/v2")) for row in LATER}
    assert places <= set(PUBLIC) - SERVED
    assert len({row.name for row in (*LATER, *TABLE)}) == len(LATER) + len(TABLE)


def test_what_is_served_instead_is_served():
    for row in LATER:
        for method, path in re.findall(r"(GET|POST|PUT) (/\S+?)[.;:]?(?:\s|$)", row.summary):
            assert (method, path.removeprefix("/api/v2")) in SERVED


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/teams", {"GET", "HEAD", "POST"}),
        ("GET", "/generate/text/async", {"POST"}),
        ("PUT", "/workers/messages", {"GET", "HEAD", "POST"}),
        ("PATCH", "/users/1", {"GET", "HEAD", "PUT", "DELETE"}),
    ],
)
async def test_another_method_is_told_the_right_ones(api, method, path, allowed):
    reply = await api.request(method, "/api/v2" + path)
    assert (reply.status_code, reply.json()["rc"]) == (405, "MethodNotAllowed")
    assert set(reply.headers["allow"].split(", ")) == allowed


async def test_what_is_served_beside_them_still_is(api):
    assert (await api.get("/api/v2/users/1")).json()["id"] == 1
    assert (await api.put("/api/v2/users/1", json={}, headers=ADMIN)).status_code == 400


async def test_the_documents_do_not_list_them(api):
    for document in ("/api/swagger.json", "/openapi.json"):
        said = await api.get(document)
        assert "/teams" not in said.text
        assert "delete_single_image_style" not in said.text


async def test_they_are_counted_by_address(tmp_path, clock):
    settings = ServerSettings(data=str(tmp_path))
    async with open_horde(settings, "http://horde.test", clock=clock) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
            replies = [await client.get("/api/v2/teams") for _ in range(91)]
    assert replies[0].headers["X-RateLimit-Limit"] == "90"
    assert [reply.status_code for reply in replies[-2:]] == [501, 429]
