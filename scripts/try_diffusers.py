"""Drive the backend diffusers with models of real size and random weights, and print a table.

    python scripts/try_diffusers.py /tmp/models [--tiny] [--seconds 240] [--json rows.json]

The models are made on the graphics card if there is one and written into the folder (9 GB), unless
they are there already; nothing is downloaded. What is drawn is noise, but it takes the time and the
memory of a real picture. Needs ordu with the extra `worker`, and torch, diffusers, transformers,
accelerate, peft, safetensors (scipy for one sampler). A row that fails says why; the others follow.
"""

import argparse
import gc
import io
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

import diffusers  # noqa: E402 - after the path
import numpy as np  # noqa: E402
import random_models  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from PIL import Image  # noqa: E402

from ordu.protocol.params import Lora  # noqa: E402
from ordu.worker.backends import (  # noqa: E402
    Backend,
    BackendError,
    Cancelled,
    Drawing,
    OutOfMemoryError,
    Picture,
)
from ordu.worker.backends.diffusers import (  # noqa: E402
    DiffusersBackend,
    DiffusersSettings,
    samplers,
)

GIB = 2**30
SD, XL = "random-sd", "random-xl"


@dataclass
class Row:
    """One line of the table."""

    what: str
    size: str = ""
    steps: int = 0
    seconds: float = 0.0
    megapixelsteps_per_s: float = 0.0
    peak_gib: float = 0.0
    note: str = ""


class Table:
    """Rows, printed as they come, within a time."""

    def __init__(self, seconds: float) -> None:
        self.rows: list[Row] = []
        self._until = time.monotonic() + seconds
        print(f"{'what':<44}{'size':>11}{'steps':>6}{'s':>9}{'MPS/s':>9}{'GiB':>7}  note")

    @property
    def has_time(self) -> bool:
        """Whether something new may be begun."""
        return time.monotonic() < self._until

    def add(self, row: Row) -> None:
        """Print a row."""
        self.rows.append(row)
        numbers = f"{row.steps or '':>6}{row.seconds:>9.2f}{row.megapixelsteps_per_s:>9.2f}"
        print(f"{row.what:<44}{row.size:>11}{numbers}{row.peak_gib:>7.2f}  {row.note}", flush=True)

    @contextmanager
    def row(self, what: str) -> Iterator[Row]:
        """Around what is timed; what goes wrong stands in the note."""
        row = Row(what)
        begun = time.monotonic()
        try:
            yield row
        except Exception as error:  # noqa: BLE001 - the table tells
            row.note = f"{type(error).__name__}: {error}"[:200]
        row.seconds = row.seconds or time.monotonic() - begun
        self.add(row)

    def draw(self, what: str, backend: Backend, drawing: Drawing, note: str = "") -> Picture | None:
        """A row for a picture; the picture, when there is one."""
        picture: Picture | None = None
        if not self.has_time:
            self.add(Row(what, note="left out: no time"))
            return None
        with self.row(what) as row:
            row.size, row.steps = f"{drawing.width}x{drawing.height}", drawing.steps
            reset_peak()
            begun = time.monotonic()
            try:
                picture = backend.make(drawing, quietly)
            finally:
                row.seconds, row.peak_gib = time.monotonic() - begun, peak_gib()
            size = drawing.width * drawing.height * drawing.steps
            row.megapixelsteps_per_s = size / 1e6 / row.seconds
            row.note = note or ("censored" if picture.is_censored else "")
        return picture


def main() -> None:
    """Make the models, draw, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiny", action="store_true", help="tiny models and pictures")
    parser.add_argument("--seconds", type=float, default=240, help="begin nothing new after that")
    parser.add_argument("--json", type=Path, help="write the rows there as well")
    asked = parser.parse_args()
    begun = time.monotonic()
    if asked.tiny:
        torch.set_num_threads(1)  # tiny models spend their time on handing work around
    print(versions())
    table = Table(asked.seconds)
    folder = make_models(asked.folder, table, is_tiny=asked.tiny)
    scale = 8 if asked.tiny else 1
    pictures(folder, table, scale)
    for part in (two_models, too_large):
        if table.has_time:
            part(folder, table, scale)
        else:
            table.add(Row(part.__name__, note="left out: no time"))
    print(f"{time.monotonic() - begun:.0f} s in all")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in table.rows], indent=1))


def versions() -> str:
    """What this runs on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no graphics card"
    return (
        f"{device}; Python {sys.version.split()[0]}, torch {torch.__version__}, diffusers"
        f" {diffusers.__version__}, transformers {transformers.__version__}"
    )


def make_models(folder: Path, table: Table, *, is_tiny: bool) -> Path:
    """Write the two models, a LoRA for each, a safety checker."""
    size = "tiny" if is_tiny else "full"
    device = "cuda" if torch.cuda.is_available() else "cpu"
    models = folder / "models"
    before = torch.get_default_dtype()
    for name, build in ((SD, random_models.plain), (XL, random_models.xl)):
        if (models / name / "model_index.json").exists():
            continue
        with table.row(f"make {name}") as row:
            torch.set_default_dtype(torch.float16 if device == "cuda" else torch.float32)
            with torch.device(device):
                pipe: Any = build(size)
            torch.set_default_dtype(before)
            random_models.save(pipe, models / name, size)
            lora = folder / "loras" / f"{name}-lora.safetensors"
            random_models.save_lora(lora, pipe, strength=0.05)
            row.note = f"{sum(file.stat().st_size for file in models.rglob('*')) / GIB:.1f} GiB"
            del pipe
        torch.set_default_dtype(before)
        free()
    random_models.save_checker(folder / "checker", forbids=True)
    return folder


def open_backend(folder: Path, memory_gib: float = 0.0) -> Backend:
    """The backend, as a worker would make it."""
    settings = DiffusersSettings(
        folder=str(folder / "models"),
        loras=str(folder / "loras"),
        safety_checker=str(folder / "checker"),
        memory_gib=memory_gib,
    )
    return DiffusersBackend(settings, DiffusersBackend.devices(settings)[0])


def pictures(folder: Path, table: Table, scale: int) -> None:
    """Every size and way of drawing."""
    with table.row("open the backend") as row:
        backend = open_backend(folder)
        offer = backend.offer()
        row.note = f"{offer.models}, {offer.max_pixels} pixels, {len(offer.samplers)} samplers"
    for model in (SD, XL):
        side = (512 if model == SD else 1024) // scale
        usual = Drawing(prompt="a fox", model=model, width=side, height=side, seed=7)
        table.draw(f"{model}: first, one step, with loading", backend, replace(usual, steps=1))
        for pixels in (512, 768, 1024):
            sized = replace(usual, width=pixels // scale, height=pixels // scale)
            table.draw(model, backend, sized)
        first = table.draw(f"{model}: again", backend, usual)
        second = table.draw(f"{model}: and again", backend, usual)
        same = first is not None and second is not None and first.data == second.data
        table.add(Row(f"{model}: same seed, same bytes", note="yes" if same else "NO"))
        ways(backend, table, usual)
    backend.close()
    free()


def ways(backend: Backend, table: Table, usual: Drawing) -> None:
    """What else one model can."""
    model, lora = usual.model, f"{usual.model}-lora"
    image = picture_of_noise(usual.width, usual.height)
    double = replace(usual, width=usual.width * 2, height=usual.height * 2, hires_fix=True)
    if model == XL:
        double = replace(double, width=usual.width * 3 // 2, height=usual.height * 3 // 2)
    table.draw(
        f"{model}: img2img, 0.6",
        backend,
        replace(usual, source_image=image, denoising_strength=0.6),
    )
    inpainting = replace(
        usual, source_image=image, source_mask=mask_of(usual), source_processing="inpainting"
    )
    table.draw(f"{model}: inpainting, 0.75", backend, inpainting)
    table.draw(f"{model}: hires_fix", backend, double)
    table.draw(f"{model}: tiling", backend, replace(usual, tiling=True))
    table.draw(f"{model}: clip_skip 3", backend, replace(usual, clip_skip=3))
    table.draw(f"{model}: LoRA", backend, replace(usual, loras=(Lora(name=lora, model=0.1),)))
    table.draw(f"{model}: long prompt", backend, replace(usual, prompt="a fox in the snow " * 20))
    table.draw(f"{model}: censored", backend, replace(usual, censor_nsfw=True))
    if model == SD:
        for name in samplers.names():
            table.draw(f"{model}: {name}, karras", backend, replace(usual, sampler=name, steps=10))
    cancelled(backend, table, usual)


def cancelled(backend: Backend, table: Table, usual: Drawing) -> None:
    """How long it takes to let go of a picture."""
    asked: list[float] = []

    def progress(share: float) -> None:
        if share > 0.2:
            asked.append(time.monotonic())
            raise Cancelled

    with table.row(f"{usual.model}: cancel, until it is over") as row:
        try:
            backend.make(usual, progress)
        except Cancelled:
            row.seconds = time.monotonic() - asked[0]


def two_models(folder: Path, table: Table, scale: int) -> None:
    """Both by turns: once with room for both, once with room for one."""
    for room, memory_gib in (("both", 0.0), ("one", smallest_gib(folder))):
        with table.row(f"open the backend, room for {room}"):
            backend = open_backend(folder, memory_gib)
        for turn in range(2):
            for model in (SD, XL):
                side = (512 if model == SD else 1024) // scale
                drawing = Drawing(prompt="a fox", model=model, width=side, height=side, steps=5)
                table.draw(f"room for {room}, turn {turn + 1}: {model}", backend, drawing)
                table.rows[-1].note += f" ready: {sorted(backend.offer().ready)}"
                print(f"{'':<44}{table.rows[-1].note}")
        backend.close()
        free()


def smallest_gib(folder: Path) -> float:
    """Room for the larger of the two models only, as they are on disk and in memory."""
    files = [sum(f.stat().st_size for f in (folder / "models" / m).rglob("*")) for m in (SD, XL)]
    return max(files) / GIB * 1.02


def too_large(folder: Path, table: Table, scale: int) -> None:
    """A graphics card that is nearly full: it works in tiles, then not at all, then again."""
    if not torch.cuda.is_available():
        table.add(Row("out of memory", note="left out: no graphics card"))
        return
    with table.row("open the backend"):
        backend = open_backend(folder)
    usual = Drawing(prompt="a fox", model=SD, width=512 // scale, height=512 // scale, steps=2)
    large = replace(usual, width=2048 // scale, height=2048 // scale)
    table.draw("before", backend, usual)
    table.draw("2048² with all the memory", backend, large)
    for room_gib in (8.0, 4.0, 2.0, 1.0, 0.3):
        with leaving(room_gib):
            table.draw(f"2048² with {room_gib} GiB beside the model", backend, large)
    with leaving(0.02), table.row("2048² with 0.02 GiB") as row:
        try:
            backend.make(large, quietly)
            row.note = "NO ERROR"
        except OutOfMemoryError as error:
            row.note = f"as it should: {error}"
        except BackendError as error:
            row.note = f"NOT OutOfMemoryError: {error}"
    table.draw("after, with all the memory", backend, usual)
    backend.close()
    free()


@contextmanager
def leaving(room_gib: float) -> Iterator[None]:
    """Let PyTorch take only so much more of the card than it has now."""
    free()
    total = torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction(
        min(1.0, (torch.cuda.memory_reserved() + room_gib * GIB) / total)
    )
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def quietly(share: float) -> None:
    """Progress that nobody looks at."""
    del share


def picture_of_noise(width: int, height: int) -> bytes:
    """A source image."""
    pixels = np.random.default_rng(7).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return encoded(Image.fromarray(pixels))


def mask_of(drawing: Drawing) -> bytes:
    """A mask: the left half is painted anew."""
    mask = Image.new("L", (drawing.width, drawing.height), 0)
    mask.paste(255, (0, 0, drawing.width // 2, drawing.height))
    return encoded(mask)


def encoded(image: Image.Image) -> bytes:
    """As PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def free() -> None:
    """Give back what nothing uses."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def reset_peak() -> None:
    """From now on the most memory in use counts."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_gib() -> float:
    """The most memory that was in use."""
    return torch.cuda.max_memory_allocated() / GIB if torch.cuda.is_available() else 0.0


if __name__ == "__main__":
    main()
