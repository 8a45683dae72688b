"""What a picture was asked with, kept in the picture's own file and read back from there.

    parameters   the facts, and the text that is written
    containers   where a text stands in WebP, PNG and JPEG files
    exif         the block of WebP and JPEG that holds a text
    foreign      the text of other programs, as far as it can be understood

The text is in the form that AUTOMATIC1111 made common, so that viewers and other programs show and
read it: as chunk `parameters` of a PNG, as EXIF `UserComment` of a WebP or JPEG. At its end stands
the whole request as JSON, which is what `--like` goes by. Bytes of the picture itself are never
touched: a file is taken apart into its parts, and put together with one more.
"""

from ordu.cli.metadata.containers import BadPictureError, read_text, write_text
from ordu.cli.metadata.parameters import Parameters, as_text, from_text

__all__ = [
    "BadPictureError",
    "Parameters",
    "as_text",
    "from_text",
    "read_text",
    "write_text",
]
