"""The picture store on a real folder, with the real library."""

import asyncio
import os
import stat

import pytest

from ordu.images.store import open_store
from ordu.protocol.errors import Refused

pytestmark = pytest.mark.anyio

NAME = "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a3F.webp"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "some pictures %20"


@pytest.fixture
def store(folder):
    return open_store(folder.as_uri())


async def listed(store, before_ms=2**60):
    return sorted([name async for name, _ in store.older_than(before_ms)])


async def test_what_was_put_is_there(store, folder):
    await store.put(NAME, b"bytes of a picture")
    assert await store.get(NAME) == b"bytes of a picture"
    assert await store.size(NAME) == 18
    assert (folder / "3f" / NAME).read_bytes() == b"bytes of a picture"


async def test_a_second_put_takes_the_place_of_the_first(store):
    await store.put(NAME, b"long first bytes")
    await store.put(NAME, b"second")
    assert await store.get(NAME) == b"second"
    assert await store.size(NAME) == 6


async def test_a_store_opened_again_has_what_it_had(store, folder):
    await store.put(NAME, b"kept")
    assert await open_store(folder.as_uri()).get(NAME) == b"kept"


async def test_what_is_not_there_is_none(store):
    assert await store.get(NAME) is None
    assert await store.size(NAME) is None
    assert await store.head(NAME, 10) is None


@pytest.mark.parametrize(
    ("length", "expected"), [(4, b"pict"), (7, b"picture"), (99, b"picture"), (0, b"")]
)
async def test_head_reads_the_beginning(store, length, expected):
    await store.put(NAME, b"picture")
    assert await store.head(NAME, length) == expected


async def test_an_empty_picture_has_an_empty_head(store):
    await store.put(NAME, b"")
    assert await store.head(NAME, 10) == b""


async def test_delete_forgets_and_does_not_mind_what_is_missing(store):
    await store.put("a1.webp", b"1")
    await store.put("a2.webp", b"2")
    await store.delete(["a1.webp", "never.webp", "a2.webp"])
    assert await listed(store) == []


async def test_a_sweep_sees_what_was_written_before_a_time(store, folder):
    names = ["old-ab.webp", "old-ab_src.webp", "new-cd.webp"]
    for name in names:
        await store.put(name, b"x")
    for path in folder.glob("*/old*"):
        os.utime(path, (1000, 1000))
    assert await listed(store) == sorted(names)
    assert await listed(store, 1_000_001) == ["old-ab.webp", "old-ab_src.webp"]
    assert await listed(store, 1_000_000) == []


async def test_a_sweep_leaves_what_others_put_there(store, folder):
    (folder / "lost+found").mkdir()
    (folder / "lost+found" / "not ours.txt").write_text("x")
    assert await listed(store) == []


async def test_what_a_killed_process_left_is_removed_once_it_is_old(store, folder):
    await store.put(NAME, b"whole")
    left = folder / "3f" / (NAME + "#1")
    left.write_bytes(b"hal")
    os.utime(left, (1000, 1000))
    await store.remove_unfinished(1_000_000)
    assert left.exists()
    await store.remove_unfinished(1_000_001)
    assert not left.exists()
    assert await store.get(NAME) == b"whole"


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
    for call in (store.put(name, b"x"), store.get(name), store.head(name, 1), store.delete([name])):
        with pytest.raises(Refused) as caught:
            await call
        assert (caught.value.rc, caught.value.status) == ("PictureNotFound", 404)


@pytest.mark.parametrize(
    ("name", "shard"),
    [
        ("0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0aFE.webp", "fe"),
        ("0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0afe_src.webp", "fe"),
        ("x.png", "0x"),
        ("a" * 80, "aa"),
    ],
)
async def test_names_are_spread_by_the_end_of_their_id(store, folder, name, shard):
    await store.put(name, b"x")
    assert (folder / shard / name).exists()


async def test_a_reader_sees_the_old_or_the_new_and_never_a_part(store, folder):
    versions = [bytes([number]) * 300_000 for number in range(20)]
    await store.put(NAME, versions[0])

    async def write():
        for version in versions:
            await store.put(NAME, version)

    async def read(stop):
        while not stop.done():
            assert await store.get(NAME) in versions
            await asyncio.sleep(0)  # reads do not wait, so the writer must be let on

    writing = asyncio.create_task(write())
    await asyncio.gather(writing, *(read(writing) for _ in range(4)))
    assert await store.get(NAME) == versions[-1]
    assert [path.name for path in (folder / "3f").iterdir()] == [NAME]


async def test_puts_and_a_delete_at_once_leave_no_part(store, folder):
    puts = [store.put(NAME, bytes([number]) * 1000) for number in range(30)]
    await asyncio.gather(*puts, *(store.delete([NAME]) for _ in range(10)))
    kept = await store.get(NAME)
    assert kept is None or (len(kept) == 1000 and len(set(kept)) == 1)
    assert [path.name for path in folder.glob("*/*#*")] == []


async def test_a_disk_that_cannot_is_503_with_a_time_to_come_back(store, folder):
    (folder / "3f").write_text("a file where a folder is needed")
    for call in (store.put(NAME, b"x"), store.get(NAME), store.size(NAME)):
        with pytest.raises(Refused) as caught:
            await call
        assert (caught.value.rc, caught.value.status) == ("Unavailable", 503)
        assert caught.value.retry_after_s == 30
        assert str(folder) not in caught.value.message


async def test_a_new_folder_is_for_its_owner_only(store, folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("url", ["s3://bucket", "file://host/a", "file:relative", "/tmp/x", ""])
async def test_a_url_that_is_no_folder_is_refused(url):
    with pytest.raises(ValueError, match="file:///FOLDER"):
        open_store(url)
