"""Terms, privacy and sponsors: the operators' texts, or those that come with the server."""

import os
from pathlib import Path

import pytest

from ordu.web import policies

pytestmark = pytest.mark.anyio

NAMES = ["terms", "privacy", "sponsors"]


def url(name):
    return f"/api/v2/documents/{name}"


async def told(api, name, **query):
    reply = await api.get(url(name), params=query)
    assert reply.status_code == 200
    return reply.json()


@pytest.fixture
def write(settings, opened):
    """Write a text into the data folder."""

    def put(name, content):
        path = Path(settings.data) / f"{name}.md"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return put


async def test_get_docs_terms(api, write):
    assert "volunteers" in (await told(api, "terms"))["html"]
    write("terms", "# Ours\n\nBe *kind*.\n")
    assert await told(api, "terms") == {"html": "<h1>Ours</h1>\n<p>Be <em>kind</em>.</p>\n"}
    assert await told(api, "terms", format="html") == await told(api, "terms")
    write("terms", "Changed.")
    assert await told(api, "terms", format="markdown") == {"markdown": "Changed."}
    assert "Privacy" in (await told(api, "privacy"))["html"], "each has a file of its own"


async def test_get_docs_privacy(api):
    found = await told(api, "privacy", format="markdown")
    assert found["markdown"].startswith("# Privacy on this horde\n")
    assert (await told(api, "privacy"))["html"].startswith("<h1>Privacy on this horde</h1>\n")


async def test_get_docs_sponsors(api):
    assert "no sponsors" in (await told(api, "sponsors"))["html"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unknown", ["HTML", "pdf", "x" * 5000])
async def test_an_unknown_format_is_refused(api, name, unknown):
    reply = await api.get(url(name), params={"format": unknown})
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")
    assert "html, markdown" in reply.json()["message"]


async def test_html_in_a_text_stays_text(api, write):
    write("terms", "<script>alert(1)</script> [x](javascript:alert(1)) [y](https://example.org)")
    html = (await told(api, "terms"))["html"]
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert '<a href="https://example.org">y</a>' in html


async def test_what_is_no_file_is_not_read(api, settings):
    (Path(settings.data) / "terms.md").mkdir()
    os.mkfifo(Path(settings.data) / "privacy.md")
    for name in ("terms", "privacy"):
        assert "comes with the program" in (await told(api, name))["html"]


async def test_a_long_text_is_cut_and_a_broken_one_is_read_as_it_can_be(api, write, caplog):
    write("terms", b"\xef\xbb\xbf" + b"a" * policies.FILE_BYTES_MAX)
    text = (await told(api, "terms", format="markdown"))["markdown"]
    assert text == "a" * (policies.FILE_BYTES_MAX - 3)
    assert "terms.md is cut" in caplog.text
    write("terms", b"good \xff")
    assert await told(api, "terms", format="markdown") == {"markdown": "good \ufffd"}
