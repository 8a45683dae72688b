"""Where a worker's files lie on its own machine, and how they are written.

What a running worker says of itself is in the user's runtime folder, which ends with the machine;
a pause is in the user's state folder, which outlives it. A worker's files begin with its *key*,
made from machine, name and horde, because many machines may share one home folder.
"""

import hashlib
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

FOLDER = "ordu"


def run_folders(environ: Mapping[str, str]) -> list[Path]:
    """Where running workers may be found; a new one uses the first."""
    return [each for each in (_runtime_folder(environ), state_folder(environ)) if each]


def state_folder(environ: Mapping[str, str]) -> Path | None:
    """Where a pause is kept; None for a user without a home."""
    named = environ.get("XDG_STATE_HOME", "")
    if named and Path(named).is_absolute():
        return Path(named) / FOLDER
    home = environ.get("HOME", "")
    return Path(home) / ".local" / "state" / FOLDER if home else None


def key_of(name: str, url: str) -> str:
    """What the files of the worker of this name for this horde begin with, on this machine."""
    whole = "\0".join((this_machine(), name, url.rstrip("/")))
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:40] or "worker"
    return f"{readable}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def this_machine() -> str:
    """The name of this machine."""
    return platform.node()


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into, if it is not there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file at once, so that nobody reads half of it; nobody else may read it at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _runtime_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder of systemd and its like, if it is there and ours; after `su` it is another's."""
    named = environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(named)
    try:
        is_ours = bool(named) and folder.is_absolute() and folder.stat().st_uid == os.getuid()
    except OSError:
        return None
    return folder / FOLDER if is_ours else None
