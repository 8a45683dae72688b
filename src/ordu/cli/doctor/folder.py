"""Looks at what lies on this machine: folders, files and who may read them, disk, limits."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from ordu.cli.doctor.finding import Grade, better, fine, note, wrong
from ordu.settings import Reading, ServerSettings, Source, describe
from ordu.settings.setting import without_password

GIB = 2**30
FREE_BYTES_MIN = GIB // 2
FREE_SHARE_MIN = 0.1
FILES_MIN = 4096  # connections and files that a server may have open
Told = Iterator[tuple[Grade, str, str]]


def settings_file(reading: Reading[ServerSettings]) -> Told:
    """Whether others may read a settings file with secrets in it."""
    values = reading.values
    telling = [
        each.name
        for each in describe(ServerSettings)
        if (each.is_secret and getattr(values, each.name))
        or (each.name.startswith("database") and has_password(str(getattr(values, each.name))))
    ]
    origins = [reading.origins[name] for name in telling]
    paths = {each.words.rpartition(" [")[0] for each in origins if each.source is Source.FILE}
    for path in sorted(map(Path, paths)):
        if others_may_read(path):
            yield wrong(
                f"{path} has secrets in it, and everybody on this machine may read it.",
                f"chmod 600 {path}",
            )
            return
    yield fine("No secret stands where others may read it.")


def has_password(url: str) -> bool:
    """Whether the address of a database has a password in it."""
    return without_password(url) != url


def data(settings: ServerSettings) -> Told:
    """The folder with everything the horde keeps."""
    path = Path(settings.data)
    if not path.exists():
        if settings.is_postgres:
            yield note(f"{path} does not exist.", "The first `ordu serve` here makes it.")
        else:
            yield wrong(
                f"{path} does not exist: there is no horde here.",
                "Say where it is with --data, or make one with `ordu serve`.",
            )
        return
    if not path.is_dir():
        yield wrong(f"{path} is no folder.", "Move that file away, or name another with --data.")
        return
    if (path / ".restoring").exists():
        yield wrong(
            f"A backup is being brought back into {path}, or was and did not get to its end.",
            "Wait for that, or empty the folder and run `ordu restore` again.",
        )
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield wrong(
            f"This user may not read and write {path}.",
            f"Run the doctor as the server's user, or: chown -R USER {path}",
        )
        return
    open_to = [each for each in (path, *sensitive(path)) if others_may_read(each)]
    if others_may_read(path) and open_to[1:]:
        names = ", ".join(each.name for each in open_to[1:])
        yield wrong(
            f"Everybody on this machine may read {names} in {path}.", f"chmod -R go-rwx {path}"
        )
    elif others_may_read(path):
        yield better(f"Everybody on this machine may look into {path}.", f"chmod 700 {path}")
    else:
        yield fine(f"{path} is for its owner alone.")


def sensitive(path: Path) -> Iterator[Path]:
    """The files in a data folder that only the server is to read."""
    for name in ("secret", "horde.sqlite3", "horde.sqlite3-wal", "ordu.toml"):
        if (path / name).is_file():
            yield path / name


def others_may_read(path: Path) -> bool:
    """Whether anybody but owner and group may."""
    return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH))


def disk(settings: ServerSettings) -> Told:
    """How much room there is."""
    places = [Path(settings.data)]
    if settings.pictures_url().startswith("file:"):
        places.append(Path(settings.pictures_url().removeprefix("file://")))
    seen: set[int] = set()
    for path in places:
        there = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(there)
        words = f"{usage.free / GIB:.1f} of {usage.total / GIB:.1f} GiB are free at {there}."
        mend = "Make room: old backups, a shorter request_lifetime_s, pictures on S3."
        if usage.free < FREE_BYTES_MIN:
            yield wrong(words, mend)
        elif usage.free < FREE_SHARE_MIN * usage.total:
            yield better(words, mend)
        else:
            yield fine(words)
        files = os.statvfs(there)
        if files.f_files and files.f_favail < files.f_files * 0.05:
            yield wrong(f"The disk at {there} has hardly a file left to give.", mend)


def limits() -> Told:
    """How many connections a process may have."""
    most = os.sysconf("SC_OPEN_MAX")
    if 0 < most < FILES_MIN:
        yield better(
            f"A process may have {most} files and connections open here.",
            f"For many callers: LimitNOFILE={4 * FILES_MIN} in the service, or ulimit -n.",
        )
    else:
        yield fine(f"A process may have {most:,} files and connections open.")
