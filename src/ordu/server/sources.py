"""Source images: the pictures that come with a request, from its body to the worker."""

import asyncio
from typing import NamedTuple

import msgspec
import pybase64

from ordu.engine import end
from ordu.engine.horde import Horde
from ordu.images.check import Picture, check_fetched, from_base64
from ordu.images.check import check as check_picture
from ordu.images.targets import is_link
from ordu.kinds.image.drawing import DrawingRequest
from ordu.protocol.errors import Refused
from ordu.protocol.requests import ExtraSourceImage, GenerationInput
from ordu.rules.lifecycle import RequestId
from ordu.server.call import Call

LINKED_PIXELS_MAX = 3072 * 3072  # of a picture by link (protocol sheet 10 §1.4)

# From the requester


class Given(NamedTuple):
    """A picture that came with a request, and what it is."""

    data: bytes
    picture: Picture


async def given(call: Call[GenerationInput]) -> dict[str, bytes]:
    """The pictures that come with the request, checked, by their part; links are fetched at once.

    Raises:
        Refused: BadPicture, InpaintingMissingMask; of a link SourceImageUrlInvalid,
            ImageValidationFailed, SourceImageSizeExceeded, SourceImageUnreadable,
            SourceImageResolutionExceeded, Unavailable.
    """
    body = call.body
    texts = {"src": body.source_image, "msk": body.source_mask}
    extras = [extra.image for extra in body.extra_source_images or ()]
    texts |= dict(zip(end.EXTRA_PARTS, extras, strict=False))
    if not any(texts.values()):
        return {}
    reading = {
        part: asyncio.ensure_future(source_image(call.horde, text))
        for part, text in texts.items()
        if text
    }
    try:
        found = dict(zip(reading, await asyncio.gather(*reading.values()), strict=True))
    finally:
        for task in reading.values():  # one that is refused ends the others
            task.cancel()
    if body.source_processing == "inpainting" and "msk" not in found:
        check_has_hole(found.get("src"))
    return {part: each.data for part, each in found.items()}


def check_has_hole(source: Given | None) -> None:
    """Refuse a picture to paint in that does not say where: no mask, and nothing transparent."""
    if source is not None and not source.picture.has_alpha:
        raise Refused(
            "InpaintingMissingMask",
            "Inpainting needs a `source_mask`, or a `source_image` that is transparent where it is "
            "to be painted.",
        )


async def source_image(horde: Horde, text: str) -> Given:
    """A picture that came with the request as a link or in Base64, checked."""
    settings = horde.settings
    if is_link(text):
        data = await horde.door.fetch(text)
        pixels_max = min(settings.picture_pixels_max, LINKED_PIXELS_MAX)
        return Given(
            data, check_fetched(data, bytes_max=settings.source_bytes_max, pixels_max=pixels_max)
        )
    data = from_base64(text, bytes_max=settings.picture_bytes_max)
    return Given(
        data,
        check_picture(
            data, bytes_max=settings.picture_bytes_max, pixels_max=settings.picture_pixels_max
        ),
    )


# To the worker


class Sources(msgspec.Struct, frozen=True):
    """What a worker is sent to draw from, in Base64."""

    source: str | None
    mask: str | None
    extras: list[ExtraSourceImage]


async def for_worker(horde: Horde, request_id: RequestId, drawing: DrawingRequest) -> Sources:
    """The pictures that came with a request."""
    extras = [
        ExtraSourceImage(image=await text_of(horde, request_id, part), strength=strength)
        for part, strength in zip(end.EXTRA_PARTS, drawing.extra_strengths, strict=False)
    ]
    has_source = drawing.source_processing is not None
    return Sources(
        source=await text_of(horde, request_id, "src") if has_source else None,
        mask=await text_of(horde, request_id, "msk") if drawing.has_mask else None,
        extras=extras,
    )


async def text_of(horde: Horde, request_id: RequestId, part: str) -> str:
    """One of them."""
    data = await horde.pictures.get(end.source_name(request_id, part))
    return pybase64.b64encode_as_string(data or b"")
