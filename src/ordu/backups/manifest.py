"""What a backup says of itself, and the checksums of its files."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from ordu.backups import BackupError

FORMAT = 1  # of the files and of the manifest; a newer one is refused
MANIFEST, SUMS, BOOKS, PICTURES = "manifest.json", "SHA256SUMS", "horde.sqlite3", "pictures"
SECRET, WORKER_KEY = "secret", "worker-key"
MODELS = "models.toml"
TEXTS = ("terms.md", "privacy.md", "sponsors.md")

PIECE_BYTES = 2**20
TEXT_BYTES_MAX = 16 * 2**20  # of the manifest and of the checksums
PICTURE_FILE = re.compile(r"pictures/[0-9]{1,12}\.segment", re.ASCII)
PLAIN = frozenset({MANIFEST, BOOKS, SECRET, WORKER_KEY, MODELS, *TEXTS})
SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S+)", re.ASCII)


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures in a backup."""

    count: int
    bytes: int
    ended: int = 0  # named by the books, but their requests ended while it was made
    missing: int = 0  # named by the books, and nowhere


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is."""

    format: int
    ordu: str  # the version that made it
    schema: str
    horde: str  # which horde; the same for all its backups
    made_at: int  # everything acknowledged before is in it; ms since 1970
    took_ms: int
    database: str  # sqlite or postgresql: where the books were
    rows: Mapping[str, int]  # by table
    has_secret: bool
    pictures: Pictures | None  # None: they are not in it
    pictures_at: str = ""  # where they stayed
    files: Mapping[str, int]  # bytes by name


def is_name(name: str) -> bool:
    """Whether a backup may have a file of this name; nothing else of it is ever written."""
    return name in PLAIN or PICTURE_FILE.fullmatch(name) is not None


def read_manifest(content: bytes, name: str) -> Manifest:
    """What a backup is, of its manifest's bytes.

    Raises:
        BackupError: they are none, or of a newer format.
    """
    try:
        head = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        number = msgspec.json.decode(head["format"], type=int)
        if number > FORMAT:
            raise BackupError(
                f"{name} has format {number}, made by a newer Ordu than this one (format {FORMAT})."
                " Use that version."
            )
        manifest = msgspec.json.decode(content, type=Manifest)
        manifest.files[BOOKS]
    except (msgspec.MsgspecError, KeyError) as error:
        raise BackupError(f"{name}: its {MANIFEST} cannot be read: {error}.") from error
    return manifest


def sums_of(content: bytes, name: str) -> dict[str, str]:
    """The checksums by name, of the bytes of `SHA256SUMS`.

    Raises:
        BackupError: they are none.
    """
    sums: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        found = SUM_LINE.fullmatch(line)
        if found is None or not is_name(found[2]):
            raise BackupError(f"{name}: its {SUMS} is damaged.")
        sums[found[2]] = found[1]
    if not {MANIFEST, BOOKS} <= sums.keys():
        raise BackupError(f"{name}: its {SUMS} is damaged.")
    return sums


def sum_of(file: BinaryIO) -> str:
    """The checksum of a file that is open."""
    digest = hashlib.sha256()
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def sum_of_path(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return sum_of(file)
