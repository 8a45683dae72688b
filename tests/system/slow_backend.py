"""A backend that takes its time: it says in a file that it began, and draws until told to."""

import io
import os
import time
from pathlib import Path

from PIL import Image

from ordu.worker.backends import Backend, Drawing, Offer, Picture, Progress


class SlowBackend(Backend):
    """Draws one colour, once the file `SLOW_UNTIL` is there."""

    def offer(self) -> Offer:
        return Offer(
            models=("stable_diffusion",),
            max_pixels=1024 * 1024,
            features=frozenset({"censor"}),
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        Path(os.environ["SLOW_BEGAN"]).touch()
        deadline = time.monotonic() + 60
        while not Path(os.environ["SLOW_UNTIL"]).exists() and time.monotonic() < deadline:
            progress(0.5)
            time.sleep(0.05)
        buffer = io.BytesIO()
        Image.new("RGB", (drawing.width, drawing.height), "teal").save(buffer, "WEBP")
        return Picture(buffer.getvalue())
