"""Source images: the pictures that come with a request, from its body to the worker."""

import base64
from dataclasses import dataclass

from ordu.engine import end
from ordu.engine.horde import Horde
from ordu.images.check import check as check_picture
from ordu.images.check import from_base64
from ordu.kinds.image.drawing import DrawingRequest
from ordu.protocol.errors import Refused
from ordu.protocol.requests import ExtraSourceImage, GenerationInput
from ordu.rules.lifecycle import RequestId
from ordu.server.call import Call

# From the requester


def given(call: Call[GenerationInput]) -> dict[str, bytes]:
    """The pictures that come with the request, checked, by their part."""
    body = call.body
    found = {}
    if body.source_image:
        found["src"] = source_image(call, body.source_image)
    if body.source_mask:
        found["msk"] = source_image(call, body.source_mask)
    for part, extra in zip(end.EXTRA_PARTS, body.extra_source_images or (), strict=False):
        found[part] = source_image(call, extra.image)
    if body.source_processing == "inpainting" and "src" in found and "msk" not in found:
        check_has_hole(call, found["src"])
    return found


def check_has_hole(call: Call[GenerationInput], data: bytes) -> None:
    """Refuse a picture to paint in that does not say where: no mask, and nothing transparent."""
    settings = call.horde.settings
    picture = check_picture(
        data, bytes_max=settings.picture_bytes_max, pixels_max=settings.picture_pixels_max
    )
    if not picture.has_alpha:
        raise Refused(
            "InpaintingMissingMask",
            "Inpainting needs a `source_mask`, or a `source_image` that is transparent where it is "
            "to be painted.",
        )


def source_image(call: Call[GenerationInput], text: str) -> bytes:
    """The bytes of a picture that came with the request, checked."""
    if text.startswith(("http://", "https://")):
        raise Refused(
            "NotImplemented",
            "This horde does not fetch source images by link yet. Send the image in Base64.",
        )
    settings = call.horde.settings
    data = from_base64(text, bytes_max=settings.picture_bytes_max)
    check_picture(
        data, bytes_max=settings.picture_bytes_max, pixels_max=settings.picture_pixels_max
    )
    return data


# To the worker


@dataclass(frozen=True)
class Sources:
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
    return base64.b64encode(data or b"").decode()
