"""Static files: served under names that carry a hash of their content.

A changed file has a new name, so browsers may keep each for a year and never ask again. A
stylesheet names its fonts, and a script the scripts it imports, by their place in the folder; each
is served with their served names in their stead. The words that scripts say are scripts too, made
from the files of `ordu.web.language`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from posixpath import dirname, join, normpath

from ordu.web import language
from ordu.web.document import Document

PREFIX = "/static/"
HASH_LENGTH = 12
MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}
# How a file names others, which lie beside or below it.
NAMED_BY: Mapping[str, re.Pattern[str]] = {
    "css": re.compile(r'(?<=url\(")([^"]+)(?="\))'),
    "js": re.compile(
        r'(?<=from ")(\.[^"]+\.js)(?=")|(?<=^import ")(\.[^"]+\.js)(?=")'
        r'|(?<=import\(")(\.[^"]+\.js)(?="\))'
        r'|(?<=new URL\(")(\.[^"]+\.js)(?=", import\.meta\.url\))',
        re.MULTILINE,
    ),
}
# Before the name of a script that is only asked for when it is needed, or run beside the page.
LATER = ("import(", "new URL(")


@cache
def by_served_name() -> Mapping[str, Document]:
    """Every file, by the name it is served under."""
    return {served_name(name, document): document for name, document in by_own_name().items()}


@cache
def by_own_name() -> Mapping[str, Document]:
    """Every file, by its path in the folder."""
    raw = dict(read_all())
    found: dict[str, Document] = {}
    for name in sorted(raw):
        finish(name, raw, found)
    return found


def finish(name: str, raw: Mapping[str, bytes], found: dict[str, Document]) -> Document:
    """A file as it is served, after those that it names.

    Raises:
        KeyError: it names a file that is not there.
        RecursionError: scripts import each other in a circle.
    """
    if name not in found:
        content, ending = raw[name], ending_of(name)

        def rename(match: re.Match[str]) -> str:
            other = beside(name, match.group())
            place = "./" if ending == "js" else ""
            return place + served_name(other, finish(other, raw, found))

        if ending in NAMED_BY:
            content = NAMED_BY[ending].sub(rename, content.decode()).encode()
        found[name] = Document(content, MEDIA_TYPES[ending])
    return found[name]


def ending_of(name: str) -> str:
    """What stands behind the last point of a name."""
    return name.rpartition(".")[2]


def beside(name: str, other: str) -> str:
    """The path in the folder of a file that another one names."""
    return normpath(join(dirname(name), other))


def path_of(name: str) -> str:
    """The path of a file, below the site's root."""
    return PREFIX + served_name(name, by_own_name()[name])


@cache
def imports_of(name: str) -> tuple[str, ...]:
    """The scripts that a script needs, and those they need: so that all are asked for at once.

    Not those which it asks for later.
    """
    text = dict(read_all())[name].decode()
    found: dict[str, None] = {}
    for match in NAMED_BY["js"].finditer(text):
        if text[: match.start() - 1].endswith(LATER):
            continue
        other = beside(name, match.group())
        found |= dict.fromkeys((other, *imports_of(other)))
    return tuple(found)


def served_name(name: str, document: Document) -> str:
    """The file's name with the hash of its content before the ending, without folders."""
    stem, _, ending = name.rpartition("/")[2].rpartition(".")
    digest = hashlib.sha256(document.content).hexdigest()[:HASH_LENGTH]
    return f"{stem}.{digest}.{ending}"


def read_all() -> Iterator[tuple[str, bytes]]:
    """Path and content of every file in the folder, and of the words of scripts."""
    yield from read_folder(files("ordu.web") / "static", "")
    for each in language.Language:
        for page in language.pages():
            yield f"words/{page}.{each}.js", language.script(each, page)


def read_folder(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file in one folder and those in it."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from read_folder(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
