"""Source images and masks on their way into ComfyUI's folder of inputs.

Nothing can be deleted from that folder over HTTP. So the files have few names, each of which is
used again as soon as its picture is made.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

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

    def of(self, drawing: Drawing, stack: ExitStack) -> tuple[str, str]:
        """The names of the uploaded source image and mask, empty where there is none.

        They are the drawing's until the stack is closed.

        Raises:
            BackendError: a picture cannot be read, or ComfyUI does not take it.
        """
        if drawing.source_image is None:
            return "", ""
        flat = pictures.read_flat(drawing.source_image, drawing.width, drawing.height)
        has_mask = drawing.source_processing != "img2img"
        mask = pictures.read_mask(drawing) if has_mask else None
        number = stack.enter_context(self._number())
        source_name = self._upload(f"{self._prefix}-{number}-source.png", pictures.as_png(flat))
        if mask is None:
            return source_name, ""
        return source_name, self._upload(
            f"{self._prefix}-{number}-mask.png", pictures.as_png(mask.convert("RGB"))
        )

    def _upload(self, name: str, data: bytes) -> str:
        fields = {"type": "input", "subfolder": FOLDER, "overwrite": "true"}
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
