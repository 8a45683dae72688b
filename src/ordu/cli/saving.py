"""Where pictures are saved: from a pattern to file names that are free and end as they should."""

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ordu.client import Picture

FIELDS = ("prompt", "seed", "number", "id")
DEFAULT_NAME = "{prompt}-{seed}"
SUFFIXES = frozenset({".webp", ".png", ".jpg", ".jpeg"})
SLUG_CHARACTERS_MAX = 50


@dataclass(frozen=True, slots=True)
class Pattern:
    """Where to save: a folder, and a name that may have fields in braces."""

    folder: Path
    name: str
    is_given: bool  # a name somebody gave is written again, one of ours is not

    @classmethod
    def read(cls, text: str | None) -> "Pattern":
        """What `--out` says: nothing, a folder (there, or ending in a slash), or a file.

        Raises:
            ValueError: it names a field that there is not.
        """
        strange = [field for field in re.findall(r"\{(\w*)\}", text or "") if field not in FIELDS]
        if strange:
            known = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise ValueError(f"there is no {{{strange[0]}}}; there are {known}")
        if not text:
            return cls(Path(), DEFAULT_NAME, is_given=False)
        path = Path(text)
        if text.endswith("/") or path.is_dir():
            return cls(path, DEFAULT_NAME, is_given=False)
        if path.suffix.lower() in SUFFIXES:
            path = path.with_suffix("")
        return cls(path.parent, path.name, is_given=True)

    def prepare(self) -> None:
        """Make the folder now: a picture is not asked for that cannot be saved."""
        if "{" not in str(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def save(self, pictures: list[Picture], prompt: str) -> list[Path]:
        """Write the pictures; returns where each lies."""
        saved: list[Path] = []
        for number, picture in enumerate(pictures, 1):
            wanted = path = self._path(picture, prompt, number)
            others = count(2)
            while path in saved or (not self.is_given and path.exists()):
                path = wanted.with_stem(f"{wanted.stem}-{next(others)}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture.data)
            saved.append(path)
        return saved

    def _path(self, picture: Picture, prompt: str, number: int) -> Path:
        values = {
            "prompt": slug(prompt),
            "seed": slug(picture.seed) or "0",
            "number": str(number),
            "id": slug(picture.id) or "picture",
        }
        filled = str(self.folder / self.name)
        for field, value in values.items():
            filled = filled.replace(f"{{{field}}}", value)
        return Path(filled + picture.suffix)


def slug(text: str) -> str:
    """The text as a part of a file name: `island-map-red-and-blue`."""
    words = "-".join(re.findall(r"[^\W_]+", text.casefold()))
    return words[:SLUG_CHARACTERS_MAX].strip("-")
