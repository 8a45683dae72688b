"""Pictures in each of the places they can be kept: the same is true of all of them."""

import asyncio
import re
import shutil
import time
from collections.abc import Callable

import httpx
import pytest
from tests.builders import HandClock
from tests.s3 import StandIn

from ordu.images import segments
from ordu.images.store import Pictures, open_store
from ordu.protocol.errors import Refused

pytestmark = pytest.mark.anyio

NAME = "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a3F.webp"
SOURCE = "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a3F_src"
LARGE = bytes(range(256)) * 8192  # 2 MB


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def clock():
    return HandClock(int(time.time() * 1000))  # S3 has no other


class Segments:
    """Large files in a folder."""

    is_shared = False

    def __init__(self, tmp_path, clock, monkeypatch):
        self.folder = tmp_path / "some pictures %20"
        self.clock = clock
        self.monkeypatch = monkeypatch

    def open(self) -> Pictures:
        return open_store(self.folder.as_uri(), self.clock.now, is_shared=self.is_shared)

    async def put_before(self, store, name, seconds):
        """Put a picture so long ago."""
        self.clock.forward(s=-seconds)
        await store.put(name, b"old")
        self.clock.forward(s=seconds)

    def breaks(self):
        """The disk fails from here on."""

        def refusing(*_):
            raise OSError("input/output error")

        for name in ("pread", "fdatasync", "posix_fallocate"):
            self.monkeypatch.setattr(segments.os, name, refusing)

    async def upload(self, store, name, data):
        """Put a picture as the server does for who has an upload link."""
        await store.put(name, data)


class Folder(Segments):
    """A file for each."""

    is_shared = True

    def breaks(self):
        shutil.rmtree(self.folder)
        self.folder.write_text("no folder any more")


class S3(Segments):
    """A bucket."""

    def __init__(self, s3: StandIn, clock):
        self.s3 = s3
        self.clock = clock
        self.bucket = s3.bucket()

    def open(self):
        return open_store(f"s3://{self.bucket}/a/b?endpoint={self.s3.url}", self.clock.now)

    async def upload(self, store, name, data):
        link = await store.links(600).put_url(name)
        async with httpx.AsyncClient() as client:
            assert (await client.put(link, content=data)).status_code == 200

    async def put_before(self, store, name, seconds):
        await store.put(name, b"old")
        self.s3.make_older(self.bucket, f"a/b/pictures/{name}", seconds)

    def breaks(self):
        self.s3.is_broken = True


@pytest.fixture(params=["segments", "folder", "s3"])
def place(request, tmp_path, clock, monkeypatch):
    if request.param == "s3":
        return S3(request.getfixturevalue("s3"), clock)
    kind = Segments if request.param == "segments" else Folder
    return kind(tmp_path, clock, monkeypatch)


@pytest.fixture
def store(place):
    opened = place.open()
    yield opened
    opened.close()


async def listed(store, before_ms=2**45):
    return sorted([name async for name, _ in store.older_than(before_ms)])


async def test_the_place_can_be_used(store):
    await store.check()


async def test_what_was_put_is_there(store):
    for name, data in ((NAME, LARGE), (SOURCE, b"source"), ("a", b"x")):
        await store.put(name, data)
        assert await store.get(name) == data
        assert await store.size(name) == len(data)
    assert await listed(store) == sorted([NAME, SOURCE, "a"])


async def test_nothing_is_kept_too(store):
    await store.put(NAME, b"")
    assert await store.get(NAME) == b""
    assert await store.size(NAME) == 0
    assert await store.head(NAME, 10) == b""


async def test_a_second_put_takes_the_place_of_the_first(store):
    await store.put(NAME, b"long first bytes")
    await store.put(NAME, b"second")
    assert (await store.get(NAME), await store.size(NAME)) == (b"second", 6)
    assert await listed(store) == [NAME]


async def test_a_store_opened_again_has_what_it_had(store, place):
    await store.put(NAME, LARGE, is_durable=False)
    store.flush()
    again = place.open()
    assert await again.get(NAME) == LARGE
    assert await listed(again) == [NAME]
    again.close()


async def test_what_is_not_there_is_none(store):
    for call in (store.get, store.size):
        assert await call(NAME) is None
    assert await store.head(NAME, 10) is None
    assert await store.take_upload(NAME, NAME, 10) is None


async def test_an_upload_is_taken_under_another_name_and_stays_as_it_was(store, place):
    await place.upload(store, NAME, b"picture")
    assert await store.take_upload(NAME, "mine.webp", 4) == (7, b"pict")
    await place.upload(store, NAME, b"another one")
    assert await store.get("mine.webp") == b"picture"
    assert await store.take_upload(NAME, "yours.webp", 4) == (11, b"anot")
    assert await store.take_upload("nothing.webp", "x.webp", 4) is None


@pytest.mark.parametrize(
    ("length", "expected"), [(4, b"pict"), (7, b"picture"), (99, b"picture"), (0, b""), (-1, b"")]
)
async def test_head_reads_the_beginning(store, length, expected):
    await store.put(NAME, b"picture")
    assert await store.head(NAME, length) == expected


async def test_delete_forgets_and_does_not_mind_what_is_missing(store):
    for name in ("a1.webp", "a2.webp", "b.webp"):
        await store.put(name, b"x")
    await store.delete(["a1.webp", "never.webp", "a2.webp"])
    await store.delete([])
    assert await listed(store) == ["b.webp"]
    assert await store.get("a1.webp") is None


async def test_a_sweep_sees_what_was_written_before_a_time(store, place, clock):
    await place.put_before(store, "old.webp", 100)
    await store.put("new.webp", b"x")
    assert await listed(store, clock.now() - 50_000) == ["old.webp"]
    assert await listed(store, clock.now() - 200_000) == []
    assert await listed(store, clock.now() + 2_000) == ["new.webp", "old.webp"]


async def test_a_sweep_says_when_each_was_written(store, place, clock):
    await place.put_before(store, NAME, 100)
    [(name, written_ms)] = [each async for each in store.older_than(clock.now())]
    assert name == NAME
    assert abs(clock.now() - 100_000 - written_ms) < 60_000, "S3 has its own clock"


async def test_a_sweep_of_many_sees_each_once(store):
    names = [f"{number:02}-{number % 7}.webp" for number in range(60)]
    await asyncio.gather(*(store.put(name, b"x") for name in names))
    assert await listed(store) == sorted(names)


async def test_tidying_takes_nothing_that_is_wanted(store, place):
    await place.put_before(store, NAME, 200_000)
    await store.tidy()
    assert await store.get(NAME) == b"old"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../secret",
        "a/b",
        "/etc/passwd",
        ".hidden",
        "a b",
        "é",
        "a\n",
        "a" * 81,
        "a\\b",
    ],
)
async def test_what_is_no_plain_name_is_refused(store, name):
    calls: list[Callable[[], object]] = [
        lambda: store.put(name, b"x"),
        lambda: store.get(name),
        lambda: store.head(name, 1),
        lambda: store.size(name),
        lambda: store.take_upload(name, name, 1),
        lambda: store.delete([name]),
    ]
    for call in calls:
        with pytest.raises(Refused) as caught:
            await call()
        assert (caught.value.rc, caught.value.status) == ("PictureNotFound", 404)


async def test_puts_at_once_leave_one_of_them_whole(store):
    versions = [bytes([number]) * 100_000 for number in range(20)]
    reads = [store.get(NAME) for _ in range(20)]
    found = await asyncio.gather(*(store.put(NAME, each) for each in versions), *reads)
    assert all(each is None or each in versions for each in found[20:])
    assert await store.get(NAME) in versions


@pytest.mark.parametrize("place", ["folder", "s3"], indirect=True)
async def test_who_shares_a_place_sees_what_others_do(store, place):
    other = place.open()
    await store.put(NAME, b"of one")
    assert await other.get(NAME) == b"of one"
    await other.put(NAME, b"of the other")
    assert await store.get(NAME) == b"of the other"
    assert await listed(other) == await listed(store) == [NAME]
    await other.delete([NAME])
    assert await store.get(NAME) is None


async def test_a_store_that_cannot_is_503_with_a_time_to_come_back(store, place):
    await store.put(NAME, b"x")
    place.breaks()
    for call in (
        store.put(NAME, b"y"),
        store.get(NAME),
        store.head(NAME, 1),
    ):
        with pytest.raises(Refused) as caught:
            await call
        assert (caught.value.rc, caught.value.status) == ("Unavailable", 503)
        assert caught.value.retry_after_s == 30
        assert not re.search(r"bucket|127\.0|some pictures|AccessDenied", caught.value.message)
