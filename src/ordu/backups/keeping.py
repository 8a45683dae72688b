"""The newest backups in a folder are kept, and older ones of the same horde let go.

Only what is known to be a backup of this horde counts and goes: a draft, a backup that cannot be
read and the files of others are left alone.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from ordu.backups import BackupError, drafts, reading
from ordu.backups.manifest import Manifest

NAME = "ordu-%Y%m%dT%H%M%S"


def place_for(to: Path, keep: int | None) -> Path:
    """Where the next backup goes: `to`, or, in a folder of backups, a name with the time (UTC)."""
    if keep is None:
        return to
    to.mkdir(mode=0o700, exist_ok=True)
    now = time.time()
    return to / f"{time.strftime(NAME, time.gmtime(now))}.{round(now % 1 * 1000) % 1000:03}Z"


def let_go(folder: Path, horde: str, keep: int) -> Sequence[Path]:
    """Remove all but the newest backups of this horde; returns which."""
    found = sorted(of_horde(folder, horde), key=lambda each: each[1].made_at, reverse=True)
    old = [path for path, _ in found[keep:]]
    for path in old:
        drafts.remove(path)
    return old


def of_horde(folder: Path, horde: str) -> list[tuple[Path, Manifest]]:
    """The backups of a horde in a folder."""
    found = []
    for path in folder.iterdir():
        if not path.name.startswith("ordu-"):
            continue
        try:
            with reading.opened(path) as backup:
                manifest = backup.manifest()
        except (BackupError, OSError):
            continue
        if manifest.horde == horde:
            found.append((path, manifest))
    return found
