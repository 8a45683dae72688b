"""A segment: a file to which pictures are appended, one after the other, and read from.

A file for each picture costs a flush for the file and one for its folder, and some 200 µs of the
system's time; appended to a segment, pictures that come together share one flush and cost 20
(docs/adr/0020). A segment is a row of *records*: a header, the picture's name, its bytes. That a
picture was deleted is a record too. Space is taken in larger pieces, so that a flush need not write
down the length of the file each time; what follows the last record is zero.

Nothing is changed in place but what no reader knows yet. After a crash a record may be there in
part; only those at the end can be, so the checksums of these are looked at.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

SUFFIX = ".segment"
PIECE_BYTES = 4 * 2**20  # by so much a file grows
DOUBTED_BYTES = 32 * 2**20  # at the end of a file: what may not have been flushed before a crash

_MAGIC = b"ORDP"
_KEPT, _DELETED = 1, 2
# Magic, kind, length of the name, length of the picture, when it was written (ms), checksum.
_HEADER = struct.Struct("<4sHHIQI")


class Record(NamedTuple):
    """What a segment says of a name: where its bytes are, or that it was deleted."""

    name: str
    written_ms: int
    offset: int
    length: int
    is_deleted: bool
    end: int  # where the next record begins


class Segment:
    """One file, open for appending and reading."""

    def __init__(self, path: Path, began_ms: int, *, flags: int) -> None:
        self.path = path
        self.began_ms = began_ms
        self.descriptor = os.open(path, flags, 0o600)
        self.taken = os.fstat(self.descriptor).st_size  # how much space it has
        self.end = 0  # where the next record goes
        self.live = 0  # how many of its pictures are still wanted
        self.live_bytes = 0
        self.writers = 0  # how many write to it in another thread
        self.has_deletions = False

    @classmethod
    def created(cls, path: Path, now_ms: int) -> "Segment":
        """A new file; raises FileExistsError when there is one."""
        return cls(path, now_ms, flags=os.O_RDWR | os.O_CREAT | os.O_EXCL)

    @classmethod
    def opened(cls, path: Path) -> "Segment":
        """A file of an earlier life, which is as old as can be."""
        return cls(path, 0, flags=os.O_RDWR)

    @classmethod
    def viewed(cls, path: Path) -> "Segment":
        """A file that belongs to another process, only to be read."""
        return cls(path, 0, flags=os.O_RDONLY)

    def append(self, name: str, data: bytes, now_ms: int) -> Record:
        """Put a picture behind the last."""
        return self._begin(_KEPT, name, data, now_ms, with_data=True)

    def reserve(self, name: str, data: bytes, now_ms: int) -> Record:
        """Keep the space for a picture whose bytes are written by `fill`, in another thread."""
        return self._begin(_KEPT, name, data, now_ms, with_data=False)

    def fill(self, record: Record, data: bytes) -> None:
        """Write the bytes of a picture into the space that was reserved for it."""
        _write_at(self.descriptor, (data,), record.offset)

    def note_deletion(self, name: str, now_ms: int) -> None:
        """Write down that a picture is gone."""
        self._begin(_DELETED, name, b"", now_ms, with_data=False)
        self.has_deletions = True

    def _begin(self, kind: int, name: str, data: bytes, now_ms: int, *, with_data: bool) -> Record:
        raw_name = name.encode()
        checksum = zlib.crc32(data, zlib.crc32(raw_name))
        head = _HEADER.pack(_MAGIC, kind, len(raw_name), len(data), now_ms, checksum) + raw_name
        begin, offset = self.end, self.end + len(head)
        end = offset + len(data)
        self._take(end)
        _write_at(self.descriptor, (head, data) if with_data else (head,), begin)
        self.end = end
        return Record(name, now_ms, offset, len(data), kind == _DELETED, end)

    def _take(self, end: int) -> None:
        """Take space up to here, in whole pieces; raises OSError on a full disk."""
        if end > self.taken:
            pieces = -(-(end - self.taken) // PIECE_BYTES)
            _allocate(self.descriptor, self.taken, pieces * PIECE_BYTES)
            self.taken += pieces * PIECE_BYTES

    def read(self, offset: int, length: int) -> bytes:
        """Some of the bytes."""
        return os.pread(self.descriptor, length, offset)

    def read_whole(self, record: Record) -> bytes | None:
        """The bytes of a picture; None where they are not those that were put."""
        return self.read(record.offset, record.length) if self._is_whole(record) else None

    def flush(self) -> None:
        """Wait until what was written is on the disk."""
        _flush(self.descriptor)

    def seal(self) -> None:
        """Nothing more will be appended: give back the space that was not used."""
        if self.taken > self.end:
            os.ftruncate(self.descriptor, self.end)
            self.taken = self.end

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

    def records(self, *, is_doubted: bool) -> Iterator[Record]:
        """All records there are, in order; afterwards new ones would go behind the last.

        Of a segment that may have been written to when the power went, a record at the end of
        which only a part is there is passed over.
        """
        self.taken = os.fstat(self.descriptor).st_size  # another process may have gone on
        while (record := self._record_at(self.end)) is not None:
            self.end = record.end
            self.has_deletions |= record.is_deleted
            is_sure = not is_doubted or self.taken - record.end > DOUBTED_BYTES
            if is_sure or self._is_whole(record):
                yield record

    def _record_at(self, begin: int) -> Record | None:
        head = self.read(begin, _HEADER.size + 255)
        if len(head) < _HEADER.size:
            return None
        magic, kind, name_length, length, written_ms, _ = _HEADER.unpack_from(head)
        offset = begin + _HEADER.size + name_length
        if magic != _MAGIC or offset + length > self.taken:
            return None
        name = head[_HEADER.size : _HEADER.size + name_length].decode("ascii", "replace")
        return Record(name, written_ms, offset, length, kind == _DELETED, offset + length)

    def _is_whole(self, record: Record) -> bool:
        raw_name = record.name.encode()
        begin = record.offset - len(raw_name) - _HEADER.size
        *_, checksum = _HEADER.unpack(self.read(begin, _HEADER.size))
        data = self.read(record.offset, record.length)
        return bool(zlib.crc32(data, zlib.crc32(raw_name)) == checksum)


def segments_in(folder: Path) -> Iterator[Path]:
    """The files of a folder that are segments, oldest first."""
    return iter(sorted(path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdigit()))


def _allocate(descriptor: int, offset: int, length: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, offset, length)
    else:  # macOS has none
        os.ftruncate(descriptor, offset + length)


def _flush(descriptor: int) -> None:
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:  # macOS has none
        os.fsync(descriptor)


def _write_at(descriptor: int, parts: Sequence[bytes], offset: int) -> None:
    length = sum(map(len, parts))
    written = os.pwritev(descriptor, parts, offset)
    if written < length:  # a signal, or the disk is nearly full
        view = memoryview(b"".join(parts))
        while written < length:
            written += os.pwrite(descriptor, view[written:], offset + written)
