"""Texts for people: `/documents/…`."""

import asyncio
from pathlib import Path

from ordu.protocol import operations
from ordu.protocol.documents import HordeDocument
from ordu.protocol.errors import Refused
from ordu.server.call import Call, handles
from ordu.web import policies

FORMATS = ("html", "markdown")


@handles(operations.get_docs_terms)
async def get_docs_terms(call: Call[None]) -> HordeDocument:
    """What holds for those who use this horde."""
    return await read(call, "terms")


@handles(operations.get_docs_privacy)
async def get_docs_privacy(call: Call[None]) -> HordeDocument:
    """What is kept of those who use this horde."""
    return await read(call, "privacy")


@handles(operations.get_docs_sponsors)
async def get_docs_sponsors(call: Call[None]) -> HordeDocument:
    """Who pays for this horde."""
    return await read(call, "sponsors")


async def read(call: Call[None], name: str) -> HordeDocument:
    """A text in the format that was asked for."""
    wanted = call.query.get("format", "html")
    if wanted not in FORMATS:
        raise Refused(
            "BadRequest", f"`format` is one of {', '.join(FORMATS)}; not {wanted[:40]!r}."
        )
    folder = Path(call.horde.settings.data)

    def make() -> HordeDocument:
        markdown = policies.markdown_of(folder, name)
        if wanted == "markdown":
            return HordeDocument(markdown=markdown)
        return HordeDocument(html=policies.html_of(markdown))

    return await asyncio.to_thread(make)
