"""S3: links past the server, and what becomes of uploads."""

import asyncio
import sys
import urllib.request
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.builders import HandClock, a_picture
from tests.s3 import KEYS

from ordu.client import AsyncHorde
from ordu.images import s3 as s3_module
from ordu.images.store import open_store
from ordu.protocol.errors import Refused

pytestmark = pytest.mark.anyio

NAME = "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a3f.webp"
PICTURE = a_picture()


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def bucket(s3):
    return s3.bucket()


@pytest.fixture
def url(s3, bucket):
    return f"s3://{bucket}/my/horde?endpoint={s3.url}"


@pytest.fixture
def store(url):
    return open_store(url, HandClock().now)


@pytest.fixture
def links(store):
    return store.links(1800)


async def call(method, url, data=None):
    async with httpx.AsyncClient() as web:
        return await web.request(method, url, content=data)


async def put(url, data):
    assert (await call("PUT", url, data)).status_code == 200


# Links


def with_httpx(url, data):
    assert httpx.put(url, content=data).status_code == 200


def with_httpx_and_a_type(url, data):
    assert httpx.put(url, content=data, headers={"content-type": "image/webp"}).status_code == 200


def with_urllib(url, data):
    with urllib.request.urlopen(urllib.request.Request(url, data, method="PUT")) as answer:
        assert answer.status == 200


def with_urllib_and_no_type(url, data):
    request = urllib.request.Request(url, data, {"Content-Type": ""}, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def with_our_client(url, data):
    async def upload():
        async with AsyncHorde("http://127.0.0.1:1", "0000000000") as horde:
            await horde.upload(url, data)

    asyncio.run(upload())


@pytest.mark.parametrize(
    "upload",
    [
        with_httpx,
        with_httpx_and_a_type,
        with_urllib,  # it says that the picture is a form
        with_urllib_and_no_type,
        with_our_client,
    ],
)
async def test_whoever_uploads_by_a_link_it_arrives(store, links, upload):
    data = bytes(range(256)) * 2000
    await asyncio.to_thread(upload, await links.put_url(NAME), data)
    assert await store.take_upload(NAME, NAME, 100) == (len(data), data[:100])
    assert await store.get(NAME) == data


async def test_a_link_reads_a_picture(store, links):
    await store.put(NAME, PICTURE)
    answer = await call("GET", await links.get_url(NAME))
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/webp"


async def test_a_link_allows_what_it_was_made_for_and_nothing_else(store, links):
    await store.put(NAME, PICTURE)
    await store.put("other.webp", PICTURE)
    reading, writing = await links.get_url(NAME), await links.put_url(NAME)
    refused = [
        await call("PUT", reading, b"x"),
        await call("DELETE", reading),
        await call("GET", writing),
        await call("GET", reading.replace(NAME, "other.webp")),
        await call("GET", reading.partition("?")[0]),
        await call("PUT", writing.replace("/uploads/", "/pictures/"), b"x"),
        await call("PUT", writing.replace(NAME, "other.webp"), b"x"),
        await call("GET", reading.replace("X-Amz-Expires=1800", "X-Amz-Expires=9999")),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert await store.get(NAME) == await store.get("other.webp") == PICTURE


@pytest.mark.parametrize(
    ("at_least_s", "expected"), [(0, "1800"), (1799, "1800"), (5000, "5000"), (10**9, "604800")]
)
async def test_a_link_lives_as_long_as_it_is_needed_and_s3_allows(links, at_least_s, expected):
    query = parse_qs(urlsplit(await links.put_url(NAME, at_least_s)).query)
    assert query["X-Amz-Expires"] == [expected]


async def test_no_link_is_made_for_what_is_no_name(links):
    for made in (links.get_url("../x"), links.put_url("a/b")):
        with pytest.raises(Refused):
            await made


@pytest.mark.parametrize(
    ("options", "start", "is_https"),
    [
        ("", "https://pictures-1.s3.us-east-1.amazonaws.com/p/", True),
        (
            "?region=eu-west-1&path_style=on",
            "https://s3.eu-west-1.amazonaws.com/pictures-1/p/",
            True,
        ),
        ("?endpoint=http://10.0.0.5:9000", "http://10.0.0.5:9000/pictures-1/p/", False),
        (
            "?endpoint=http://10.0.0.5:9000&public_endpoint=https://s3.example.org",
            "https://s3.example.org/pictures-1/p/",
            True,
        ),
        (
            "?endpoint=https://s3.example.org&path_style=off",
            "https://pictures-1.s3.example.org/p/",
            True,
        ),
    ],
)
async def test_links_lead_where_clients_reach_the_bucket(s3, options, start, is_https):
    links = open_store(f"s3://pictures-1/p{options}", HandClock().now).links(1800)
    assert (await links.get_url(NAME)).startswith(f"{start}pictures/{NAME}?")
    assert links.is_https is is_https


async def test_a_public_endpoint_is_only_for_links(s3, bucket):
    public = s3.url.replace("127.0.0.1", "localhost")
    there = f"s3://{bucket}?endpoint={s3.url}&public_endpoint={public}"
    store = open_store(there, HandClock().now)
    await store.put(NAME, PICTURE)
    link = await store.links(1800).get_url(NAME)
    assert urlsplit(link).hostname == "localhost"
    assert (await call("GET", link)).content == PICTURE


async def test_the_url_counts_more_than_the_environment(s3, url, monkeypatch):
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    store = open_store(url, HandClock().now)
    await store.put(NAME, PICTURE)
    assert (await store.links(1800).get_url(NAME)).startswith(s3.url)


# Uploads


async def test_an_upload_is_no_picture_until_it_is_taken(store, links):
    await put(await links.put_url(NAME), PICTURE)
    assert await store.get(NAME) is None
    assert [each async for each in store.older_than(2**45)] == []
    await store.take_upload(NAME, NAME, 10)
    assert await store.get(NAME) == PICTURE


async def test_an_upload_that_was_taken_cannot_be_changed_by_its_link(store, links):
    link = await links.put_url(NAME)
    await put(link, PICTURE)
    await store.take_upload(NAME, NAME, 10)
    await put(link, b"something else")
    assert await store.get(NAME) == PICTURE


async def test_taking_reads_the_beginning_only(store, links, s3):
    await put(await links.put_url(NAME), bytes(500_000))
    s3.calls.clear()
    assert await store.take_upload(NAME, NAME, 1000) == (500_000, bytes(1000))
    assert [(method, asked) for method, _, asked in s3.calls] == [
        ("PUT", ""),  # the copy
        ("GET", "bytes=0-999"),
    ]


async def test_an_empty_upload_is_empty(store, links):
    await put(await links.put_url(NAME), b"")
    assert await store.take_upload(NAME, NAME, 1000) == (0, b"")


async def test_delete_takes_the_upload_along(store, links, s3, bucket):
    await put(await links.put_url(NAME), PICTURE)
    await store.take_upload(NAME, NAME, 10)
    assert s3.keys(bucket) == [f"my/horde/pictures/{NAME}", f"my/horde/uploads/{NAME}"]
    await store.delete([NAME])
    assert s3.keys(bucket) == []


async def test_uploads_that_nobody_took_are_swept_after_a_day(
    store, links, s3, bucket, monkeypatch
):
    monkeypatch.setattr(s3_module, "PAGE", 2)
    names = [f"{number}.webp" for number in range(5)]
    for name in (*names, "young.webp"):
        await put(await links.put_url(name), b"x")
    await store.put(NAME, PICTURE)
    for key in (*(f"uploads/{name}" for name in names), f"pictures/{NAME}"):
        s3.make_older(bucket, f"my/horde/{key}", s3_module.UPLOAD_AGE_S_MAX + 1)
    await store.tidy()
    assert s3.keys(bucket) == [f"my/horde/pictures/{NAME}", "my/horde/uploads/young.webp"]


async def test_a_horde_leaves_what_others_have_in_its_bucket(store, s3, bucket, url):
    other = open_store(url.replace("my/horde", "my/horde2"), HandClock().now)
    await other.put(NAME, b"of another horde")
    await store.put(NAME, PICTURE)
    assert [name async for name, _ in store.older_than(2**45)] == [NAME]
    await store.delete([NAME])
    assert await other.get(NAME) == b"of another horde"


@pytest.mark.parametrize(("form", "kind"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
async def test_a_picture_is_served_as_what_it_is(store, s3, bucket, form, kind):
    await store.put(NAME, a_picture(form=form))
    assert s3.content_type(bucket, f"my/horde/pictures/{NAME}") == f"image/{kind}"
    await store.put(NAME, b"no picture")
    assert s3.content_type(bucket, f"my/horde/pictures/{NAME}") == "binary/octet-stream"


# What goes wrong


async def test_what_s3_says_is_logged_and_not_told(store, s3, caplog):
    s3.is_broken = True
    with pytest.raises(Refused) as caught:
        await store.put(NAME, PICTURE)
    assert "Pictures cannot be stored: S3 says AccessDenied" in caplog.text
    assert not [secret for secret in KEYS.values() if secret in caplog.text]
    assert "AccessDenied" not in caught.value.message


async def test_a_server_that_is_not_there_is_503(s3, monkeypatch):
    monkeypatch.setattr(s3_module, "RETRIES_MAX", 0)
    store = open_store("s3://bucket?endpoint=http://127.0.0.1:1", HandClock().now)
    for call in (
        store.put(NAME, PICTURE),
        store.get(NAME),
        store.size(NAME),
        store.take_upload(NAME, NAME, 1),
        store.delete([NAME]),
        store.tidy(),
        anext(store.older_than(2**45)),
    ):
        with pytest.raises(Refused) as caught:
            await call
        assert (caught.value.rc, caught.value.status) == ("Unavailable", 503)


async def test_a_bucket_that_cannot_be_used_is_told_at_the_start(s3, bucket, url, monkeypatch):
    monkeypatch.setattr(s3_module, "RETRIES_MAX", 0)
    for there in (url.replace(bucket, "no-such-bucket"), "s3://bucket?endpoint=http://127.0.0.1:1"):
        with pytest.raises(ValueError, match=r"cannot be used: .*AWS variables"):
            await open_store(there, HandClock().now).check()
    s3.is_broken = True
    with pytest.raises(ValueError, match="AccessDenied"):
        await open_store(url, HandClock().now).check()


async def test_without_the_package_it_is_said_how_to_get_it(url, monkeypatch):
    monkeypatch.delitem(sys.modules, "ordu.images.s3")
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ValueError, match=r"pip install 'ordu\[s3\]'"):
        open_store(url, HandClock().now)


async def test_storage_that_deletes_only_one_by_one_is_served_too(s3, bucket, url, monkeypatch):
    monkeypatch.setenv("AWS_DISABLE_BULK_DELETE", "true")
    store = open_store(url, HandClock().now)
    for name in ("a.webp", "b.webp", "c.webp"):
        await store.put(name, PICTURE)
    s3.calls.clear()
    await store.delete(["a.webp", "never.webp", "b.webp"])
    assert {method for method, _, _ in s3.calls} == {"DELETE"}
    assert s3.keys(bucket) == ["my/horde/pictures/c.webp"]
