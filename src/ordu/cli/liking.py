"""`--like FILE`: what a picture was asked with, as defaults for the next."""

from pathlib import Path
from typing import Any

import click

from ordu.cli import metadata
from ordu.cli.requesting import Like, at, put, violations
from ordu.cli.wishing import ROWS

PICTURE_BYTES_MAX = 256 * 1024 * 1024
# Taken from a picture: how it was drawn. Who may draw it, what is paid and who is told is not.
TAKEN = frozenset(
    {
        *(row.place for row in ROWS if row.place.startswith("params.")),
        *("models", "nsfw", "censor_nsfw", "source_processing"),
    }
) - {"params.n", "params.seed_variation"}


def read_parameters(path: str | Path) -> metadata.Parameters | None:
    """What the picture in this file was asked with, or None when the file does not say.

    Raises:
        ValueError: the file cannot be read, or is no picture of a known kind.
    """
    from ordu.cli.values import read_file

    data = read_file(str(path), PICTURE_BYTES_MAX)
    try:
        text = metadata.read_text(data)
    except metadata.BadPictureError as error:
        raise ValueError(f"{path} {error}") from error
    return None if text is None else metadata.from_text(text)


def read_like(ctx: click.Context, parameter: click.Parameter, path: str | None) -> Like | None:
    """What `--like` says."""
    if path is None:
        return None
    try:
        found = read_parameters(path)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", ctx, parameter) from error
    if found is None:
        raise click.BadParameter(f"{path} does not say what it was asked with.", ctx, parameter)
    return like_of(found, path)


def like_of(found: metadata.Parameters, name: str) -> Like:
    """The defaults in these parameters; what will not do is left out, with a remark."""
    again, fields = found.again(), dict[str, Any]()
    for place in TAKEN:
        value = at(again, place)
        if value is not None:
            put(fields, place, value)
    remarks = []
    while wrong := wrong_in(fields):
        for option, what in wrong.items():
            remarks.append(f"{name}: its {option} is left out: {what}")
            for row in ROWS:
                if row.shown == option:
                    _remove(fields, row.place)
    if found.began_from_picture:
        remarks.append(
            f"{name}: it was drawn over another picture, which is not kept in it: give that with"
            " --source-image."
        )
    prompt = again.get("prompt")
    if isinstance(prompt, str) and prompt:
        fields["prompt"] = prompt
    return Like(fields, tuple(remarks))


def wrong_in(fields: dict[str, Any]) -> dict[str, str]:
    """What is wrong with values that are there, whatever will be given beside them."""
    wrong = dict(violations({**fields, "source_image": "-"}))
    shown = {row.shown for row in ROWS if at(fields, row.place) is not None}
    return {option: what for option, what in wrong.items() if option in shown}


def _remove(fields: dict[str, Any], place: str) -> None:
    *above, name = place.split(".")
    for each in above:
        fields = fields.get(each, {})
    fields.pop(name, None)
