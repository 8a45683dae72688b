"""The backend `openai`: pictures from any endpoint that speaks OpenAI's images API.

OpenAI itself, and many servers and proxies that copy its API. Each address is a device. What the
API has no word for (steps, scale, sampler, seed) is left out unless the setting `extra_parameters`
says how this server calls it. `sizes` turns one size into another, `endpoint` does the HTTP,
`answers` reads what comes back. `docs/reference/backends/openai.md` tells it to users.
"""

import asyncio
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

import httpx
import msgspec
from PIL import Image

from ordu.settings import Settings, about
from ordu.worker import pictures
from ordu.worker.backends import Backend, BackendError, Drawing, Found, Offer, Picture, Progress
from ordu.worker.backends.openai.answers import read_models
from ordu.worker.backends.openai.endpoint import FORMAT, REST_S, Endpoint, Sleep
from ordu.worker.backends.openai.sizes import (
    Size,
    best_size,
    cut,
    embedded,
    is_size,
    read_size,
    transparent_where,
)

__all__ = ["OpenAIBackend", "OpenAISettings"]

OPENAI = "https://api.openai.com/v1"
OPENAI_HOST = "api.openai.com"
OPENAI_MODEL = "gpt-image-1.5"
OPENAI_SIZES = ("1024x1024", "1536x1024", "1024x1536")  # which all its image models draw
OPENAI_KEY = "OPENAI_API_KEY"
LOCAL = "http://127.0.0.1:8080/v1"  # where LocalAI listens
FIND_S = 1.0
MAY_DRAW = re.compile(
    r"image|diffusion|dream|flux|pixart|sdxl|\bsd\b|\bsd[-_]?[123]", re.IGNORECASE
)
PIXELS = 1024 * 1024
# These models always send the picture itself, and refuse to be asked for it.
NO_FORMAT = re.compile(r"(chat)?gpt-image")
RESERVED = frozenset({"model", "prompt", "n", "size", "image", "mask", "stream", FORMAT})
# Steps cost nothing where they mean nothing, and hordes take who is faster than 20 for a cheat.
MEGAPIXELSTEPS_PER_S_MAX = 15.0
# stable-diffusion.cpp reads settings out of prompts: steps, sizes, files. Requesters set none.
SERVERS_OWN = re.compile(r"</?\s*sd_cpp_extra_args\s*>", re.IGNORECASE)
URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")

# What of a drawing the API has no word for, and some servers have.
Parameter: TypeAlias = Literal[
    "negative_prompt",
    "seed",
    "steps",
    "cfg_scale",
    "sampler",
    "clip_skip",
    "denoising_strength",
]


def _is_url(text: str) -> bool:
    return URL.fullmatch(text) is not None


class OpenAISettings(Settings, frozen=True, kw_only=True):
    """What the backend `openai` is told."""

    url: Annotated[
        tuple[str, ...],
        about(
            "Addresses of the API, with its version; each draws by itself.",
            allowed="addresses such as http://127.0.0.1:8080/v1, with commas between",
            check=_is_url,
        ),
    ] = (OPENAI,)
    api_key: Annotated[
        str,
        about(
            f"Key for these addresses; empty: at {OPENAI_HOST} the variable {OPENAI_KEY}.",
            pattern=r"^[!-~]{0,1000}\Z",
            allowed="at most 1000 visible ASCII characters",
            secret=True,
        ),
    ] = ""
    models: Annotated[
        tuple[str, ...],
        about("Models to offer, as the endpoint names them; empty: the only one that it lists."),
    ] = ()
    sizes: Annotated[
        tuple[str, ...],
        about(
            "Sizes that the endpoint draws; empty: any.",
            allowed="sizes such as 1024x1024,1536x1024",
            check=is_size,
        ),
    ] = ()
    max_pixels: Annotated[
        int,
        about("The largest picture to offer; 0: the largest of the sizes.", 0, 16_383 * 16_383),
    ] = 0
    edits: Annotated[
        bool, about("Whether it also draws from source images and masks (/images/edits).")
    ] = False
    moderated: Annotated[
        bool, about("Whether it refuses to draw what is not safe, as OpenAI's own does.")
    ] = False
    extra: Annotated[
        dict[str, str],
        about("More fields to send with each call, such as quality=high,moderation=low."),
    ] = msgspec.field(default_factory=dict)
    extra_parameters: Annotated[
        dict[Parameter, str],
        about(
            "What this server calls things that OpenAI's API has no word for, such as"
            " seed=seed,steps=num_inference_steps.",
            allowed="name=its name there, with commas between; the names are negative_prompt,"
            " seed, steps, cfg_scale, sampler, clip_skip, denoising_strength",
        ),
    ] = msgspec.field(default_factory=dict)
    timeout_s: Annotated[
        float, about("How long one picture may take, all tries together.", 0.1, 3600)
    ] = 300.0


DEFAULTS = OpenAISettings()


class OpenAIBackend(Backend):
    """One address that speaks OpenAI's images API."""

    settings_type = OpenAISettings

    def __init__(
        self,
        settings: Settings = DEFAULTS,
        device: str = "",
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        assert isinstance(settings, OpenAISettings)
        if taken := sorted(RESERVED.intersection(settings.extra)):
            raise BackendError(f"The setting extra cannot set {', '.join(taken)}: the job does.")
        self._settings = settings
        self.device = url = device or self.devices(settings)[0]
        self._endpoint = Endpoint(
            url, _key_for(url, settings), settings.timeout_s, clock=clock, sleep=sleep
        )
        self._sizes = tuple(map(read_size, settings.sizes))
        self._models = settings.models

    @classmethod
    def devices(cls, settings: Settings) -> Sequence[str]:
        """The addresses."""
        assert isinstance(settings, OpenAISettings)
        if not settings.url:
            raise BackendError("The backend openai needs an address: set url.")
        return settings.url

    @classmethod
    def find(cls) -> Sequence[Found]:
        """OpenAI when its key is in the environment, and what listens where LocalAI does."""
        return [*_found_at_openai(), *_found_locally()]

    def offer(self) -> Offer:
        """What can be drawn; the endpoint is asked for its models once, if they are not set.

        Raises:
            BackendError: nothing at present, or it is not clear which of its models draw.
        """
        self._endpoint.check()
        settings = self._settings
        if not self._models:
            self._models = self._only_model()
        largest = max((size.width * size.height for size in self._sizes), default=PIXELS)
        return Offer(
            models=self._models,
            max_pixels=settings.max_pixels or largest,
            img2img=settings.edits,
            inpainting=settings.edits,
            features=frozenset(
                {"clip_skip"} & settings.extra_parameters.keys()
                | ({"censor"} if settings.moderated else set())
            ),
            megapixelsteps_per_s_max=MEGAPIXELSTEPS_PER_S_MAX,
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Have a picture drawn, in exactly the size of the drawing.

        Raises:
            BackendError: it could not be; the message says why.
            OutOfMemoryError: the endpoint says that it has not enough memory.
            Cancelled: `progress` raised it.
        """
        if drawing.censor_nsfw and not self._settings.moderated:
            raise BackendError(
                "The job wants nsfw pictures censored, and nothing here can tell which are;"
                " set moderated where the endpoint refuses to draw them."
            )
        wanted = Size(drawing.width, drawing.height)
        size = best_size(wanted, self._sizes)
        fields = self._fields(drawing, size)
        if drawing.source_image is None:
            data = self._endpoint.picture("/images/generations", fields, {}, progress)
            image = cut(pictures.read(data, "picture of the endpoint"), wanted)
        else:
            image = self._edited(drawing, drawing.source_image, size, fields, progress)
        progress(1.0)
        is_opaque = image.getchannel("A").getextrema()[0] == 255
        return Picture(pictures.as_png(image.convert("RGB") if is_opaque else image))

    def _only_model(self) -> tuple[str, ...]:
        listed = self._endpoint.models()
        if len(listed) == 1:
            return listed
        shown = ", ".join(listed[:5]) + (", …" if len(listed) > 5 else "")
        error = BackendError(
            f"{self._endpoint.shown} lists {len(listed)} models ({shown or 'none'}) and does not"
            " say which of them draw; set models to those that do."
        )
        raise self._endpoint.rest(error, REST_S)

    def _fields(self, drawing: Drawing, size: Size) -> dict[str, object]:
        settings = self._settings
        named = settings.extra_parameters
        prompt = drawing.prompt
        if drawing.negative_prompt and "negative_prompt" not in named:
            prompt = f"{prompt}\n\nAvoid: {drawing.negative_prompt}"
        prompt = SERVERS_OWN.sub("", prompt)
        fields: dict[str, object] = {
            "model": drawing.model,
            "prompt": prompt,
            "n": 1,
            "size": str(size),
        }
        if not NO_FORMAT.match(drawing.model):
            fields[FORMAT] = "b64_json"
        fields |= {name: _typed(text) for name, text in settings.extra.items()}
        return fields | {theirs: getattr(drawing, ours) for ours, theirs in named.items()}

    def _edited(
        self,
        drawing: Drawing,
        source: bytes,
        size: Size,
        fields: Mapping[str, object],
        progress: Progress,
    ) -> Image.Image:
        """A picture from the source image; where a mask keeps it, it is the source again."""
        wanted = Size(drawing.width, drawing.height)
        flat = pictures.read_flat(source, drawing.width, drawing.height)
        mask = None
        files = {"image": pictures.as_png(embedded(flat, size))}
        if drawing.source_processing != "img2img" or drawing.source_mask is not None:
            mask = pictures.read_mask(drawing)
            files["mask"] = pictures.as_png(transparent_where(embedded(mask, size)))
        data = self._endpoint.picture("/images/edits", fields, files, progress)
        image = cut(pictures.read(data, "picture of the endpoint"), wanted)
        if mask is None:
            return image
        return Image.composite(image, flat.convert("RGBA"), mask)


def _key_for(url: str, settings: OpenAISettings) -> str:
    """The key for an address; the one in the environment is OpenAI's, and goes nowhere else."""
    if settings.api_key or urlsplit(url).hostname != OPENAI_HOST:
        return settings.api_key
    return os.environ.get(OPENAI_KEY, "").strip()


def _typed(text: str) -> object:
    """A field's value as JSON has it: numbers and true or false as such, all else as text."""
    try:
        value: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return value if isinstance(value, bool | int | float) else text


def _found_at_openai() -> list[Found]:
    if not os.environ.get(OPENAI_KEY, "").strip():
        return []
    return [
        Found(
            f"OpenAI with the key in {OPENAI_KEY}, {OPENAI_MODEL}: every picture costs you money",
            {"models": (OPENAI_MODEL,), "sizes": OPENAI_SIZES, "moderated": True},
            rank=5,
        )
    ]


def _found_locally() -> list[Found]:
    """Other programs answer there too, such as servers of language models, so names count."""
    try:
        answer = httpx.get(f"{LOCAL}/models", timeout=FIND_S, trust_env=False)
    except httpx.HTTPError:
        return []
    listed = read_models(answer.content) if answer.is_success else ()
    models = tuple(name for name in listed if MAY_DRAW.search(name))
    if not models:
        return []
    words = f"a server like OpenAI's at {LOCAL}, which may draw with {', '.join(models)}"
    return [Found(words, {"url": (LOCAL,), "models": models}, rank=30)]
