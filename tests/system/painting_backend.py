"""A backend that can paint: orange where the mask says so, else the picture as it is."""

import io

from PIL import Image

from ordu.worker import pictures
from ordu.worker.backends import Backend, Drawing, Offer, Picture, Progress


class PaintingBackend(Backend):
    """Draws one colour, over all of a picture or where its mask is white."""

    def offer(self) -> Offer:
        return Offer(
            models=("stable_diffusion", "orange paint"),
            max_pixels=1024 * 1024,
            img2img=True,
            inpainting=True,
            features=frozenset({"censor"}),
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        size = (drawing.width, drawing.height)
        picture = Image.new("RGB", size, "orange")
        if drawing.source_mask is not None:
            assert drawing.source_image is not None
            below = pictures.read_flat(drawing.source_image, *size)
            below.paste(picture, mask=pictures.read_mask(drawing))
            picture = below
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", lossless=True)
        return Picture(buffer.getvalue())
