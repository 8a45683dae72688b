"""`ordu inspect`: what pictures were asked with, as their files say."""

from collections.abc import Iterator
from typing import Any

import click
import msgspec

from ordu.cli import metadata
from ordu.cli.asking import in_words, json_option, print_json
from ordu.cli.console import clean, label, out
from ordu.cli.failures import FAILED, Failure
from ordu.cli.liking import PICTURE_BYTES_MAX
from ordu.cli.values import read_file
from ordu.client.pictures import NEGATIVE_MARK
from ordu.images.headers import BadHeaderError, read_header

SHOWN_CHARACTERS_MAX = 4000  # of one value


class Inspected(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file says about itself."""

    path: str
    error: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int = 0
    parameters: metadata.Parameters | None = None
    text: str | None = None


@click.command("inspect")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@json_option
def inspect(files: tuple[str, ...], as_json: bool) -> None:
    """Show what the pictures in these files were asked with.

    Every picture of `ordu generate` says so itself, and those of many other programs do. Nothing
    is decoded, and nothing is sent anywhere.

    \b
    Examples: ordu inspect fox.webp
              ordu inspect pictures/*.webp --json
    """
    found = [look(each) for each in files]
    if as_json:
        print_json([each for each in found if each.error is None])
    else:
        for number, each in enumerate(found):
            if number:
                out().print()
            show(each)
    wrong = [each.error for each in found if each.error is not None]
    if wrong:
        raise Failure("\n".join(f"{clean(each)}." for each in wrong), FAILED)


def look(path: str) -> Inspected:
    """What the file at this path says."""
    try:
        data = read_file(path, PICTURE_BYTES_MAX)
        header = read_header(data, len(data))
        text = metadata.read_text(data)
    except ValueError as error:
        return Inspected(path, error=str(error))
    except (BadHeaderError, metadata.BadPictureError) as error:
        return Inspected(path, error=f"{path} {error}")
    return Inspected(
        path,
        format=header.format.value,
        width=header.width,
        height=header.height,
        bytes=len(data),
        parameters=None if text is None else metadata.from_text(text),
        text=text,
    )


def show(found: Inspected) -> None:
    """Show it to a person."""
    if found.error is not None:
        return
    console = out()
    console.print(clean(found.path), style="bold")
    form = (found.format or "").upper().replace("WEBP", "WebP")
    size = f"{found.width}×{found.height} {form}, {found.bytes:,} bytes"
    lines = [("picture", size), *facts(found)]
    width = max(len(name) for name, _ in lines) + 2
    for name, text in lines:
        console.print(label(name, text[:SHOWN_CHARACTERS_MAX], width))


def facts(found: Inspected) -> Iterator[tuple[str, str]]:
    """What is known of how the picture was asked for, in words."""
    parameters = found.parameters
    if parameters is None:
        if found.text is None:
            yield "parameters", "none: the file does not say what it was asked with"
        else:
            yield "parameters", "none that are understood; the text in the file is:"
            yield "text", clean(found.text)
        return
    if not parameters.is_ours:
        yield "written by", "another program; what it has words for is below"
    request = dict(parameters.request)
    positive, _, negative = str(request.pop("prompt", "")).partition(NEGATIVE_MARK)
    yield "prompt", clean(positive.strip())
    if negative.strip():
        yield "negative", clean(negative.strip())
    for name in ("model", "seed", "worker_name", "worker_id", "id"):
        if value := getattr(parameters.picture, name):
            yield name.replace("_", " "), clean(value)
    params = request.pop("params", None)
    for name, value in {**(params if isinstance(params, dict) else {}), **request}.items():
        yield from _fact(str(name), value, parameters)
    if parameters.began_from_picture:
        yield "source image", "another picture, which is not kept in it"


def _fact(name: str, value: Any, parameters: metadata.Parameters) -> Iterator[tuple[str, str]]:
    # What the origin says better: the seed and the model it was drawn with, and one of so many.
    is_said = name in {"seed", "n"} and parameters.picture.seed
    is_said = is_said or (name == "models" and parameters.picture.model)
    if not is_said and value is not None and value not in ("", [], {}):
        yield clean(name.replace("_", " ")), in_words(value)
