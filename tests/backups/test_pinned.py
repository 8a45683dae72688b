"""Pictures of a moment: what was there then is copied, whatever the horde does meanwhile."""

import pytest
from tests.backups.hordes import draw, with_calls
from tests.builders import HandClock, a_picture

from ordu.backups import books
from ordu.backups import pictures as copying
from ordu.backups.making import shelf_of, still_promised
from ordu.engine import end
from ordu.engine.belonging import promised
from ordu.images.pinned import PinnedSegments, SegmentWriter
from ordu.images.segment_store import SEGMENT_AGE_MS_MAX, SegmentPictures
from ordu.store import jobs

pytestmark = pytest.mark.anyio


async def test_a_segment_that_is_removed_can_still_be_read(tmp_path):
    clock = HandClock()
    store = SegmentPictures(tmp_path, clock.now)
    await store.put("first", b"1" * 1000)
    pinned = PinnedSegments(tmp_path)
    pinned.pin()
    await store.put("second", b"2" * 300_000)  # written by another thread
    await store.delete(["first"])
    clock.forward(ms=SEGMENT_AGE_MS_MAX)
    await store.put("third", b"3")
    await store.delete(["second"])
    pinned.pin()
    await store.tidy()
    assert len(list(tmp_path.iterdir())) == 1  # the first segment is gone
    assert await pinned.get("first") == b"1" * 1000
    assert await pinned.get("second") == b"2" * 300_000
    assert await pinned.get("third") == b"3"
    assert {name async for name, _ in pinned.older_than(2**53)} == {"first", "second", "third"}
    pinned.close()
    store.close()


async def test_a_picture_that_is_not_what_was_put_is_no_picture(tmp_path):
    store = SegmentPictures(tmp_path, HandClock().now)
    await store.put("one", b"1" * 1000)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    pinned = PinnedSegments(tmp_path)
    pinned.pin()
    assert await pinned.get("one") is None
    pinned.close()
    store.close()


async def test_a_number_that_comes_again_is_another_segment(tmp_path):
    clock = HandClock()
    store = SegmentPictures(tmp_path, clock.now)
    await store.put("one", b"1")
    pinned = PinnedSegments(tmp_path)
    pinned.pin()
    await store.delete(["one"])
    store.close()
    (path,) = tmp_path.iterdir()
    path.unlink()
    store = SegmentPictures(tmp_path, clock.now)  # as after a restart
    await store.put("two", b"2")
    assert list(tmp_path.iterdir()) == [path]
    pinned.pin()
    assert (await pinned.get("one"), await pinned.get("two")) == (b"1", b"2")
    pinned.close()
    store.close()


async def test_new_segments_are_what_a_horde_reads(tmp_path):
    writer = SegmentWriter(tmp_path / "new")
    writer.add("one", b"1" * 10, 5)
    writer.add("two", b"2" * 20, 6)
    writer.close()
    store = SegmentPictures(tmp_path / "new", HandClock().now)
    assert (await store.get("one"), await store.get("two")) == (b"1" * 10, b"2" * 20)
    assert [each async for each in store.older_than(6)] == [("one", 5)]
    store.close()


async def test_whatever_happens_beside_the_copy_the_pictures_its_books_name_are_in_it(
    settings, tmp_path
):
    """Settled between the two looks, ended right after the moment, settled after it."""
    clock, file = HandClock(), tmp_path / "books.sqlite3"

    async def act(api, horde):
        early = await draw(api, "early")
        shelf = await shelf_of(settings)
        shelf.pin()
        await draw(api, "between")
        await copy(settings, file)
        (job,) = await horde.read(lambda tx: jobs.of_request(tx, early))
        clock.forward(ms=max(SEGMENT_AGE_MS_MAX, settings.request_lifetime_s * 1000) + 1)
        await end.expire(horde, early)
        await draw(api, "late")
        await horde.pictures.tidy()
        shelf.pin()
        with books.opened(file) as tx:
            found = await copying.copy_named(tx, shelf, tmp_path / "copied")
            named = list(promised(tx))
        shelf.close()
        return end.picture_name(job), named, found, await still_promised(settings, found.missing)

    ended, named, found, missing = await with_calls(settings, clock, act)
    assert len(named) == 2
    assert missing == []
    copied = PinnedSegments(tmp_path / "copied")
    copied.pin()
    there = {name: await copied.get(name) for name in named}
    if settings.is_postgres:  # a shared folder: what ended meanwhile is gone there, and is known
        assert found.missing == [ended]
        assert there == {name: None if name == ended else a_picture() for name in named}
    else:
        assert found.missing == []
        assert there == {name: a_picture() for name in named}
    assert len(copied.places) == found.count
    copied.close()


async def copy(settings, file):
    if settings.is_postgres:
        await books.copy_postgres(settings.database, file, Quiet())
    else:
        await books.copy_sqlite(settings.database_path(), file)
    books.at_rest(file)


class Quiet:
    def begin(self, step, table, rows):
        pass

    def advance(self, rows):
        pass


async def test_a_picture_whose_job_is_still_there_is_missing(settings, tmp_path):
    async def act(api, horde):
        await draw(api, "lost")
        (name,) = await horde.read(lambda tx: list(promised(tx)))
        assert await still_promised(settings, [name, "another"]) == [name]

    await with_calls(settings, HandClock(), act)
