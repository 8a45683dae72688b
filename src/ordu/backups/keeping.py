"""The newest backups in a folder are kept, and older ones of the same horde let go.

Only what is known to be a backup of this horde counts and goes: a draft, a backup that cannot be
read and the files of others are left alone.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ordu.backups import BackupError, drafts, reading
from ordu.backups.manifest import SUMS, Manifest

NAME = "ordu-%Y%m%dT%H%M%S"


def place_for(to: Path, keep: int | None) -> Path:
    """Where the next backup goes: `to`, or, in a folder of backups, a name with the time (UTC)."""
    if keep is None:
        return to
    to.mkdir(mode=0o700, exist_ok=True)
    now = time.time()
    return to / f"{time.strftime(NAME, time.gmtime(now))}.{round(now % 1 * 1000) % 1000:03}Z"


def newest_in(path: Path) -> Path:
    """The newest backup in a folder of backups; `path` itself where it is no such folder.

    Raises:
        BackupError: there are backups of several hordes.
    """
    if not path.is_dir() or (path / SUMS).exists():
        return path
    found = known_in(path)
    if len({manifest.horde for _, manifest in found}) > 1:
        raise BackupError(f"{path} has backups of several hordes. Say which one is meant.")
    return max(found, key=lambda each: each[1].made_at)[0] if found else path


def let_go(folder: Path, horde: str, keep: int) -> Sequence[Path]:
    """Remove all but the newest backups of this horde; returns which."""
    ours = [each for each in known_in(folder) if each[1].horde == horde]
    ours.sort(key=lambda each: each[1].made_at, reverse=True)
    old = [path for path, _ in ours[keep:]]
    for path in old:
        drafts.remove(path)
    return old


def known_in(folder: Path) -> list[tuple[Path, Manifest]]:
    """The backups in a folder that were named by `place_for`, of whichever horde."""
    found = []
    for path in folder.iterdir():
        if not path.name.startswith("ordu-"):
            continue
        with suppress(BackupError, OSError), reading.opened(path) as backup:
            found.append((path, backup.manifest()))
    return found
