"""Decoding at the doors: by the header first, few at a time, beside the loop, in bounded memory."""

import asyncio
import subprocess
import sys
import threading
import zlib

import pytest
from tests.builders import a_picture

from ordu.protocol.errors import Refused
from ordu.server.doors.automatic1111 import pictures
from ordu.server.doors.openai import pixels

pytestmark = pytest.mark.anyio


def a_bomb(side: int) -> bytes:
    """A PNG that says it is so large; its pixels are not there."""
    bomb = bytearray(a_picture(form="PNG"))
    bomb[16:24] = side.to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    return bytes(bomb)


@pytest.mark.parametrize("side", [3073, 20_000, 60_000, 2**31 - 1])
def test_a_picture_that_would_be_large_is_not_decoded(side, monkeypatch):
    monkeypatch.setattr("PIL.Image.open", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(ValueError, match="pixels"):
        pixels.decoded(a_bomb(side))
    with pytest.raises(Refused, match=r"pixels|broken"):
        pictures.texts_in(a_bomb(side))


async def test_no_more_are_decoded_at_once_and_the_loop_goes_on():
    gate, running, most = threading.Event(), [0], [0]
    lock = threading.Lock()

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        gate.wait(10)
        with lock:
            running[0] -= 1

    tasks = [asyncio.create_task(pixels.apart(work)) for _ in range(8)]
    for _ in range(50):
        await asyncio.sleep(0)  # the loop is free while they work
    gate.set()
    await asyncio.gather(*tasks)
    assert most[0] <= pixels.THREADS


LARGEST = """
import io, resource, sys
from PIL import Image
from ordu.server.doors.openai import pixels
from ordu.server.doors.automatic1111 import pictures

form, mode = sys.argv[1:]
side = 3072
source = Image.effect_noise((side, side), 90).convert(mode)
if mode == "RGBA":
    source.putalpha(Image.linear_gradient("L").resize((side, side)))
buffer = io.BytesIO()
source.save(buffer, form, **({"compress_level": 1} if form == "PNG" else {}))
data = buffer.getvalue()
del source, buffer
now = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmSize")))
most = now * 1024 + 256 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
pixels.written(pixels.decoded(data), "jpeg", 90)
pictures.with_parameters(data, "x")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "RGBA"), ("WEBP", "RGB"), ("JPEG", "RGB"), ("JPEG", "CMYK")]
)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_largest_that_is_decoded_fits_into_256_megabytes(form, mode):
    done = subprocess.run(
        [sys.executable, "-c", LARGEST, form, mode], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
