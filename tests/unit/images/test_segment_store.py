"""Pictures in segments: what is kept, found again, and given back. See also test_pictures."""

import asyncio
import errno
import os
import stat
import threading

import pytest
from tests.builders import HandClock

from ordu.images import segment_store as store_module
from ordu.images import segments
from ordu.images.segment_store import AT_ONCE_MAX, SEGMENT_AGE_MS_MAX, SPARSE_AGE_MS
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
def clock():
    return HandClock()


@pytest.fixture
def reopen(folder, clock):
    """Opens the store, as the next life of a server does."""
    return lambda: open_store(folder.as_uri(), clock.now)


@pytest.fixture
def store(reopen):
    return reopen()


async def listed(store, before_ms=2**60):
    return sorted([name async for name, _ in store.older_than(before_ms)])


def files(folder):
    return sorted(path.name for path in folder.iterdir())


async def test_a_second_put_takes_the_place_of_the_first(store, reopen):
    await store.put(NAME, b"long first bytes")
    await store.put(NAME, b"second")
    for each in (store, reopen()):
        assert await each.get(NAME) == b"second"
        assert await each.size(NAME) == 6


async def test_a_store_opened_again_has_what_it_had(store, reopen):
    large = bytes(range(256)) * (AT_ONCE_MAX // 256 + 1)
    await store.put("large.webp", large)
    await store.put("empty_src", b"")
    await store.put(NAME, b"kept", is_durable=False)
    store.close()
    again = reopen()
    assert await listed(again) == sorted(["large.webp", "empty_src", NAME])
    assert await again.get("large.webp") == large
    assert await again.get("empty_src") == b""
    assert await again.get(NAME) == b"kept"


async def test_what_was_flushed_outlives_a_killed_server(store, reopen):
    await store.put(NAME, b"kept", is_durable=False)
    store.flush()
    assert await reopen().get(NAME) == b"kept"  # nobody closed the first


async def test_a_store_opened_again_goes_on_in_a_new_file(store, reopen, folder):
    await store.put(NAME, b"first")
    store.close()
    again = reopen()
    assert files(folder) == ["00000001.segment"]
    await again.put("b.webp", b"second")
    assert files(folder) == ["00000001.segment", "00000002.segment"]


@pytest.mark.parametrize(
    ("length", "expected"), [(4, b"pict"), (7, b"picture"), (99, b"picture"), (0, b"")]
)
async def test_head_reads_the_beginning(store, length, expected):
    await store.put("before.webp", b"another")
    await store.put(NAME, b"picture")
    await store.put("behind.webp", b"another")
    assert await store.head(NAME, length) == expected


async def test_delete_forgets_and_does_not_mind_what_is_missing(store, reopen):
    await store.put("a1.webp", b"1")
    await store.put("a2.webp", b"2")
    await store.put("b.webp", b"3")
    await store.delete(["a1.webp", "never.webp", "a2.webp"])
    assert await listed(store) == ["b.webp"]
    assert await listed(reopen()) == ["b.webp"]


async def test_a_sweep_sees_what_was_written_before_a_time(store, reopen, clock):
    await store.put("old.webp", b"x")
    clock.forward(s=10)
    await store.put("new.webp", b"x")
    for each in (store, reopen()):
        assert await listed(each, clock.now()) == ["old.webp"]
        assert await listed(each, clock.now() - 10_000) == []
        assert await listed(each, clock.now() + 1) == ["new.webp", "old.webp"]


async def test_a_sweep_leaves_what_others_put_there(store, reopen, folder):
    (folder / "lost+found").mkdir()
    (folder / "not ours.segment").write_text("x")
    assert await listed(reopen()) == []


# What a crash leaves


def newest(folder):
    return max(folder.glob("*.segment"))


async def test_a_picture_of_which_a_part_was_written_is_not_there(store, reopen, folder):
    await store.put("whole.webp", b"w" * 1000)
    await store.put("part.webp", b"p" * 1000)
    await store.put("behind.webp", b"b" * 1000)
    data = newest(folder).read_bytes()
    at = data.index(b"p" * 1000)
    newest(folder).write_bytes(data[: at + 500] + bytes(500) + data[at + 1000 :])
    again = reopen()
    assert await listed(again) == ["behind.webp", "whole.webp"]
    assert await again.get("behind.webp") == b"b" * 1000


@pytest.mark.parametrize("left", [1, 10, 30, 60])
async def test_a_file_that_ends_early_has_what_is_before(store, reopen, folder, left):
    await store.put("whole.webp", b"w" * 1000)
    end = newest(folder).read_bytes().index(b"w" * 1000) + 1000
    await store.put("part.webp", b"p" * 1000)
    os.truncate(newest(folder), end + left)
    assert await listed(reopen()) == ["whole.webp"]


# Giving back space


async def test_a_file_goes_when_all_in_it_are_deleted_and_the_next_has_begun(store, folder, clock):
    await store.put("a.webp", b"1")
    await store.delete(["a.webp"])
    await store.tidy()
    assert files(folder) == ["00000001.segment"]  # it is written to still
    clock.forward(ms=SEGMENT_AGE_MS_MAX)
    await store.tidy()
    assert files(folder) == []
    assert await store.get("a.webp") is None


async def test_a_file_that_is_full_is_followed_by_another(store, folder, monkeypatch):
    monkeypatch.setattr(store_module, "SEGMENT_BYTES_MAX", 3000)
    for number in range(5):
        await store.put(f"{number}.webp", bytes([number]) * 1000)
    assert len(files(folder)) == 3
    for number in range(5):
        assert await store.get(f"{number}.webp") == bytes([number]) * 1000
    used = [path.stat().st_size for path in sorted(folder.iterdir())]
    assert all(size < 3000 for size in used[:-1]), "what is full has no more space than it needs"


async def test_the_few_that_stay_are_moved_on(store, reopen, folder, clock):
    names = [f"{number}.webp" for number in range(10)]
    for name in names:
        await store.put(name, name.encode() * 100)
    written_at = clock.now()
    await store.delete(names[1:])
    clock.forward(ms=SPARSE_AGE_MS)
    await store.tidy()
    assert files(folder) == ["00000002.segment"]
    for each in (store, reopen()):
        assert await each.get("0.webp") == b"0.webp" * 100
        assert await listed(each) == ["0.webp"]
        assert await listed(each, written_at + 1) == ["0.webp"], "it is as old as it was"


LARGE = b"l" * (AT_ONCE_MAX + 1)


@pytest.fixture
def slow_fill(monkeypatch):
    """Holds the writing of large pictures up, in their thread, until it is set."""
    gate, begun = threading.Event(), threading.Event()
    fill = segments.Segment.fill

    def held(segment, record, data):
        begun.set()
        assert gate.wait(20)
        fill(segment, record, data)

    monkeypatch.setattr(segments.Segment, "fill", held)
    return gate, begun


async def test_a_file_that_is_being_written_to_is_not_removed(store, folder, clock, slow_fill):
    gate, begun = slow_fill
    writing = asyncio.create_task(store.put(NAME, LARGE))
    await asyncio.to_thread(begun.wait, 20)
    clock.forward(ms=SEGMENT_AGE_MS_MAX)
    await store.tidy()
    assert files(folder) == ["00000001.segment"]
    gate.set()
    await writing
    assert await store.get(NAME) == LARGE


async def test_what_is_deleted_while_it_is_moved_stays_deleted(store, clock, slow_fill):
    gate, begun = slow_fill
    gate.set()
    await store.put(NAME, LARGE)
    for number in range(5):
        await store.put(f"{number}.webp", LARGE)
    await store.delete([f"{number}.webp" for number in range(5)])
    clock.forward(ms=SPARSE_AGE_MS)
    gate.clear()
    begun.clear()
    moving = asyncio.create_task(store.tidy())
    await asyncio.to_thread(begun.wait, 20)
    await store.delete([NAME])
    gate.set()
    await moving
    assert await store.get(NAME) is None


async def test_who_was_deleted_stays_so_while_their_file_is_there(store, reopen, folder, clock):
    await store.put("stays.webp", b"s" * 1000)
    await store.put("goes.webp", b"g")
    clock.forward(ms=SEGMENT_AGE_MS_MAX)
    await store.put("between.webp", b"b")
    await store.delete(["goes.webp", "between.webp"])  # written down in the second file
    clock.forward(ms=SEGMENT_AGE_MS_MAX)
    await store.tidy()
    assert files(folder) == ["00000001.segment", "00000002.segment"]
    assert await listed(reopen()) == ["stays.webp"]


# Side by side


async def test_a_reader_sees_the_old_or_the_new_and_never_a_part(store):
    versions = [bytes([number]) * (AT_ONCE_MAX + 1) for number in range(20)]
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


async def test_puts_and_a_delete_at_once_leave_no_part(store, reopen):
    puts = [store.put(NAME, bytes([number]) * 1000) for number in range(30)]
    await asyncio.gather(*puts, *(store.delete([NAME]) for _ in range(10)))
    kept = await store.get(NAME)
    assert kept is None or (len(kept) == 1000 and len(set(kept)) == 1)
    assert await reopen().get(NAME) == kept


# Disks that cannot


def refusing(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


async def demand_unavailable(call, folder):
    with pytest.raises(Refused) as caught:
        await call
    assert (caught.value.rc, caught.value.status) == ("Unavailable", 503)
    assert caught.value.retry_after_s == 30
    assert str(folder) not in caught.value.message


async def test_a_disk_without_space_is_503_with_a_time_to_come_back(store, folder, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(segments.os, "posix_fallocate", refusing)
        await demand_unavailable(store.put(NAME, b"x"), folder)
        await demand_unavailable(store.put(NAME, b"x" * (AT_ONCE_MAX + 1)), folder)
    assert await store.get(NAME) is None
    await store.put(NAME, b"x")
    assert await store.get(NAME) == b"x"


async def test_after_a_flush_that_failed_none_is_believed_for_a_while(
    store, folder, clock, monkeypatch
):
    await store.put("before.webp", b"x", is_durable=False)
    with monkeypatch.context() as broken:
        broken.setattr(segments.os, "fdatasync", refusing)
        await demand_unavailable(store.put(NAME, b"x"), folder)
    with pytest.raises(OSError, match="a moment ago"):  # of whoever put `before.webp`
        store.flush()
    await demand_unavailable(store.put(NAME, b"x"), folder)
    clock.forward(ms=store_module.DISTRUST_MS)
    await store.put(NAME, b"y")
    assert await store.get(NAME) == b"y"
    assert len(files(folder)) == 2, "where a flush failed nothing more is written"


async def test_a_disk_that_cannot_be_read_is_503(store, folder, monkeypatch):
    await store.put(NAME, b"x")
    monkeypatch.setattr(segments.os, "pread", refusing)
    await demand_unavailable(store.get(NAME), folder)


async def test_a_new_folder_is_for_its_owner_only(store, folder):
    await store.put(NAME, b"x")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(newest(folder).stat().st_mode) == 0o600


@pytest.mark.parametrize("url", ["http://bucket", "file://host/a", "file:relative", "/tmp/x", ""])
async def test_a_url_that_is_no_folder_is_refused(url, clock):
    with pytest.raises(ValueError, match="file:///FOLDER"):
        open_store(url, clock.now)
