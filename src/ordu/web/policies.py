"""Terms, privacy and sponsors: what the operators wrote, or what comes with the program.

A text is Markdown in a file of the data folder. It is read at every call, so that a change needs no
start; what it looks like as HTML is remembered. HTML inside a text is shown as it is written and
never becomes part of a page.
"""

import logging
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt

log = logging.getLogger(__name__)

FILE_BYTES_MAX = 256 * 1024
TEXTS_REMEMBERED = 8


def markdown_of(folder: Path, name: str) -> str:
    """The text of this name, as Markdown."""
    path = folder / f"{name}.md"
    # Only a file: a pipe of this name would be waited for.
    if not path.is_file():
        return own_text(name)
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        log.warning("%s is cut after %d bytes; it is longer.", path, FILE_BYTES_MAX)
    return content[:FILE_BYTES_MAX].decode("utf-8-sig", errors="replace")


@lru_cache
def own_text(name: str) -> str:
    """The text that comes with the program."""
    return (files("ordu.web") / "texts" / f"{name}.md").read_text(encoding="utf-8")


@lru_cache(TEXTS_REMEMBERED)
def html_of(markdown: str) -> str:
    """A text as HTML; links lead to pages and addresses of mail only, never to scripts."""
    html: str = MarkdownIt("js-default", {"html": False}).render(markdown)
    return html
