"""Finished pictures in OpenAI's shape."""

import pybase64

from ordu.engine.horde import Horde
from ordu.protocol.requests import GenerationInput
from ordu.rules import money
from ordu.server.doors.drawing import Drawn, DrawnPicture, content, link
from ordu.server.doors.openai import pixels
from ordu.server.doors.openai.messages import Asked, AskedPicture, Image, Images, Usage
from ordu.store.requests import Request

SAID_OF_QUALITY = {"auto": "medium", "standard": "medium", "hd": "high"}


class Answering:
    """How the pictures of one call are answered."""

    def __init__(self, horde: Horde, asked: Asked, body: GenerationInput) -> None:
        self.horde = horde
        self.asked = asked
        pictured = asked if isinstance(asked, AskedPicture) else None
        self.wanted = pictured.output_format if pictured else None
        self.compression = pictured.output_compression if pictured else 100
        self.size = f"{body.params.width}x{body.params.height}"
        self.is_transparent = body.params.transparent
        quality = pictured.quality if pictured else "auto"
        self.quality = SAID_OF_QUALITY.get(quality, quality)

    async def images(self, drawn: Drawn) -> Images:
        """The answer with all pictures."""
        data, formats = [], []
        for picture in drawn.pictures:
            if self.asked.response_format == "url":
                image = shown(picture, url=await link(self.horde, picture))
                formats.append("webp")
            else:
                text, form = await self.text(picture)
                image = shown(picture, b64_json=text)
                formats.append(form)
            data.append(image)
        return Images(
            created=self.horde.now() // 1000,
            background="transparent" if self.is_transparent else "opaque",
            data=data,
            output_format=formats[0],
            quality=self.quality,
            size=self.size,
            usage=usage_of(drawn.request),
        )

    async def text(self, picture: DrawnPicture) -> tuple[str, str]:
        """A picture in Base64 and its format."""
        data = await content(self.horde, picture)
        if self.wanted is not None:
            data = await pixels.converted(data, self.wanted, self.compression)
        return pybase64.b64encode_as_string(data), pixels.format_of(data)


def shown(picture: DrawnPicture, **content: str) -> Image:
    """A picture with what is told beside its content."""
    return Image(
        id=picture.id,
        model=picture.model,
        seed=picture.seed,
        worker_name=picture.worker_name,
        censored=picture.censored,
        **content,
    )


def usage_of(request: Request) -> Usage:
    """What a request has cost by now."""
    return Usage(kudos=money.exact(request.charged))
