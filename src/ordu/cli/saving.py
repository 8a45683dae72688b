"""Where pictures are saved: from a pattern to file names that are free and end as they should."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path

from ordu.client import Picture

FIELDS = ("prompt", "seed", "n", "model", "id", "date")
ALSO = {"number": "n"}  # what a field was called before
DEFAULT_NAME = "{prompt}-{seed}"
SUFFIXES = frozenset({".webp", ".png", ".jpg", ".jpeg"})
SLUG_CHARACTERS_MAX = 50
NAME_BYTES_MAX = 200  # file systems take 255; the rest is for an ending and a number
TRIES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """Where to save: a folder, and a name that may have fields in braces."""

    folder: Path
    name: str
    overwrites: bool = False

    @classmethod
    def read(cls, text: str | None) -> "Pattern":
        """What `--out` says: nothing, a folder (there, or ending in a slash), or a file.

        Raises:
            ValueError: it names a field that there is not.
        """
        strange = [
            field
            for field in re.findall(r"\{([^{}]*)\}", text or "")
            if field not in FIELDS and field not in ALSO
        ]
        if strange:
            known = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise ValueError(f"there is no {{{strange[0]}}}; there are {known}")
        if not text:
            return cls(Path(), DEFAULT_NAME)
        path = Path(text)
        if text.endswith("/") or path.is_dir():
            return cls(path, DEFAULT_NAME)
        if path.suffix.lower() in SUFFIXES:
            path = path.with_suffix("")
        return cls(path.parent, path.name)

    def prepare(self) -> None:
        """Make the folder now: a picture is not asked for that cannot be saved."""
        if "{" not in str(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, picture: Picture, prompt: str, number: int) -> Path:
        """What the picture with this number is to be called, if that is free."""
        values = {
            "prompt": slug(prompt),
            "seed": slug(picture.seed) or "0",
            "n": str(number),
            "id": slug(picture.id) or "picture",
            "model": slug(picture.model) or "model",
            "date": date.today().isoformat(),  # noqa: DTZ011 - the day by the clock on the wall
        }
        parts = [_filled(part, values) for part in (self.folder / self.name).parts]
        *folders, name = parts
        return Path(*folders, (_shortened(name) or "picture") + picture.suffix)


class Saver:
    """Writes the files of one call, none of them over another."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._written: set[Path] = set()
        self._number = 0

    def save(self, picture: Picture, prompt: str, data: bytes) -> Path:
        """Write these bytes as the next picture; returns where they lie."""
        self._number += 1
        return self.write(self._pattern.path(picture, prompt, self._number), data)

    def write(self, wanted: Path, data: bytes) -> Path:
        """Write a file of this name, or of one like it that is free.

        Only with `--overwrite` a file is replaced that was there before; one of this call never is.
        """
        wanted.parent.mkdir(parents=True, exist_ok=True)
        for path in _names(wanted):
            if path in self._written:
                continue
            try:
                with path.open("wb" if self._pattern.overwrites else "xb") as file:
                    self._written.add(path)
                    file.write(data)
            except FileExistsError:
                continue
            return path
        raise FileExistsError(17, "there are too many files of this name", str(wanted))


def _names(wanted: Path) -> Iterator[Path]:
    """The name, then the name with numbers."""
    yield wanted
    for number in count(2):
        if number > TRIES_MAX:
            return
        yield wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")


def _filled(part: str, values: dict[str, str]) -> str:
    """A part of a path with its fields; in one pass, so that no value is taken for a field."""
    return re.sub(r"\{([a-z]+)\}", lambda found: values[ALSO.get(found[1], found[1])], part)


def _shortened(name: str) -> str:
    return name.encode()[:NAME_BYTES_MAX].decode(errors="ignore")


def slug(text: str) -> str:
    """The text as a part of a file name: `island-map-red-and-blue`."""
    words = "-".join(re.findall(r"[^\W_]+", text.casefold()))
    return words[:SLUG_CHARACTERS_MAX].strip("-")
