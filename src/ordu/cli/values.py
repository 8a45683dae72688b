"""Values of options that have parts: pictures from files, LoRAs with their strengths, and such.

Each is a type of click's, so that what is wrong is told with the option's name, before anything is
sent.
"""

import base64
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

SOURCE_BYTES_MAX = 64 * 1024 * 1024
STDIN_TAKEN = "ordu.stdin"


def read_stdin(ctx: click.Context | None, bytes_max: int, what: str) -> bytes:
    """All of standard input, which only one option can have.

    Raises:
        ValueError: another has it, or there is too much.
    """
    if ctx is not None and ctx.meta.setdefault(STDIN_TAKEN, what) != what:
        raise ValueError(f"standard input is read for {ctx.meta[STDIN_TAKEN]} already")
    data: bytes = sys.stdin.buffer.read(bytes_max + 1)
    return _bounded(data, bytes_max, "standard input")


def read_file(path: str, bytes_max: int) -> bytes:
    """All of a file.

    Raises:
        ValueError: it cannot be read, or is too large.
    """
    try:
        with Path(path).open("rb") as file:
            return _bounded(file.read(bytes_max + 1), bytes_max, path)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from error


def _bounded(data: bytes, bytes_max: int, name: str) -> bytes:
    if len(data) > bytes_max:
        raise ValueError(f"{name} has more than {bytes_max:,} bytes")
    return data


class PictureType(click.ParamType[str]):
    """A picture from a file or standard input, as Base64; a link stays what it is."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the picture, and look at its header."""
        if value.startswith(("http://", "https://")):
            return str(value)
        what = param.opts[0] if param is not None else "a picture"
        try:
            data = (
                read_stdin(ctx, SOURCE_BYTES_MAX, what)
                if value == "-"
                else read_file(value, SOURCE_BYTES_MAX)
            )
            check_picture(data, "standard input" if value == "-" else value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        return base64.b64encode(data).decode("ascii")


def check_picture(data: bytes, name: str) -> None:
    """Refuse what a horde would not take as a picture.

    Raises:
        ValueError: these are not the bytes of a WebP, PNG or JPEG.
    """
    from ordu.images.headers import BadHeaderError, read_header

    try:
        read_header(data, len(data))
    except BadHeaderError as error:
        raise ValueError(f"{name} {error}; WebP, PNG and JPEG are taken") from error


class PartsType(click.ParamType[dict[str, Any]]):
    """A value of parts with colons between, from the right, as `NAME:0.8:1`."""

    metavar = ""

    def parts(self, text: str) -> dict[str, Any]:
        """What the text says, as the fields of the request have it.

        Raises:
            ValueError: it says nothing that can be understood.
        """
        raise NotImplementedError

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        """The parts; one line says what is wrong with them."""
        try:
            return self.parts(value)
        except ValueError as error:
            self.fail(f"{error}. Write {self.metavar}.", param, ctx)


class LoraType(PartsType):
    """A LoRA: `NAME`, `NAME:0.8`, `NAME:0.8:1`, and behind it `,trigger=TEXT` and `,version`."""

    name = "lora"
    metavar = "NAME[:MODEL[:CLIP]][,trigger=TEXT][,version]"

    def parts(self, text: str) -> dict[str, Any]:
        """Name, strengths and wishes."""
        text, wishes = _wishes(text, ("trigger", "version"))
        name, numbers = _numbers(text, 2)
        lora: dict[str, Any] = {"name": name, **dict(zip(("model", "clip"), numbers, strict=False))}
        if "trigger" in wishes:
            lora["inject_trigger"] = wishes["trigger"]
        if "version" in wishes:
            lora["is_version"] = True
        return lora


class TextualInversionType(PartsType):
    """A textual inversion: `NAME`, `NAME:prompt`, `NAME:0.9:negprompt`."""

    name = "textual inversion"
    metavar = "NAME[:STRENGTH][:prompt|negprompt]"

    def parts(self, text: str) -> dict[str, Any]:
        """Name, strength and place."""
        head, _, last = text.rpartition(":")
        place = {"inject_ti": last} if head and last in {"prompt", "negprompt"} else {}
        name, numbers = _numbers(head if place else text, 1)
        return {"name": name, **place, **dict(zip(("strength",), numbers, strict=False))}


class ExtraTextType(PartsType):
    """A text of a workflow: `REFERENCE=TEXT`."""

    name = "extra text"
    metavar = "REFERENCE=TEXT"

    def parts(self, text: str) -> dict[str, Any]:
        """Reference and text."""
        reference, mark, said = text.partition("=")
        if not (reference and mark and said):
            raise ValueError(f"{text!r} has not both")
        return {"reference": reference, "text": said}


class ExtraImageType(PartsType):
    """One more picture: `FILE` or `FILE:STRENGTH`."""

    name = "extra image"
    metavar = "FILE[:STRENGTH]"

    def parts(self, text: str) -> dict[str, Any]:
        """The picture, and how strongly it acts."""
        name, numbers = (text, []) if Path(text).exists() else _numbers(text, 1)
        data = read_file(name, SOURCE_BYTES_MAX)
        check_picture(data, name)
        image = base64.b64encode(data).decode("ascii")
        return {"image": image, **dict(zip(("strength",), numbers, strict=False))}


def _numbers(text: str, many_max: int) -> tuple[str, list[float]]:
    """A name, and the numbers behind it; a name may have colons itself."""
    numbers: list[float] = []
    while len(numbers) < many_max:
        name, mark, last = text.rpartition(":")
        try:
            number = float(last)
        except ValueError:
            break
        if not mark or not name:
            break
        numbers.insert(0, number)
        text = name
    if not text.strip(": "):
        raise ValueError("it has no name")
    return text, numbers


def _wishes(text: str, known: tuple[str, ...]) -> tuple[str, Mapping[str, str]]:
    """The text without what follows it as `,name` or `,name=value`, and that."""
    found: dict[str, str] = {}
    while True:
        head, mark, last = text.rpartition(",")
        name, _, value = last.partition("=")
        if not mark or name not in known:
            return text, found
        found.setdefault(name, value)
        text = head


PICTURE = PictureType()
LORA = LoraType()
TEXTUAL_INVERSION = TextualInversionType()
EXTRA_TEXT = ExtraTextType()
EXTRA_IMAGE = ExtraImageType()
