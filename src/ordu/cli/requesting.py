"""From what was typed to requests that a horde takes, or to lines that say what is wrong.

Values come from three places, the later before the earlier: the defaults, the picture named by
`--like`, the options. Everything is checked here, before anything is sent; what only a horde can
know (its models, its prices) is left to it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import msgspec

from ordu.cli.wishing import ROWS, option_of
from ordu.client.pictures import NEGATIVE_MARK
from ordu.protocol.explain import explain
from ordu.protocol.requests import GenerationInput

PROMPTS_MAX = 1000
PROMPTS_BYTES_MAX = 4 * 1024 * 1024
# Otherwise than where nothing is said on the wire: most people's wish.
DEFAULTS: Mapping[str, Any] = {"models": [], "nsfw": False, "censor_nsfw": False, "r2": True}
LISTS = frozenset(row.place for row in ROWS if row.multiple)
# Options that say the same in another way than the wire, and are translated below.
OURS = frozenset({"negative", "not_workers", "batching"})
WITH_SOURCE = {
    "source_mask": "--source-mask",
    "params.control_type": "--control-type",
    "params.return_control_map": "--return-control-map",
    "params.image_is_control": "--image-is-control",
    "extra_source_images": "--extra-image",
}
LORAS_MAX, TIS_MAX, EXTRA_IMAGES_MAX = 5, 20, 5  # what hordes of this kind take


@dataclass(frozen=True, slots=True)
class Like:
    """What a picture was asked with, as defaults: its fields, and a remark for each left out."""

    fields: dict[str, Any]
    remarks: tuple[str, ...] = ()


def requests_of(
    prompts: Sequence[str], given: Mapping[str, Any], like: Like | None = None
) -> list[GenerationInput]:
    """The requests for these prompts with these options.

    Raises:
        click.UsageError: something will not do; a line for each says the option and what is
            allowed.
    """
    if len(prompts) > PROMPTS_MAX:
        raise click.UsageError(f"There are {len(prompts):,} prompts; at most {PROMPTS_MAX:,} go.")
    fields = fields_of(given, like)
    wrong = dict(violations(fields))
    if given.get("workers") and given.get("not_workers"):
        wrong["--not-worker"] = "It does not go together with --worker."
    if wrong:
        raise click.UsageError("\n".join(f"{option}: {what}" for option, what in wrong.items()))
    old_prompt = (like.fields.get("prompt") or "") if like else ""
    negative = given.get("negative")
    texts = [joined(each, negative, old_prompt) for each in prompts or [old_prompt]]
    if not all(text.partition(NEGATIVE_MARK)[0].strip() for text in texts):
        raise click.UsageError("Say what the picture is to be of: PROMPT, --prompts or --like.")
    try:
        return [msgspec.convert({**fields, "prompt": text}, GenerationInput) for text in texts]
    except msgspec.ValidationError as error:
        raise click.UsageError(str(error)) from error


def joined(prompt: str, negative: str | None, old_prompt: str) -> str:
    """A prompt with what should not be in the picture: of `--negative`, its own, or of `--like`."""
    positive, _, own = prompt.partition(NEGATIVE_MARK)
    old = old_prompt.partition(NEGATIVE_MARK)[2]
    unwanted = own if negative is None else negative
    if negative is None and not own:
        unwanted = old
    return f"{positive}{NEGATIVE_MARK}{unwanted}" if unwanted else positive


def fields_of(given: Mapping[str, Any], like: Like | None) -> dict[str, Any]:
    """The fields of a request as on the wire, without its prompt."""
    fields: dict[str, Any] = {**DEFAULTS, **(like.fields if like else {})}
    fields.pop("prompt", None)
    fields["params"] = dict(fields.get("params") or {})
    for row in ROWS:
        value = given.get(row.name)
        if value is None or value == () or row.place in OURS:
            continue
        put(fields, row.place, list(value) if row.place in LISTS else value)
    if denied := given.get("not_workers"):
        fields["workers"] = [*fields.get("workers", []), *denied]
        fields["worker_blacklist"] = True
    if given.get("batching") is False:
        fields["disable_batching"] = True
    if "source_image" not in fields and given.get("source_processing") is None:
        fields.pop("source_processing", None)  # that of --like, which was about a picture it had
    return fields


def put(fields: dict[str, Any], place: str, value: Any) -> None:
    """Put a value to a dotted place."""
    *above, name = place.split(".")
    for each in above:
        fields = fields.setdefault(each, {})
    fields[name] = value


def at(fields: Mapping[str, Any], place: str) -> Any:
    """What stands at a dotted place, or None."""
    found: Any = fields
    for each in place.split("."):
        found = found.get(each) if isinstance(found, Mapping) else None
    return found


def violations(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the fields of a request: the option, and what is allowed."""
    wrong = explain(GenerationInput, {**fields, "prompt": "-"})
    yield from ((option_of(place), what) for place, what in wrong.items())
    yield from _not_finite(fields)
    if wrong:
        return
    if not fields.get("source_image"):
        for place, option in WITH_SOURCE.items():
            if at(fields, place):
                yield option, "It needs a --source-image."
        if fields.get("source_processing", "img2img") != "img2img":
            yield "--source-processing", "It needs a --source-image."
    yield from _unfitting(fields)


def _unfitting(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What hordes refuse because of two values that do not go together, or too many of them."""
    params = fields.get("params") or {}
    processing = fields.get("source_processing", "img2img")
    if params.get("control_type") and processing in {"inpainting", "outpainting"}:
        yield "--control-type", f"It does not go together with --source-processing {processing}."
    if fields.get("extra_source_images") and processing != "remix":
        yield "--extra-image", "It is for --source-processing remix."
    if bool(params.get("extra_texts")) != bool(params.get("workflow")):
        yield "--extra-text", "It and --workflow need each other."
    webhook = fields.get("webhook")
    if isinstance(webhook, str) and not webhook.startswith(("https://", "http://")):
        yield "--webhook", "It must be an address that begins with https:// (or http:// at home)."
    scale = params.get("cfg_scale")
    if isinstance(scale, float) and math.isfinite(scale) and round(scale, 2) != scale:
        yield "--cfg-scale", f"{scale:g} has more than two digits after the point."
    many = (("params.loras", LORAS_MAX), ("params.tis", TIS_MAX))
    for place, many_max in (*many, ("extra_source_images", EXTRA_IMAGES_MAX)):
        if len(at(fields, place) or ()) > many_max:
            yield option_of(place), f"At most {many_max} can be given."


def _not_finite(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row in ROWS:
        value = at(fields, row.place)
        parts = value if isinstance(value, list) else [{"": value}]
        numbers = [one for part in parts if isinstance(part, Mapping) for one in part.values()]
        if any(isinstance(one, float) and not math.isfinite(one) for one in numbers):
            yield row.shown, "It must be a number that is finite."


def prompts_in(data: bytes, name: str) -> list[str]:
    """The prompts in a text: one on each line that is not empty.

    Raises:
        click.UsageError: there is none, or it is no text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"--prompts: {name} is no text in UTF-8.") from error
    prompts = [line.strip() for line in text.splitlines() if line.strip()]
    if not prompts:
        raise click.UsageError(f"--prompts: there is no prompt in {name}.")
    return prompts
