"""Jobs: what a worker sends to get one, what it gets, and how it sends the picture back.

An answer without a job has the same shape as one with: `id` is null, `payload` holds the defaults,
and `skipped` says why (protocol sheet 11 §4.1).
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.params import ModelPayloadRootStable, Name
from ordu.protocol.requests import ExtraSourceImage, GenerationMetadata
from ordu.protocol.workers import WorkerMessage

Int64: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Word: TypeAlias = Annotated[str, Meta(max_length=1000)]
JobState: TypeAlias = Literal["ok", "censored", "faulted", "csam"]


class PopInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker of any kind says about itself when it asks for a job."""

    name: Annotated[str, Meta(min_length=1, max_length=1000, description="The Name of the Worker.")]
    priority_usernames: Annotated[
        list[Word],
        Meta(max_length=1000, description="Users with priority to use this worker."),
    ] = msgspec.field(default_factory=list)
    nsfw: Annotated[
        bool, Meta(description="Whether this worker can generate NSFW requests or not.")
    ] = True
    blacklist: Annotated[
        list[Word],
        Meta(
            max_length=10_000,
            description="Words in a prompt which this worker refuses to draw; the first 200 count.",
        ),
    ] = msgspec.field(default_factory=list)
    models: Annotated[
        list[Name],
        Meta(
            max_length=1000,
            description="Which models this worker is serving; the first 300 count. None means"
            " `stable_diffusion`.",
        ),
    ] = msgspec.field(default_factory=list)
    bridge_version: Annotated[
        Int64, Meta(description="The version of the bridge used by this worker (2022).")
    ] = 1
    # None is how the server knows a program of 2022; today's documents say `unknown:0:unknown`.
    bridge_agent: Annotated[
        Annotated[str, Meta(max_length=1000)] | None,
        Meta(description="The program of this worker, as `name:version:address`."),
    ] = None
    threads: Annotated[
        int, Meta(ge=1, le=50, description="How many jobs this worker does at the same time.")
    ] = 1
    require_upfront_kudos: Annotated[
        bool, Meta(description="Leave out requests of people who cannot pay for them.")
    ] = False
    amount: Annotated[
        int, Meta(ge=1, le=20, description="How many images of one request to take at once.")
    ] = 1
    extra_slow_worker: Annotated[
        bool, Meta(description="This worker is slow: only requests which admit that are wanted.")
    ] = False


class PopInputStable(PopInput, frozen=True, kw_only=True):
    """What a worker that draws pictures says about itself when it asks for a job."""

    max_pixels: Annotated[
        Int64, Meta(description="The maximum amount of pixels this worker can generate.")
    ] = 262_144
    allow_img2img: Annotated[bool, Meta(description="Take jobs with a source image.")] = True
    allow_painting: Annotated[bool, Meta(description="Take inpainting and outpainting.")] = True
    allow_unsafe_ipaddr: Annotated[
        bool, Meta(description="Take jobs of people behind a suspicious address.")
    ] = True
    allow_post_processing: Annotated[bool, Meta(description="Take jobs with post-processing.")] = (
        True
    )
    allow_controlnet: Annotated[bool, Meta(description="Take jobs with a ControlNet.")] = False
    allow_sdxl_controlnet: Annotated[
        bool, Meta(description="Take jobs with a ControlNet for SDXL models.")
    ] = False
    allow_lora: Annotated[bool, Meta(description="Take jobs with LoRAs.")] = False
    limit_max_steps: Annotated[
        bool, Meta(description="Leave out jobs with more steps than usual for their model.")
    ] = False

    features: Annotated[
        Annotated[list[Name], Meta(max_length=300)] | UnsetType,
        Meta(
            description="What else this worker can do, if it says so: `tiling`, `hires_fix`,"
            " `clip_skip`, `censor`, `sampler:NAME`, `sampler:NAME+karras`, `post:NAME`, … Read of"
            " Ordu's own worker only; without any `sampler:` all are meant."
        ),
    ] = UNSET


class NoValidRequestFound(msgspec.Struct, frozen=True, kw_only=True):
    """How many waiting requests were skipped, by reason."""

    worker_id: Annotated[int | UnsetType, Meta(description="They demanded a specific worker.")] = (
        UNSET
    )
    performance: Annotated[int | UnsetType, Meta(description="They demanded a faster worker.")] = (
        UNSET
    )
    nsfw: Annotated[
        int | UnsetType,
        Meta(description="They demanded an NSFW generation which this worker does not provide."),
    ] = UNSET
    blacklist: Annotated[
        int | UnsetType,
        Meta(description="They contain a word that this worker does not accept."),
    ] = UNSET
    untrusted: Annotated[
        int | UnsetType,
        Meta(description="They demanded a trusted worker, which this worker is not."),
    ] = UNSET
    models: Annotated[
        int | UnsetType,
        Meta(description="They demanded a different model than what this worker provides."),
    ] = UNSET
    bridge_version: Annotated[
        int | UnsetType,
        Meta(description="They need something that this version of the worker cannot do."),
    ] = UNSET
    kudos: Annotated[
        int | UnsetType, Meta(description="Their authors cannot pay up front, as this worker asks.")
    ] = UNSET
    paused: Annotated[
        int | UnsetType,
        Meta(description="They are not its owner's, and this worker is paused."),
    ] = UNSET


class NoValidRequestFoundStable(NoValidRequestFound, frozen=True, kw_only=True):
    """How many waiting requests for pictures were skipped, by reason."""

    max_pixels: Annotated[
        int | UnsetType,
        Meta(description="They demanded a higher size than this worker provides."),
    ] = UNSET
    unsafe_ip: Annotated[
        int | UnsetType,
        Meta(description="They come from a suspicious address, which this worker does not take."),
    ] = UNSET
    img2img: Annotated[int | UnsetType, Meta(description="They have a source image.")] = UNSET
    painting: Annotated[
        int | UnsetType, Meta(description="They are inpainting or outpainting.")
    ] = UNSET
    post_processing: Annotated[int | UnsetType, Meta(description="They want post-processing.")] = (
        msgspec.field(name="post-processing", default=UNSET)
    )
    lora: Annotated[int | UnsetType, Meta(description="They want LoRAs.")] = UNSET
    controlnet: Annotated[int | UnsetType, Meta(description="They want a ControlNet.")] = UNSET
    failed_before: Annotated[
        int | UnsetType,
        Meta(description="This worker failed them; another one that is here goes first."),
    ] = UNSET
    step_count: Annotated[
        int | UnsetType, Meta(description="They have more steps than this worker accepts.")
    ] = UNSET


class ModelPayloadStable(ModelPayloadRootStable, frozen=True, kw_only=True):
    """What a worker is to draw."""

    prompt: Annotated[
        str | UnsetType,
        Meta(description="The prompt which will be sent to Stable Diffusion to generate an image."),
    ] = UNSET
    ddim_steps: Annotated[int | UnsetType, Meta(description="How many steps to draw.")] = UNSET
    n_iter: Annotated[int | UnsetType, Meta(description="The amount of images to generate.")] = (
        UNSET
    )
    use_nsfw_censor: Annotated[
        bool | UnsetType,
        Meta(description="When true will apply NSFW censoring model on the generation."),
    ] = UNSET


class GenerationPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A job, or, when `id` is null, the reasons why there is none."""

    payload: Annotated[
        ModelPayloadStable | UnsetType,
        Meta(description="What to draw; the defaults when there is no job."),
    ] = UNSET
    id: Annotated[
        str | UnsetType | None,
        Meta(description="The UUID for this image generation; null when there is no job."),
    ] = UNSET
    ids: Annotated[
        list[str] | UnsetType,
        Meta(description="The UUIDs of all images of this batch; each is submitted on its own."),
    ] = UNSET
    skipped: Annotated[
        NoValidRequestFoundStable | UnsetType,
        Meta(description="Why waiting requests were passed over; empty beside a job."),
    ] = UNSET
    model: Annotated[
        str | UnsetType | None,
        Meta(description="Which of the available models to use for this request."),
    ] = UNSET
    source_image: Annotated[
        str | UnsetType | None,
        Meta(description="The Base64-encoded WebP to use for img2img, or a link to it."),
    ] = UNSET
    source_processing: Annotated[
        str | UnsetType | None, Meta(description="What to do with the source image.")
    ] = UNSET
    source_mask: Annotated[
        str | UnsetType | None,
        Meta(description="The Base64-encoded WebP which shows where to paint, or a link to it."),
    ] = UNSET
    extra_source_images: Annotated[
        list[ExtraSourceImage] | UnsetType | None,
        Meta(description="More pictures that a remix draws from."),
    ] = UNSET
    r2_upload: Annotated[
        str | UnsetType | None,
        Meta(description="Where to PUT the image; then `generation` is submitted as `R2`."),
    ] = UNSET
    r2_uploads: Annotated[
        list[str] | UnsetType | None,
        Meta(description="Where to PUT the images of this batch, one for each of `ids`."),
    ] = UNSET
    messages: Annotated[
        list[WorkerMessage] | UnsetType | None,
        Meta(description="What the horde wants the worker's owner to read."),
    ] = UNSET
    ttl: Annotated[
        int | UnsetType | None,
        Meta(description="After this many seconds the job is given to another worker."),
    ] = UNSET


class PostJobSubmitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A finished picture, or the news that it failed (`post_job_submit`)."""

    id: Annotated[str, Meta(max_length=255, description="The UUID of the job.")]
    generation: Annotated[
        str,
        Meta(description="The image in Base64, or `R2` when it was put to the upload link."),
    ] = ""
    seed: Annotated[
        Int64 | Annotated[str, Meta(max_length=1000)] | None,
        Meta(description="The seed which generated this image, as a number or a text."),
    ] = None
    state: Annotated[
        JobState, Meta(description="How it went. `faulted` gives the job to another worker.")
    ] = "ok"
    censored: Annotated[
        bool, Meta(description="Accepted and ignored; say it in `gen_metadata`.")
    ] = False
    gen_metadata: Annotated[
        list[GenerationMetadata],
        Meta(max_length=50, description="Remarks about the image; unknown ones are ignored."),
    ] = msgspec.field(default_factory=list)


class GenerationSubmitted(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker's owner earned with a picture."""

    reward: Annotated[
        float | UnsetType,
        Meta(description="The amount of kudos gained for submitting this request."),
    ] = UNSET
