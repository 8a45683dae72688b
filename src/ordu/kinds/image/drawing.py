"""What a picture request asks for, as it is kept, and what a worker is told of it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import UNSET

from ordu.protocol.jobs import ModelPayloadStable
from ordu.protocol.params import ExtraText, Lora, TextualInversion


class DrawingRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture request in plain values; stored as JSON with the request."""

    prompt: str
    width: int
    height: int
    steps: int
    sampler_name: str
    cfg_scale: float
    karras: bool
    tiling: bool = False
    hires_fix: bool = False
    transparent: bool = False
    hires_fix_denoising_strength: float | None = None
    clip_skip: int | None = None
    denoising_strength: float | None = None
    facefixer_strength: float | None = None
    post_processing: tuple[str, ...] = ()
    control_type: str | None = None
    image_is_control: bool = False
    return_control_map: bool = False
    loras: tuple[Lora, ...] = ()
    tis: tuple[TextualInversion, ...] = ()
    workflow: str | None = None
    extra_texts: tuple[ExtraText, ...] = ()
    use_ldsr: bool = False
    use_upscaling: bool = False
    use_nsfw_censor: bool = False
    source_processing: str | None = None  # None: there is no source image
    has_mask: bool = False
    extra_strengths: tuple[float, ...] = ()  # one for each extra source image
    memory: int = 1  # how many times what a usual model needs
    is_alone: bool = False  # its pictures are not to be made together


def encode(drawing: DrawingRequest) -> bytes:
    """A picture request as it is stored."""
    return msgspec.json.encode(drawing)


def decode(body: bytes) -> DrawingRequest:
    """A stored picture request."""
    return msgspec.json.decode(body, type=DrawingRequest)


# Post-processors that need much memory, as a transparent background does.
HEAVY_POSTS = frozenset(
    {
        *("RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B", "NMKD_Siax", "4x_AnimeSharp"),
        *("CodeFormers", "4xNomos8kSC", "4xLSDIRplus", "4xNomos2_hq_dat2", "RestoreFormer"),
    }
)


# How many times the usual memory models of these baselines need (protocol sheet 11 §4).
MEMORY: Mapping[str, int] = {"flux_1": 5, "qwen_image": 10, "z_image_turbo": 8}


def memory_of(baselines: Iterable[str]) -> int:
    """How many times the usual memory the largest of these baselines needs."""
    return max((MEMORY.get(name, 1) for name in baselines), default=1)


def batch(body: bytes, pixels_max: int, amount: int) -> int:
    """How many pictures of a request a worker gets at once who takes `amount` of small ones.

    The formula is that of protocol sheet 11 §4: what a worker can draw at once shrinks with the
    picture's size and with what is done to it afterwards.
    """
    drawing = decode(body)
    if drawing.is_alone or drawing.workflow:
        return 1
    size = drawing.width * drawing.height * (1 + 0.4 * len(drawing.post_processing))
    size *= drawing.memory
    if drawing.transparent or not HEAVY_POSTS.isdisjoint(drawing.post_processing):
        size *= 1.8
    return min(max(round(pixels_max / 3.5 * amount / size), 1), amount)


def payload(body: bytes, seed: int, many: int = 1) -> ModelPayloadStable:
    """What a worker is told to draw, and how many of it at once.

    What the requester did not ask for is left out.
    """
    drawing = decode(body)
    return ModelPayloadStable(
        prompt=drawing.prompt,
        ddim_steps=drawing.steps,
        n_iter=many,
        seed=str(seed),
        sampler_name=drawing.sampler_name,
        cfg_scale=drawing.cfg_scale,
        height=drawing.height,
        width=drawing.width,
        karras=drawing.karras,
        tiling=drawing.tiling,
        hires_fix=drawing.hires_fix,
        transparent=drawing.transparent,
        image_is_control=drawing.image_is_control,
        return_control_map=drawing.return_control_map,
        control_type=drawing.control_type or UNSET,
        loras=list(drawing.loras) or UNSET,
        tis=list(drawing.tis) or UNSET,
        workflow=drawing.workflow or UNSET,
        extra_texts=list(drawing.extra_texts) or UNSET,
        hires_fix_denoising_strength=drawing.hires_fix_denoising_strength or UNSET,
        clip_skip=drawing.clip_skip or UNSET,
        denoising_strength=UNSET
        if drawing.denoising_strength is None
        else drawing.denoising_strength,
        facefixer_strength=UNSET
        if drawing.facefixer_strength is None
        else drawing.facefixer_strength,
        post_processing=list(drawing.post_processing) or UNSET,
        use_ldsr=drawing.use_ldsr or UNSET,
        use_upscaling=drawing.use_upscaling or UNSET,
        use_nsfw_censor=drawing.use_nsfw_censor or UNSET,
    )


# A pop without a job still has a payload: programs read it before they look at `id` (sheet 11
# §4.1).
EMPTY_PAYLOAD = ModelPayloadStable(
    ddim_steps=30,
    n_iter=1,
    sampler_name="k_euler_a",
    cfg_scale=7.5,
    height=512,
    width=512,
    karras=False,
    tiling=False,
    hires_fix=False,
    transparent=False,
    image_is_control=False,
    return_control_map=False,
)


def has_word(body: bytes, words: Sequence[str]) -> bool:
    """Whether the prompt contains one of these words, in any case."""
    prompt = decode(body).prompt.casefold()
    return any(word.casefold() in prompt for word in words)
