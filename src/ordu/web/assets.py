"""Static files: served under names that carry a hash of their content.

A changed file has a new name, so browsers may keep each for a year and never ask again. A
stylesheet names its fonts by their place in the folder; it is served with their hashed names in
their stead.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from ordu.web.document import Document

PREFIX = "/static/"
HASH_LENGTH = 12
MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}
URL_IN_CSS = re.compile(r'url\("([^"]+)"\)')


@cache
def by_served_name() -> Mapping[str, Document]:
    """Every file, by the name it is served under."""
    return {served_name(name, document): document for name, document in by_own_name().items()}


@cache
def by_own_name() -> Mapping[str, Document]:
    """Every file, by its path in the folder; stylesheets last, as they name the others."""
    found: dict[str, Document] = {}
    for name, content in sorted(read_all(), key=lambda file: file[0].endswith(".css")):
        media_type = MEDIA_TYPES[name.rpartition(".")[2]]
        found[name] = Document(
            renamed(content, found) if name.endswith(".css") else content, media_type
        )
    return found


def path_of(name: str) -> str:
    """The path of a file, below the site's root."""
    return PREFIX + served_name(name, by_own_name()[name])


def served_name(name: str, document: Document) -> str:
    """The file's name with the hash of its content before the ending, without folders."""
    stem, _, ending = name.rpartition("/")[2].rpartition(".")
    digest = hashlib.sha256(document.content).hexdigest()[:HASH_LENGTH]
    return f"{stem}.{digest}.{ending}"


def renamed(content: bytes, others: Mapping[str, Document]) -> bytes:
    """A stylesheet with the served names of the files it uses, which lie beside it."""

    def rename(match: re.Match[str]) -> str:
        name = match.group(1)
        return f'url("{served_name(name, others[name])}")'

    return URL_IN_CSS.sub(rename, content.decode()).encode()


def read_all() -> Iterator[tuple[str, bytes]]:
    """Path and content of every file in the folder."""
    yield from read_folder(files("ordu.web") / "static", "")


def read_folder(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The same for one folder and those in it."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from read_folder(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
