"""Pages and documents: served, safe and true; a page for browsers where programs get JSON."""

import gzip
import re

import msgspec
import pytest
from tests.api.conftest import ADMIN

from ordu import __version__
from ordu.protocol import openapi, operations
from ordu.rules import names
from ordu.web import assets, render

pytestmark = pytest.mark.anyio

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAM = {"accept": "application/json"}
PAGES = ["/", "/horde", "/lend", "/account", "/run", "/register", "/terms", "/privacy", "/api/"]
DOCUMENTS = {
    "/api/swagger.json": openapi.swagger_document,
    "/openapi.json": openapi.openapi_document,
}
KEY = re.compile(r'<p class="key"><code>([^<]+)</code>')


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
async def test_a_page_carries_the_headers_that_keep_it_safe(api, path):
    reply = await api.get(path, headers=BROWSER)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert {name: reply.headers[name] for name in render.HEADERS} == render.HEADERS
    assert "script-src 'self'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
async def test_a_page_needs_nothing_that_its_policy_forbids(api, path):
    html = (await api.get(path, headers=BROWSER)).text
    assert re.findall(r"<script([^>]*)></script>", html) == re.findall(r"<script([^>]*)>", html)
    assert set(re.findall(r"<script type=\"module\" src=\"/static/([a-z]+)\.", html)) >= {"frame"}
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert "https://" not in html.replace("https://example.org", "")  # no third party


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
async def test_a_page_is_well_made(api, path):
    html = (await api.get(path, headers=BROWSER)).text
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert html.count("<h1") == 1
    here = set(re.findall(r'href="#([^"]+)"', html))
    assert here <= set(ids)
    for tag in ("p", "div", "section", "table", "tr", "td", "ul", "li", "details", "article"):
        assert len(re.findall(rf"<{tag}[\s>]", html)) == html.count(f"</{tag}>"), tag


@pytest.mark.parametrize("path", PAGES)
async def test_every_link_of_a_page_leads_somewhere(api, path):
    html = (await api.get(path, headers=BROWSER)).text
    for link in sorted(set(re.findall(r'(?:href|action)="(/[^"#]*)', html))):
        reply = await api.get(link.replace("&amp;", "&"), headers=BROWSER)
        assert reply.status_code == (303 if link.startswith("/choose") else 200), link


@pytest.mark.parametrize("path", [*PAGES, *DOCUMENTS, "/favicon.svg"])
async def test_head_is_answered_as_get_is(api, path):
    get, head = await api.get(path), await api.head(path)
    assert (head.status_code, head.headers["content-type"]) == (200, get.headers["content-type"])


# How things stand


async def test_a_page_says_how_things_stand(api, ask, pop, register):
    assert "No machine is here." in (await api.get("/horde")).text
    await pop()
    assert "1 machine is here." in (await api.get("/horde")).text
    await ask(await register("aida"), params={"n": 3}, models=["another"])
    assert "3 pictures wait." in (await api.get("/horde")).text


async def test_a_page_says_when_the_horde_is_closed(api):
    await api.put("/api/v2/status/modes", json={"maintenance": True}, headers=ADMIN)
    assert "Closed for maintenance." in (await api.get("/horde")).text


# Language and theme


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        pytest.param("de-AT,de;q=0.9,en;q=0.8", "de", id="German"),
        pytest.param("fr,de;q=0.5", "de", id="the best there is"),
        pytest.param("en;q=0.5,de;q=0.9", "de", id="by weight"),
        pytest.param("fr", "en", id="none of ours"),
        pytest.param("de;q=0", "en", id="not wanted"),
        pytest.param("", "en", id="nothing"),
        pytest.param(";;q=,,x" * 1000, "en", id="nonsense"),
    ],
)
async def test_a_page_is_in_the_language_that_is_accepted(api, accepted, language):
    reply = await api.get("/horde", headers={"accept-language": accepted})
    assert f'<html lang="{language}"' in reply.text


async def test_what_was_chosen_is_kept_by_the_browser(api):
    chosen = await api.get("/choose", params={"language": "de", "theme": "dark", "back": "/lend"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/lend")
    assert all("HttpOnly" in each for each in chosen.headers.get_list("set-cookie"))
    html = (await api.get("/horde")).text  # the client keeps the cookies
    assert '<html lang="de"' in html
    assert 'data-theme="dark"' in html


@pytest.mark.parametrize(
    "back",
    ["https://evil.test", "//evil.test", "/\\evil.test", "evil", "", "/a\r\nx: y", "/" * 300],
)
async def test_nobody_is_sent_to_another_site(api, back):
    reply = await api.get("/choose", params={"language": "de", "back": back})
    assert reply.headers["location"] == "/"


async def test_what_cannot_be_chosen_is_not_kept(api):
    reply = await api.get("/choose", params={"language": "xx", "theme": "<b>"})
    assert "set-cookie" not in reply.headers


# Registering


async def test_a_form_is_answered_with_the_key_on_a_page(api):
    reply = await api.post("/register", data={"username": "aida"}, headers=BROWSER)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    (key,) = KEY.findall(reply.text)
    assert names.is_key(key)
    found = await api.get("/api/v2/find_user", headers={"apikey": key})
    assert found.json()["username"].startswith("aida#")
    assert found.json()["username"] in reply.text


async def test_a_form_is_answered_with_a_page_when_anything_will_do(api):
    reply = await api.post("/register", data={"username": "aida"})
    assert KEY.search(reply.text)


async def test_a_form_is_answered_with_json_when_that_is_asked_for(api):
    reply = await api.post("/register", data={"username": "aida"}, headers=PROGRAM)
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json().keys() == {"username", "id", "api_key"}
    assert names.is_key(reply.json()["api_key"])


async def test_json_is_answered_with_json_even_to_a_browser(api):
    reply = await api.post("/register", json={"username": "aida"}, headers=BROWSER)
    assert reply.json()["username"] == f"aida#{reply.json()['id']}"


@pytest.mark.parametrize(
    ("username", "words"),
    [
        pytest.param("", "at least one visible character", id="nothing"),
        pytest.param(" \t\x00", "at least one visible character", id="nothing to see"),
        pytest.param("a" * 31, "31 characters; at most 30 fit", id="too long"),
    ],
)
async def test_a_name_that_will_not_do_is_told_in_the_form(api, username, words):
    reply = await api.post("/register", data={"username": username}, headers=BROWSER)
    assert (reply.status_code, reply.headers["cache-control"]) == (400, "no-store")
    assert words in reply.text.partition('<p class="err" id="username-error">')[2]
    assert 'aria-invalid="true"' in reply.text
    assert reply.headers["content-security-policy"]


async def test_a_name_that_will_not_do_is_told_in_json_to_a_program(api):
    reply = await api.post("/register", data={"username": "a" * 31}, headers=PROGRAM)
    assert (reply.status_code, reply.json()["rc"]) == (400, "TooLongUserName")


@pytest.mark.parametrize("username", ["<script>alert(1)</script>", "\"><img src=x onerror='x'>"])
async def test_a_name_is_only_ever_text(api, username):
    for name in (username, username * 2):  # taken, and shown again in the form
        html = (await api.post("/register", data={"username": name}, headers=BROWSER)).text
        assert username not in html
        assert "<script>" not in html
        assert "<img" not in html
        assert "&lt;" in html


@pytest.mark.parametrize(
    ("content", "rc"),
    [
        pytest.param(b"username=%ff%fe", "MalformedBody", id="no UTF-8 behind percent signs"),
        pytest.param(b"username=\xff", "MalformedBody", id="no UTF-8"),
        pytest.param(b"a=1&" * 200, "MalformedBody", id="too many fields"),
        pytest.param(b"username=" + b"a" * 100_000, "BodyTooLarge", id="too large"),
    ],
)
async def test_what_is_no_form_is_refused(api, content, rc):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = await api.post("/register", content=content, headers=headers)
    assert (reply.json()["rc"], reply.status_code // 100) == (rc, 4)


async def test_a_wrong_method_is_told_which_there_are(api):
    reply = await api.put("/register", json={})
    assert reply.status_code == 405
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


# The API page and the documents


async def test_the_api_page_has_every_operation_under_its_name(api):
    html = (await api.get("/api/")).text
    for row in operations.TABLE:
        _, found, rest = html.partition(f'<article class="op" id="{row.name}"')
        article = rest.partition("</article>")[0]
        assert found, row.name
        assert f'<span class="method">{row.method}</span> {row.path}</a>' in article
        assert article.count("curl ") == 1
        for parameter in row.parameters:
            assert f"<code>{parameter.name}</code>" in article
        assert f'href="#{row.name}"' in html


async def test_the_short_address_of_the_api_page_leads_to_it(api):
    reply = await api.get("/api", headers=BROWSER)
    assert (reply.status_code, reply.headers["location"]) == (308, "/api/")


@pytest.mark.parametrize(("path", "make"), DOCUMENTS.items())
async def test_a_document_is_what_the_table_says(api, path, make):
    reply = await api.get(path)
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == msgspec.json.decode(msgspec.json.encode(make("Ordu", __version__)))


@pytest.mark.parametrize("path", [*DOCUMENTS, "/api/"])
async def test_a_document_is_sent_again_only_when_it_changed(api, path):
    first = await api.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = await api.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = await api.get(path, headers={"if-none-match": 'W/"another"'})
    assert other.status_code == 200


async def test_a_document_is_packed_for_those_who_can_unpack_it(api):
    plain = await api.get("/openapi.json", headers={"accept-encoding": "identity"})
    packed = await api.get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 5
    assert packed.content == plain.content  # the client has unpacked it
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"


# Files


async def test_a_file_is_kept_for_a_year_under_the_name_of_its_content(api):
    html = (await api.get("/")).text
    (path,) = re.findall(r'href="(/static/pages\.[0-9a-f]{12}\.css)"', html)
    reply = await api.get(path, headers={"accept-encoding": "identity"})
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["content-type"] == "text/css; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"


async def test_every_file_is_served(api):
    for name, document in assets.by_served_name().items():
        reply = await api.get(f"/static/{name}", headers={"accept-encoding": "identity"})
        assert (reply.status_code, reply.content) == (200, document.content)
        assert gzip.decompress(document.packed) == document.content


@pytest.mark.parametrize("name", ["pages.css", "pages.000000000000.css", "..%2fpages.py", "%00"])
async def test_a_file_that_is_not_there_is_not_found(api, name):
    assert (await api.get(f"/static/{name}")).status_code == 404


async def test_the_icon_is_the_mark(api):
    reply = await api.get("/favicon.svg")
    assert reply.headers["content-type"] == "image/svg+xml"
    assert reply.content.startswith(b"<svg")


# What is not there


async def test_a_browser_is_shown_a_page_where_there_is_none(api):
    reply = await api.get("/no%3Cb%3Ewhere", headers=BROWSER)
    assert (reply.status_code, reply.headers["vary"]) == (
        404,
        "Accept, Accept-Encoding, Accept-Language, Cookie",
    )
    assert "There is no page here." in reply.text
    assert "/no&lt;b&gt;where" in reply.text


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/v2/nowhere", "/v1"])
async def test_the_api_answers_mistakes_in_json_even_to_browsers(api, path):
    assert (await api.get(path, headers=BROWSER)).json()["rc"] == "NotFound"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.9"])
async def test_a_program_is_told_in_json(api, accept):
    assert (await api.get("/nowhere", headers={"accept": accept})).json()["rc"] == "NotFound"


async def test_a_browser_is_told_of_a_wrong_method_on_a_page(api):
    reply = await api.post("/horde", data={"a": "b"}, headers=BROWSER)
    assert reply.status_code == 405
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert "This page only answers when it is opened." in reply.text


async def test_a_fault_is_told_on_a_page_and_when_that_cannot_be_made_in_json(api, monkeypatch):
    def breaks(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("ordu.server.pages.lend.pages.lend", breaks)
    reply = await api.get("/lend", headers=BROWSER)
    assert reply.status_code == 500
    assert "Your kudos are safe" in reply.text
    assert reply.headers["x-request-id"] in reply.text
    monkeypatch.setattr("ordu.web.pages.errors.error", breaks)
    assert (await api.get("/lend", headers=BROWSER)).json()["rc"] == "InternalError"
