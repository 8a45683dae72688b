"""Running workers as other processes of their owner see them: one record and one lock for each.

The record says who works and how it goes. The lock is held by the process itself, so the system
lets go of it however the process ends: a record whose lock nobody holds is of a worker that is
gone, and the same worker cannot be started twice.
"""

import fcntl
import logging
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from ordu.settings import WorkerSettings
from ordu.settings.setting import without_password
from ordu.worker import events
from ordu.worker.jobs import name_of
from ordu.worker.terms.pause import PauseFile
from ordu.worker.terms.places import (
    key_of,
    make_folder,
    replace_file,
    run_folders,
    state_folder,
    this_machine,
)

PAUSE = signal.SIGUSR1
RESUME = signal.SIGUSR2
RECORDS_MAX = 1000
LOCK_TRIES = 100  # who looks for running workers shares their locks for an instant
LOCK_PAUSE_S = 0.02

log = logging.getLogger(__name__)


class AlreadyRunning(Exception):  # noqa: N818 - says what is, as the other refusals do
    """The same worker is at work on this machine."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a running worker says of itself."""

    pid: int
    machine: str
    name: str
    url: str
    backend: str
    since: float  # seconds since 1970
    is_stopping: bool = False
    waits: str = ""  # why it asks for no jobs now
    jobs: int = 0  # in hand
    pictures: int = 0  # delivered
    kudos: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """A running worker that was found, and where its pause is kept."""

    record: Record
    pause: PauseFile | None


class RunningWorker:
    """Tells the owner's other processes of this worker for as long as it is entered.

    Where there is no folder to tell it in, the worker works all the same and nobody finds it.

    Raises:
        AlreadyRunning: on entering.
    """

    def __init__(self, settings: WorkerSettings, environ: Mapping[str, str] = os.environ) -> None:
        self._key = key_of(name_of(settings), settings.url)
        self._folders = run_folders(environ)
        self._path: Path | None = None
        self._lock: int | None = None
        self._jobs: set[str] = set()
        self._before: dict[signal.Signals, object] = {}
        self._record = Record(
            pid=os.getpid(),
            machine=this_machine(),
            name=name_of(settings),
            url=without_password(settings.url),
            backend=settings.backend,
            since=time.time(),
        )
        self.pause = pause_file_of(settings, environ)

    def __enter__(self) -> Self:
        try:
            self._take_place()
        except OSError as error:
            log.warning("Commands such as `ordu worker pause` cannot find this worker: %s", error)
        # Until the loop listens they would end the process; it looks for a pause when it begins.
        self._before = {each: signal.signal(each, signal.SIG_IGN) for each in (PAUSE, RESUME)}
        self._write()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._path is not None:
            with suppress(OSError):  # without the lock it counts for nothing
                self._path.unlink(missing_ok=True)
                _lock_of(self._path).unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # what signal() gave us

    def tell(self, event: events.Event) -> None:
        """Note what has happened to the worker."""
        record = self._record
        match event:
            case events.Took():
                self._jobs.add(event.job_id)
            case events.Delivered():
                self._jobs.discard(event.job_id)
                kudos = round(record.kudos + (event.reward or 0.0), 2)
                record = msgspec.structs.replace(record, pictures=record.pictures + 1, kudos=kudos)
            case events.Failed() | events.Dropped():
                self._jobs.discard(event.job_id)
            case events.Paused() | events.Lost():
                record = msgspec.structs.replace(record, waits=event.reason)
            case events.Back():
                record = msgspec.structs.replace(record, waits="")
        self._change(msgspec.structs.replace(record, jobs=len(self._jobs)))

    def stopping(self) -> None:
        """Note that it was asked to stop."""
        self._change(msgspec.structs.replace(self._record, is_stopping=True))

    def _change(self, record: Record) -> None:
        if record != self._record:
            self._record = record
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        try:
            replace_file(self._path, msgspec.json.encode(self._record))
        except OSError as error:
            log.warning("What this worker does cannot be noted any more: %s", error)
            self._path = None

    def _take_place(self) -> None:
        for folder in self._folders:
            path = folder / f"{self._key}.json"
            if is_locked(_lock_of(path)):
                raise self._refusal(path)
        if not self._folders:
            raise FileNotFoundError("neither XDG_RUNTIME_DIR nor HOME is set")
        make_folder(self._folders[0])
        path = self._folders[0] / f"{self._key}.json"
        self._lock = _take_lock(_lock_of(path))
        if self._lock is None:
            raise self._refusal(path)
        self._path = path

    def _refusal(self, path: Path) -> AlreadyRunning:
        other = _read(path)
        process = f" (process {other.pid})" if other else ""
        return AlreadyRunning(
            f"A worker named {self._record.name} works for {self._record.url} on this machine"
            f" already{process}; give this one another --name, or stop that one:"
            " ordu worker stop"
        )


def running_workers(environ: Mapping[str, str]) -> list[Found]:
    """All workers of this user that run on this machine, the oldest first."""
    found: dict[str, Found] = {}
    for folder in run_folders(environ):
        for path in sorted(folder.glob("*.json"))[:RECORDS_MAX]:
            record = _read(path)
            # Another machine's locks cannot be seen in a home folder that they share.
            if record and record.machine == this_machine() and is_locked(_lock_of(path)):
                found.setdefault(path.stem, Found(record, _pause_of(path.stem, environ)))
    return sorted(found.values(), key=lambda each: each.record.since)


def pause_file_of(settings: WorkerSettings, environ: Mapping[str, str]) -> PauseFile | None:
    """Where the pause of the worker with these settings is kept; None: there is no such place."""
    return _pause_of(key_of(name_of(settings), settings.url), environ)


def is_locked(lock: Path) -> bool:
    """Whether a worker holds this lock; those who only look share it."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _take_lock(path: Path) -> int | None:
    """An open file that holds the lock until it is closed; None when another worker holds it."""
    for _ in range(LOCK_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            if is_locked(path):
                return None
            time.sleep(LOCK_PAUSE_S)
            continue
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)  # of a worker that ended just now, and took its file with it
    return None


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


def _pause_of(key: str, environ: Mapping[str, str]) -> PauseFile | None:
    folder = state_folder(environ)
    return PauseFile(folder / f"{key}.pause") if folder else None


def _read(path: Path) -> Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
