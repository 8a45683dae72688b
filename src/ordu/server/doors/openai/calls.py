"""The calls of this door: pictures from words, from a picture, like a picture; and the models."""

from functools import partial

import msgspec
from starlette.responses import Response

from ordu.images.check import ALL_FORMATS, Picture
from ordu.images.check import check as check_picture
from ordu.images.headers import PictureFormat
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.server.call import Call
from ordu.server.doors.drawing import drawn
from ordu.server.doors.models import OnlineModel, online_models
from ordu.server.doors.openai import asking, choosing, forms, pixels, reading
from ordu.server.doors.openai.answering import Answering
from ordu.server.doors.openai.asking import Sources
from ordu.server.doors.openai.errors import FieldRefused
from ordu.server.doors.openai.messages import (
    Asked,
    AskedEdit,
    AskedGeneration,
    AskedPicture,
    AskedVariation,
    ModelList,
    ModelObject,
)
from ordu.server.doors.openai.streaming import streamed

MASK_FORMATS = frozenset({PictureFormat.PNG, PictureFormat.WEBP})


async def post_images_generations(call: Call[None]) -> Response:
    """Draw pictures from words."""
    asked = reading.from_json(AskedGeneration, call.raw)
    ask = partial(asking.generation, asked, catalogue=call.horde.catalogue)
    return await answered(call, asked, ask, "image_generation")


async def post_images_edits(call: Call[None]) -> Response:
    """Draw anew what is transparent in the mask of a picture, or all of it."""
    form = await forms.read_form(call, frozenset({"image", "mask"}))
    asked = reading.from_fields(AskedEdit, form.fields)
    image = forms.one_file(form, "image")
    picture = checked(call, "image", image)
    mask = None
    if "mask" in form.files:
        mask = await horde_mask(call, forms.one_file(form, "mask"), picture)
    sources = Sources(image, picture, mask)
    ask = partial(asking.edit, asked, sources, catalogue=call.horde.catalogue)
    return await answered(call, asked, ask, "image_edit")


async def post_images_variations(call: Call[None]) -> Response:
    """Draw pictures like a picture."""
    form = await forms.read_form(call, frozenset({"image"}))
    asked = reading.from_fields(AskedVariation, form.fields)
    image = forms.one_file(form, "image")
    sources = Sources(image, checked(call, "image", image))
    ask = partial(asking.variation, asked, sources, catalogue=call.horde.catalogue)
    return await answered(call, asked, ask, "image_variation")


async def answered(call: Call[None], asked: Asked, ask: choosing.Ask, kind: str) -> Response:
    """The pictures, all at once or as they are finished."""
    horde = call.horde
    body = choosing.request_of(horde, call.user, asked.model, ask)
    answering = Answering(horde, asked, body)
    drawing: Call[GenerationInput] = Call(
        horde, call.secret, call.operation, call.caller, body, call.raw, call.http, call.request_id
    )
    if isinstance(asked, AskedPicture) and asked.stream:
        return await streamed(drawing, answering, kind)
    return in_json(await answering.images(await drawn(drawing)))


# Pictures that come in


def checked(
    call: Call[None],
    param: str,
    data: bytes,
    formats: frozenset[PictureFormat] = ALL_FORMATS,
) -> Picture:
    """What a picture of the call is.

    Raises:
        Refused: `FieldRefused`.
    """
    settings = call.horde.settings
    try:
        return check_picture(
            data,
            bytes_max=settings.picture_bytes_max,
            pixels_max=settings.picture_pixels_max,
            formats=formats,
        )
    except Refused as refused:
        raise FieldRefused(param, f"'{param}': {refused.message}") from refused


async def horde_mask(call: Call[None], data: bytes, picture: Picture) -> bytes:
    """The mask of a picture, in the horde's way.

    Raises:
        Refused: `FieldRefused`, InpaintingMissingMask.
    """
    mask = checked(call, "mask", data, MASK_FORMATS)
    if (mask.width, mask.height) != (picture.width, picture.height):
        raise FieldRefused(
            "mask",
            f"The mask is {mask.width}x{mask.height} and the picture {picture.width}x"
            f"{picture.height}. Make them the same size.",
        )
    if not mask.has_alpha:
        raise FieldRefused(
            "mask",
            "The mask has no alpha channel. It is to be transparent where the picture is to be "
            "drawn anew.",
        )
    return await pixels.horde_mask(data)


# Models


async def get_models(call: Call[None]) -> Response:
    """The models that are online, the aliases first."""
    online = online_models(call.horde)
    aliases = [alias(name, online) for name in choosing.ALIASES if online]
    names = sorted(online.keys() - set(choosing.ALIASES))
    return in_json(ModelList(data=[*aliases, *(shown(online[name]) for name in names)]))


async def get_model(call: Call[None]) -> Response:
    """One model that is online, or an alias of one."""
    name, online = call.path["model_name"], online_models(call.horde)
    if name in choosing.ALIASES and online:
        return in_json(alias(name, online))
    if name not in online:
        raise choosing.model_not_found(name[:255], online)
    return in_json(shown(online[name]))


def shown(model: OnlineModel) -> ModelObject:
    """A model as this protocol describes one."""
    return ModelObject(id=model.name, created=model.since // 1000)


def alias(name: str, online: dict[str, OnlineModel]) -> ModelObject:
    """An alias, which is there since the first of the models."""
    return ModelObject(id=name, created=min(each.since for each in online.values()) // 1000)


def in_json(message: msgspec.Struct) -> Response:
    """The answer with this message."""
    return Response(msgspec.json.encode(message) + b"\n", media_type="application/json")
