"""Pictures to submit: 20 KB of WebP each, no two of them the same.

A few are drawn; each time one is taken, a chunk at its end gets a number of its own, as decoders
allow. Only the end of the Base64 text is made anew, so that drawing and encoding are not measured.
"""

import base64
import io
import itertools
import random

from PIL import Image

SIDE = 512
NOISE_SIDE = 31  # of the noise that is blown up to a picture: it decides how many bytes it takes
NUMBER_BYTES = 18


class Pictures:
    """A pool of pictures, and the texts in which they are sent."""

    def __init__(self, many: int) -> None:
        self.drawn = [numbered(a_picture(number)) for number in range(many)]
        self.numbers = itertools.count(1)

    def text(self) -> bytes:
        """The Base64 text of a picture that there has not been yet."""
        number = next(self.numbers)
        end = base64.b64encode(number.to_bytes(NUMBER_BYTES, "big"))
        return self.drawn[number % len(self.drawn)] + end


def a_picture(number: int) -> bytes:
    """A picture of about 20 KB."""
    chance = random.Random(number)
    noise = Image.frombytes("RGB", (NOISE_SIDE,) * 2, chance.randbytes(NOISE_SIDE**2 * 3))
    buffer = io.BytesIO()
    noise.resize((SIDE, SIDE), Image.Resampling.BILINEAR).save(buffer, "WEBP", quality=60, method=0)
    return buffer.getvalue()


def numbered(picture: bytes) -> bytes:
    """The Base64 text of a picture with a last chunk for a number, without the number.

    Before it are whole groups of three bytes, so that the text can be cut there.
    """
    filling = -(len(picture) + 8) % 3
    filling += 3 * (filling % 2)  # chunks have an even length
    chunk = b"NUMB" + (filling + NUMBER_BYTES).to_bytes(4, "little") + bytes(filling)
    whole = picture + chunk
    size = len(whole) + NUMBER_BYTES - 8
    return base64.b64encode(whole[:4] + size.to_bytes(4, "little") + whole[8:])
