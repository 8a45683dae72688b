"""Source images and masks on their way into ComfyUI's folder of inputs.

Nothing can be deleted from that folder over HTTP. So the files have few names, each of which is
used again as soon as its picture is made.
"""

import secrets
import threading
from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager

import msgspec
from PIL import Image

from ordu.worker import pictures
from ordu.worker.backends import Drawing
from ordu.worker.backends.programs import Program

FOLDER = "ordu"


class Uploaded(msgspec.Struct):
    """Where ComfyUI put a file."""

    name: str
    subfolder: str = ""


class Uploads:
    """Uploads pictures for one ComfyUI."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._prefix = secrets.token_hex(4)  # another worker may use the same ComfyUI
        self._lent: set[int] = set()
        self._lock = threading.Lock()

    def of(
        self, drawing: Drawing, stack: ExitStack, *, always: Container[str] = ()
    ) -> tuple[str, str]:
        """The names of the uploaded source image and mask, empty where there is none.

        They are the drawing's until the stack is closed. A workflow may need one `always`: then a
        drawing without a source image gets a grey one, and one without a mask a white one.

        Raises:
            BackendError: a picture cannot be read, or ComfyUI does not take it.
        """
        source, mask = _pictures_of(drawing)
        size = (drawing.width, drawing.height)
        if source is None and "source_image" in always:
            source = Image.new("RGB", size, "grey")
        if mask is None and "source_mask" in always:
            mask = Image.new("L", size, "white")
        number = stack.enter_context(self._number())
        return (
            self._upload(f"{self._prefix}-{number}-source.png", source) if source else "",
            self._upload(f"{self._prefix}-{number}-mask.png", mask.convert("RGB")) if mask else "",
        )

    def _upload(self, name: str, image: Image.Image) -> str:
        fields = {"type": "input", "subfolder": FOLDER, "overwrite": "true"}
        data = pictures.as_png(image)
        placed = self._program.upload("/upload/image", fields, name, data, Uploaded)
        return f"{placed.subfolder}/{placed.name}" if placed.subfolder else placed.name

    @contextmanager
    def _number(self) -> Iterator[int]:
        with self._lock:
            number = next(each for each in range(len(self._lent) + 1) if each not in self._lent)
            self._lent.add(number)
        try:
            yield number
        finally:
            with self._lock:
                self._lent.discard(number)


def _pictures_of(drawing: Drawing) -> tuple[Image.Image | None, Image.Image | None]:
    """The source image and the mask, where the drawing has them, in its size."""
    if drawing.source_image is None:
        return None, None
    flat = pictures.read_flat(drawing.source_image, drawing.width, drawing.height)
    has_mask = drawing.source_processing != "img2img"
    return flat, pictures.read_mask(drawing) if has_mask else None
