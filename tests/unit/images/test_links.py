"""A link allows one thing, on one picture, until it expires."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.images.links import ServerLinks
from ordu.protocol.errors import Refused

NOW = 1_800_000_000_000


def links_at(now_ms=NOW, key=b"k" * 32):
    return ServerLinks(key, "https://horde.example.org/below/", 1800, lambda: now_ms)


LINKS = links_at()


def get_url(name, links=LINKS):
    return asyncio.run(links.get_url(name))


def put_url(name, at_least_s=0):
    return asyncio.run(LINKS.put_url(name, at_least_s))


def parts(url):
    split = urlsplit(url)
    query = parse_qs(split.query, strict_parsing=True)
    name = split.path.removeprefix("/below/pictures/")
    return {"name": name, "expires": query["expires"][0], "signature": query["signature"][0]}


def refusal_of(method="GET", links=LINKS, **given_parts):
    with pytest.raises(Refused) as caught:
        links.verify(method, **given_parts)
    assert (caught.value.rc, caught.value.status) == ("BadSignature", 403)
    return caught.value.message


def test_a_link_has_the_form_that_workers_use_as_it_stands():
    url = put_url("abc.webp")
    assert url.startswith("https://horde.example.org/below/pictures/abc.webp?expires=1800001800&")
    assert len(parts(url)["signature"]) == 43


def test_a_link_allows_what_it_was_made_for_and_nothing_else():
    reading, writing = parts(get_url("a.webp")), parts(put_url("a.webp"))
    LINKS.verify("GET", **reading)
    LINKS.verify("HEAD", **reading)
    LINKS.verify("PUT", **writing)
    for method in ("PUT", "DELETE", "get", ""):
        refusal_of(method, **reading)
    for method in ("GET", "HEAD", "POST", "DELETE"):
        refusal_of(method, **writing)


def test_a_link_expires():
    link = parts(get_url("a.webp", links_at(NOW + 999)))
    links_at(NOW + 1_799_999).verify("GET", **link)
    assert "expired 0 seconds ago" in refusal_of(links=links_at(NOW + 1_800_000), **link)
    assert "expired 60 seconds ago" in refusal_of(links=links_at(NOW + 1_860_000), **link)


def test_an_upload_link_lives_as_long_as_its_job_where_that_is_longer():
    assert parts(put_url("a.webp", 1799))["expires"] == "1800001800"
    assert parts(put_url("a.webp", 1801))["expires"] == "1800001801"


@pytest.mark.parametrize(("scheme", "expected"), [("https", True), ("http", False)])
def test_links_are_https_when_the_server_is(scheme, expected):
    assert ServerLinks(b"k", f"{scheme}://horde.test", 1800, lambda: NOW).is_https is expected


def test_a_made_up_link_is_not_told_that_it_expired():
    link = parts(get_url("a.webp")) | {"signature": "A" * 43}
    assert "does not allow" in refusal_of(links=links_at(NOW + 10**9), **link)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"name": "b.webp"}, id="another picture"),
        pytest.param({"name": "A.webp"}, id="capitals"),
        pytest.param({"name": ""}, id="no name"),
        pytest.param({"expires": "1800001801"}, id="one second longer"),
        pytest.param({"expires": "01800001800"}, id="a zero in front"),
        pytest.param({"expires": "+1800001800"}, id="a plus in front"),
        pytest.param({"expires": "1800001800 "}, id="a blank behind"),
        pytest.param({"expires": "１８００００１８００"}, id="wide digits"),
        pytest.param({"expires": "9" * 400}, id="endless"),
        pytest.param({"expires": "soon"}, id="words"),
        pytest.param({"expires": ""}, id="no expiry"),
        pytest.param({"signature": ""}, id="no signature"),
        pytest.param({"signature": "ä" * 43}, id="signature not ASCII"),
        pytest.param({"signature": "\udcff"}, id="signature of broken text"),
        pytest.param({"name": "\udcff"}, id="name of broken text"),
    ],
)
def test_a_changed_link_is_refused(change):
    refusal_of(**(parts(get_url("a.webp")) | change))


def test_every_character_of_the_signature_counts():
    link = parts(get_url("a.webp"))
    signature = link["signature"]
    for place, character in enumerate(signature):
        other = "B" if character == "A" else "A"
        changed = signature[:place] + other + signature[place + 1 :]
        refusal_of(**(link | {"signature": changed}))
    for changed in (signature + "=", signature[:-1], signature + "A", signature.swapcase()):
        refusal_of(**(link | {"signature": changed}))


def test_a_link_of_another_horde_is_refused():
    refusal_of(**parts(get_url("a.webp", links_at(key=b"other" * 7))))


def test_a_signed_text_that_is_no_time_is_refused():
    forged = LINKS._signature("GET", "a.webp", "soon")
    refusal_of(name="a.webp", expires="soon", signature=forged)


def test_the_key_is_not_shown():
    assert "kkk" not in repr(LINKS)


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", fullmatch=True)
TIMES = st.integers(0, 2**45)


@given(NAMES, NAMES, TIMES, st.integers(0, 1_799_999), st.binary(min_size=1, max_size=64))
def test_links_hold_for_their_name_and_their_time(name, other, now, later, key):
    link = parts(get_url(name, links_at(now, key)))
    assert link["name"] == name
    links_at(now - now % 1000 + later, key).verify("GET", **link)
    refusal_of("PUT", links=links_at(now, key), **link)
    refusal_of(links=links_at(now + 1_800_000, key), **link)
    if other != name:
        refusal_of(links=links_at(now, key), **(link | {"name": other}))
