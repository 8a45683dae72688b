"""Taking pictures in: what a worker brings is looked at before its job is settled.

The header of each is read at once: format, size, whether the file is whole. What a stranger sends
is decoded as well, and of what trusted people send as much as there is time for (docs/adr/0035).
Of a picture on S3 the first 64 KB come with taking it; the rest is fetched when it is decoded.
"""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from ordu.engine import end, results
from ordu.engine.horde import Horde
from ordu.images.check import Picture, from_base64
from ordu.images.check import check as check_picture
from ordu.images.headers import BadHeaderError, read_header
from ordu.images.looks import Look, Miniature, is_small_enough, likeness
from ordu.images.pixels import UnreadableError
from ordu.kinds.image import IMAGE
from ordu.protocol.errors import Refused
from ordu.protocol.jobs import PostJobSubmitRequest
from ordu.rules.lifecycle import RequestId
from ordu.rules.results import Seen
from ordu.server.call import Call
from ordu.store import requests
from ordu.store.jobs import Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEAD_BYTES = 64 * 1024  # of an upload are read; they hold the headers of most pictures
UPLOADED = "R2"  # what `generation` says when the picture was put to its upload link
MINIATURES_MAX = 1_000  # sources that are remembered; half a kilobyte each
STAND_INS = frozenset({"censored", "csam"})  # states in which a picture is no drawing

Read = Callable[[], Awaitable[bytes | None]]


@asynccontextmanager
async def taken(call: Call[PostJobSubmitRequest], job: Job, name: str) -> "AsyncIterator[Seen]":
    """A picture that is stored under this name, to be settled within.

    One that is refused, here or within, is deleted and counted.

    Raises:
        Refused: BadPicture, Unavailable.
    """
    horde, body = call.horde, call.body
    try:
        if body.generation == UPLOADED:
            seen = await take_upload(call, job, name)
        else:
            seen = await take_base64(call, job, name)
        yield seen
    except Refused as refused:
        if refused.rc == "BadPicture":
            horde.refused[job.worker_id] += 1
            await horde.pictures.delete([name, end.upload_name(job.id)])
        raise


def is_stand_in(body: PostJobSubmitRequest) -> bool:
    """Whether the worker says that it sends something else than it drew."""
    return body.state in STAND_INS or is_censored(body)


def is_censored(body: PostJobSubmitRequest) -> bool:
    """Whether the worker says that the picture is not to be shown."""
    return any(remark.type == "censorship" for remark in body.gen_metadata)


async def take_base64(call: Call[PostJobSubmitRequest], job: Job, name: str) -> Seen:
    """Store the picture that stands in the body; one that is refused is stored nowhere."""
    horde, bytes_max = call.horde, call.horde.settings.picture_bytes_max
    data = from_base64(call.body.generation, bytes_max=bytes_max)
    picture = check_picture(data, bytes_max=bytes_max, pixels_max=horde.settings.picture_pixels_max)

    async def read() -> bytes:
        return data

    seen = await seen_of(call, job, picture, read)
    await horde.pictures.put(name, data, is_durable=False)  # the commit of its settling flushes it
    return seen


async def take_upload(call: Call[PostJobSubmitRequest], job: Job, name: str) -> Seen:
    """Take the picture that was put to its upload link."""
    horde, settings = call.horde, call.horde.settings
    upload = await horde.pictures.take_upload(end.upload_name(job.id), name, HEAD_BYTES)
    if upload is None:
        raise Refused(
            "BadPicture",
            "The picture of this job was never uploaded. PUT it to the job's `r2_upload` link "
            "first, or send it in Base64.",
        )
    picture = check_picture(
        upload.head,
        bytes_max=settings.picture_bytes_max,
        pixels_max=settings.picture_pixels_max,
        size_bytes=upload.size_bytes,
    )

    async def read() -> bytes | None:
        is_whole = len(upload.head) >= upload.size_bytes
        return upload.head if is_whole else await horde.pictures.get(name)

    return await seen_of(call, job, picture, read)


async def seen_of(call: Call[PostJobSubmitRequest], job: Job, picture: Picture, read: Read) -> Seen:
    """What is to be seen of a picture; only its size, when it is not looked at.

    Raises:
        Refused: BadPicture, it cannot be decoded; Unavailable.
    """
    horde = call.horde
    seen = Seen(width=picture.width, height=picture.height, is_stand_in=is_stand_in(call.body))
    is_due = horde.looker.has_time() if call.user.is_trusted else True
    look = await looked_at(horde, read) if is_due and is_small_enough(picture.pixels) else None
    if look is None:
        return seen
    seen = msgspec.structs.replace(seen, uneven=look.uneven)
    if seen.is_stand_in:
        return seen
    return msgspec.structs.replace(
        seen,
        like_source=await like_source(horde, job.request_id, look.miniature),
        like_earlier=results.like_earlier(horde, job, look.miniature),
    )


async def looked_at(horde: Horde, read: Read) -> Look | None:
    """A look at a picture that was checked by its header."""
    try:
        return await horde.looker.look(read)
    except UnreadableError as error:
        raise Refused(
            "BadPicture",
            "The picture is damaged: its file begins as it should and cannot be decoded. Send it "
            "whole, as your program wrote it.",
        ) from error


# Its source


async def like_source(horde: Horde, request_id: RequestId, miniature: Miniature) -> float:
    """How much a picture is like the source image that its request came with, if that matters."""
    known = horde.known.requests.get(request_id, horde.now())
    # What is read here is not remembered: another process may be settling the job just now.
    request = (
        known.request if known else await horde.read(lambda tx: requests.by_id(tx, request_id))
    )
    if request is None or not IMAGE.wanted(request.body).leaves_source:
        return 0.0  # or its time was over a moment ago, which settling will say
    source = horde.miniatures.get(request_id)
    if source is None:
        source = horde.miniatures[request_id] = await miniature_of_source(horde, request_id)
        if len(horde.miniatures) > MINIATURES_MAX:
            horde.miniatures.popitem(last=False)
    return likeness(source, miniature)


async def miniature_of_source(horde: Horde, request_id: RequestId) -> Miniature:
    """What the source image is like; empty when it cannot be told."""
    name = end.source_name(request_id, "src")
    head = await horde.pictures.head(name, HEAD_BYTES)
    try:
        header = read_header(head or b"", await horde.pictures.size(name) or 0)
        if is_small_enough(header.width * header.height):
            look = await horde.looker.look(lambda: horde.pictures.get(name))
            return b"" if look is None else look.miniature
    except (BadHeaderError, UnreadableError):
        pass  # nobody has decoded it before, and whoever draws from it will say so
    return b""
