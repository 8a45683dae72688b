"""A shared folder: what lies where, and what a process leaves that dies in the middle."""

import errno
import os
import stat

import pytest
from tests.builders import HandClock

from ordu.images import folder as folder_module
from ordu.images.folder import DRAFT_AGE_MS_MAX
from ordu.images.store import open_store
from ordu.protocol.errors import Refused

pytestmark = pytest.mark.anyio

NAME = "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a3f.webp"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pictures"


@pytest.fixture
def store(folder, clock):
    return open_store(folder.as_uri(), clock.now, is_shared=True)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "sub_folder"),
    [
        pytest.param(NAME, "3f", id="a picture"),
        pytest.param(NAME.replace(".webp", "_src"), "3f", id="its source beside it"),
        pytest.param("a", "a", id="a short name"),
        pytest.param("a..webp", "a", id="dots"),
    ],
)
async def test_pictures_are_spread_by_how_their_name_ends(store, folder, name, sub_folder):
    await store.put(name, b"x")
    assert files(folder) == [f"{sub_folder}/{name}"]


async def test_everything_is_for_its_owner_only(store, folder):
    await store.put(NAME, b"x")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "3f")]
    assert modes == [0o700, 0o700]
    assert stat.S_IMODE((folder / "3f" / NAME).stat().st_mode) == 0o600


async def test_a_put_is_on_the_disk_before_it_has_its_name(store, folder, monkeypatch):
    steps = []
    flush, move = os.fsync, os.replace

    def flushed(descriptor):
        steps.append("flush a folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "flush")
        flush(descriptor)

    def moved(source, target):
        steps.append("move")
        move(source, target)

    await store.put("other-3f", b"so that the folder is there")
    monkeypatch.setattr(folder_module.os, "fsync", flushed)
    monkeypatch.setattr("pathlib.os.replace", moved)
    await store.put(NAME, b"x", is_durable=False)
    assert steps == ["flush", "move", "flush a folder"]


async def test_what_is_not_moved_yet_is_not_there_and_is_swept_when_it_is_old(
    store, folder, clock, monkeypatch
):
    class KilledError(BaseException):
        """As good as SIGKILL: nothing of ours runs after it."""

    def killed(*_):
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr("pathlib.Path.replace", killed)
        dying.setattr("pathlib.Path.unlink", lambda *_, **__: None)
        with pytest.raises(KilledError):
            await store.put(NAME, b"half")
    assert len(files(folder)) == 1
    assert await store.get(NAME) is None
    assert [each async for each in store.older_than(clock.now() + 1)] == []
    clock.forward(ms=DRAFT_AGE_MS_MAX)
    await store.tidy()
    assert len(files(folder)) == 1, "somebody may be writing it"
    clock.forward(ms=1)
    await store.tidy()
    assert files(folder) == []


async def test_a_full_disk_leaves_nothing_behind(store, folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    await store.put(NAME, b"before")
    with monkeypatch.context() as disk:
        disk.setattr(folder_module.os, "fsync", full)
        with pytest.raises(Refused) as caught:
            await store.put(NAME, b"after")
    assert caught.value.status == 503
    assert files(folder) == [f"3f/{NAME}"]
    assert await store.get(NAME) == b"before"


async def test_a_sweep_leaves_what_others_put_there(store, folder, clock):
    await store.put(NAME, b"x")
    (folder / "00000001.segment").write_text("of a time when one process was enough")
    (folder / "lost+found").mkdir()
    (folder / "3f" / "not ours").write_text("x")
    (folder / "3f" / "folder").mkdir()
    clock.forward(s=10**7)
    await store.tidy()
    assert [name async for name, _ in store.older_than(2**45)] == [NAME]
    assert "3f/not ours" in files(folder)
