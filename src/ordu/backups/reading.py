"""Reading a backup, from its folder or its tar: a line says which file is not what it was."""

import hashlib
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from ordu.backups import BackupError, PlaceError
from ordu.backups import manifest as about
from ordu.store.migrations import NEWEST

PROBLEMS_MAX = 20  # that are told of one backup


class Files(Protocol):
    """The files of a backup, wherever they are."""

    def size(self, name: str) -> int | None:
        """How many bytes a file has; None when it is not there."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """A file that is there."""
        ...


class Backup:
    """A backup that is read."""

    def __init__(self, path: Path, files: Files) -> None:
        self.path = path
        self.name = str(path)
        self.files = files

    def text(self, name: str) -> bytes:
        """The bytes of a small file.

        Raises:
            BackupError: it is not there, or is not small.
        """
        size = self.files.size(name)
        if size is None:
            raise BackupError(
                f"{self.name} is no whole backup: {name} is missing. It was interrupted, or is"
                " something else."
            )
        if size > about.TEXT_BYTES_MAX:
            raise BackupError(f"{self.name}: its {name} is damaged.")
        with self.files.open(name) as file:
            return file.read()

    def sums(self) -> Mapping[str, str]:
        """The checksum of each file there must be."""
        return about.sums_of(self.text(about.SUMS), self.name)

    def manifest(self) -> about.Manifest:
        """What this is.

        Raises:
            BackupError: it is no backup, is damaged, or was made by a newer Ordu.
        """
        sums, content = self.sums(), self.text(about.MANIFEST)
        if hashlib.sha256(content).hexdigest() != sums[about.MANIFEST]:
            raise BackupError(f"{self.name}: its {about.MANIFEST} is damaged: it was changed.")
        manifest = about.read_manifest(content, self.name)
        if manifest.schema > NEWEST:
            raise BackupError(
                f"{self.name} has schema {manifest.schema}, made by Ordu {manifest.ordu}; this one"
                f" knows schemas up to {NEWEST}. Use that version, or a newer one."
            )
        return manifest

    def extract(self, folder: Path) -> None:
        """Copy every file into a folder, and see that each is what it was.

        Raises:
            BackupError: a line for each that is not.
        """
        manifest, sums = self.manifest(), self.sums()
        problems = []
        for name, wanted in sums.items():
            if problem := self.extract_one(name, wanted, manifest.files.get(name), folder):
                problems.append(f"{self.name}: {problem}")
        if problems:
            more = len(problems) - PROBLEMS_MAX
            last = [f"and {more} more"] if more > 0 else []
            raise BackupError("\n".join([*problems[:PROBLEMS_MAX], *last]))

    def extract_one(self, name: str, wanted: str, length: int | None, folder: Path) -> str | None:
        """Copy a file; what is wrong with it, or None."""
        size = self.files.size(name)
        if size is None:
            return f"{name} is missing."
        if length is not None and size < length:
            return f"{name} is cut short: {size:,} of {length:,} bytes are there."
        target = folder / name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        digest = hashlib.sha256()
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as copy, self.files.open(name) as file:
            while piece := file.read(about.PIECE_BYTES):
                digest.update(piece)
                copy.write(piece)
        return None if digest.hexdigest() == wanted else f"{name} is damaged: it was changed."


class FolderFiles:
    """The files of a backup in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def size(self, name: str) -> int | None:
        """How many bytes a file has; None when it is not there."""
        path = self.folder / name
        return path.stat().st_size if path.is_file() else None

    def open(self, name: str) -> IO[bytes]:
        """A file that is there."""
        return (self.folder / name).open("rb")


class TarFiles:
    """The files of a backup in a tar; only plain files with the names of a backup are looked at."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar
        self.members = {
            each.name: each
            for each in tar.getmembers()
            if each.isreg() and (each.name == about.SUMS or about.is_name(each.name))
        }

    def size(self, name: str) -> int | None:
        """How many bytes a file has; None when it is not there."""
        member = self.members.get(name)
        return None if member is None else member.size

    def open(self, name: str) -> IO[bytes]:
        """A file that is there."""
        file = self.tar.extractfile(self.members[name])
        assert file is not None
        return file


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """A backup, to be read.

    Raises:
        PlaceError: nothing is there.
        BackupError: it is no backup, or a damaged one.
    """
    if path.is_dir():
        yield Backup(path, FolderFiles(path))
        return
    if not path.is_file():
        raise PlaceError(f"{path} does not exist.")
    try:
        with tarfile.open(path, "r:") as tar:
            yield Backup(path, TarFiles(tar))
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{path} is no whole backup: {error}.") from error
