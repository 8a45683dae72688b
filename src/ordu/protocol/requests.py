"""Picture requests: what a client sends to place one, and what it reads about it afterwards.

Every field of an answer may be missing, so that one client reads the servers of both eras; the
server fills all of them (protocol sheet 10). In what is sent, a null counts as "not given"
(`decoding.py`).
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.explanations import RequestOutlook
from ordu.protocol.params import ModelGenerationInputStable, Name

SourceProcessing: TypeAlias = Literal["img2img", "inpainting", "outpainting", "remix"]


class ExtraSourceImage(msgspec.Struct, frozen=True, kw_only=True):
    """One more picture that a remix draws from."""

    image: Annotated[str, Meta(min_length=1, description="The image in Base64, or a link to it.")]
    strength: Annotated[
        float, Meta(ge=-1000, le=1000, description="How strongly it acts on the result.")
    ] = 1.0


class GenerationInput(msgspec.Struct, frozen=True, kw_only=True):
    """A request for pictures (`post_async_generate`, `post_sync_generate`)."""

    prompt: Annotated[
        str,
        Meta(
            min_length=1,
            description="The prompt which will be sent to Stable Diffusion to generate an image."
            " What follows `###` is what should not be in it.",
        ),
    ]
    params: Annotated[
        ModelGenerationInputStable, Meta(description="How the picture is to be drawn.")
    ] = msgspec.field(default_factory=ModelGenerationInputStable)
    nsfw: Annotated[
        bool,
        Meta(
            description="Set to true if this request is NSFW. This will skip workers which do not"
            " make such images."
        ),
    ] = True
    trusted_workers: Annotated[
        bool,
        Meta(
            description="When true, only trusted workers will serve this request. When false,"
            " evaluating workers will also be used, which can increase speed but adds more risk."
        ),
    ] = False
    censor_nsfw: Annotated[
        bool,
        Meta(
            description="If the request is SFW, and the worker accidentally generates NSFW, it"
            " will send back a censored image."
        ),
    ] = True
    workers: Annotated[
        list[Annotated[str, Meta(max_length=255)]],
        Meta(
            max_length=1000,
            description="The ids of the workers which are allowed to serve this request.",
        ),
    ] = msgspec.field(default_factory=list)
    models: Annotated[
        list[Name],
        Meta(
            max_length=1000,
            description="Which models may be used for this request. An empty list means any.",
        ),
    ] = msgspec.field(default_factory=lambda: ["stable_diffusion"])
    source_image: Annotated[
        str | None, Meta(description="The WebP to use for img2img: Base64, or a public link to it.")
    ] = None
    worker_blacklist: Annotated[
        bool, Meta(description="When true, `workers` are those which may not serve the request.")
    ] = False
    slow_workers: Annotated[
        bool, Meta(description="When false, slow workers are left out. Needs kudos up front.")
    ] = True
    extra_slow_workers: Annotated[
        bool, Meta(description="When true, workers which call themselves extra slow may serve it.")
    ] = False
    validated_backends: Annotated[
        bool, Meta(description="Without effect on images; accepted because programs send it.")
    ] = True
    source_processing: Annotated[
        SourceProcessing, Meta(description="What is done with the source image.")
    ] = "img2img"
    source_mask: Annotated[
        str | None,
        Meta(description="The Base64-encoded WebP which shows where to paint in the source image."),
    ] = None
    # More than five are refused by a rule with an rc of its own.
    extra_source_images: Annotated[
        Annotated[list[ExtraSourceImage], Meta(max_length=100)] | None,
        Meta(description="More pictures that a remix draws from, at most 5."),
    ] = None
    # Absent is base64: programs of 2022 know no links (protocol sheet 60 §1.2).
    r2: Annotated[
        bool, Meta(description="When true, images come as links instead of Base64 text.")
    ] = False
    shared: Annotated[
        bool, Meta(description="The images may be shared. Accepted and without effect.")
    ] = False
    replacement_filter: Annotated[
        bool, Meta(description="When true, a suspicious prompt is cleaned instead of refused.")
    ] = True
    dry_run: Annotated[
        bool,
        Meta(description="When true, only price and outlook are told; nothing is drawn."),
    ] = False
    proxied_account: Annotated[
        Annotated[str, Meta(max_length=255)] | None,
        Meta(description="For service accounts: whom the request is made for."),
    ] = None
    disable_batching: Annotated[
        bool, Meta(description="When true, a worker takes one image of this request at a time.")
    ] = False
    allow_downgrade: Annotated[
        bool,
        Meta(description="When kudos do not suffice, lower size and steps instead of refusing."),
    ] = False
    webhook: Annotated[
        Annotated[str, Meta(min_length=10, max_length=1024)] | None,
        Meta(
            description="An https address that gets a signed POST with every finished image, and is"
            " tried again for 17 hours until it answers 200 to 299."
        ),
    ] = None
    webhook_end: Annotated[
        bool, Meta(description="When true, `webhook` also gets a POST when the request has ended.")
    ] = False
    style: Annotated[
        Annotated[str, Meta(min_length=3, max_length=1024)] | None,
        Meta(description="A style of the public horde. Not served here yet."),
    ] = None


class RequestWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a request that may not be what its author meant; it is served anyway."""

    code: Annotated[
        str | UnsetType, Meta(description="What it is about, for programs to read.")
    ] = UNSET
    message: Annotated[
        str | UnsetType, Meta(description="What it is about, for people to read.")
    ] = UNSET


class RequestAsync(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a placed request; a dry run is answered with its kudos and its outlook."""

    id: Annotated[
        str | UnsetType,
        Meta(
            description="The UUID of the request. Use this to retrieve the request status in the"
            " future."
        ),
    ] = UNSET
    message: Annotated[
        str | UnsetType | None,
        Meta(description="Any extra information from the horde about this request."),
    ] = UNSET
    kudos: Annotated[
        float | UnsetType,
        Meta(description="What the request will cost, in the whole number of kudos nearest above."),
    ] = UNSET
    kudos_exact: Annotated[
        float | UnsetType, Meta(description="What the request will cost, to the hundredth.")
    ] = UNSET
    warnings: Annotated[
        list[RequestWarning] | UnsetType | None,
        Meta(description="What about this request may not be meant."),
    ] = UNSET
    outlook: Annotated[
        RequestOutlook | UnsetType,
        Meta(description="Of a dry run: when it would be drawn, and what would start it sooner."),
    ] = UNSET


class RequestStatusCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How far a request has come, without its pictures."""

    finished: Annotated[
        int | UnsetType, Meta(description="The amount of finished images in this request.")
    ] = UNSET
    processing: Annotated[
        int | UnsetType, Meta(description="The amount of still processing images in this request.")
    ] = UNSET
    restarted: Annotated[
        int | UnsetType,
        Meta(description="The amount of images that a worker failed to make and another got."),
    ] = UNSET
    waiting: Annotated[
        int | UnsetType,
        Meta(description="The amount of images waiting to be picked up by a worker."),
    ] = UNSET
    done: Annotated[
        bool | UnsetType,
        Meta(description="True when all images in this request are done. Else False."),
    ] = UNSET
    faulted: Annotated[
        bool | UnsetType,
        Meta(description="True when this request failed too often and cannot be completed."),
    ] = UNSET
    wait_time: Annotated[
        int | UnsetType,
        Meta(
            description="The expected amount to wait (in seconds) to generate all images in this"
            " request."
        ),
    ] = UNSET
    queue_position: Annotated[
        int | UnsetType,
        Meta(
            description="The position in the requests queue. This position is determined by"
            " relative Kudos amounts."
        ),
    ] = UNSET
    kudos: Annotated[
        float | UnsetType,
        Meta(description="What was charged so far, in the whole number of kudos nearest above."),
    ] = UNSET
    kudos_exact: Annotated[
        float | UnsetType, Meta(description="What was charged so far, to the hundredth.")
    ] = UNSET
    is_possible: Annotated[
        bool | UnsetType,
        Meta(description="False when no worker that is online now could serve this request."),
    ] = UNSET


class GenerationMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A remark of the worker about a picture: something failed to load, it was censored, …"""

    type: Annotated[Name, Meta(description="What the remark is about, such as `censorship`.")]
    value: Annotated[Name, Meta(description="What is said about it, such as `nsfw`.")]
    ref: Annotated[
        Annotated[str, Meta(max_length=255)] | UnsetType | None,
        Meta(description="Which of several it is about, or a free text."),
    ] = UNSET


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a finished result comes from."""

    worker_id: Annotated[
        str | UnsetType | None,
        Meta(description="The UUID of the worker which generated this image."),
    ] = UNSET
    worker_name: Annotated[
        str | UnsetType | None,
        Meta(description="The name of the worker which generated this image."),
    ] = UNSET
    model: Annotated[
        str | UnsetType | None, Meta(description="The model which generated this image.")
    ] = UNSET


class GenerationStable(Generation, frozen=True, kw_only=True):
    """A finished picture."""

    img: Annotated[
        str | UnsetType,
        Meta(description="The generated image as a Base64-encoded .webp file, or a link to it."),
    ] = UNSET
    seed: Annotated[str | UnsetType, Meta(description="The seed which generated this image.")] = (
        UNSET
    )
    id: Annotated[str | UnsetType, Meta(description="The UUID of this image.")] = UNSET
    censored: Annotated[
        bool | UnsetType, Meta(description="True when the worker censored this image.")
    ] = UNSET
    state: Annotated[
        str | UnsetType, Meta(description="Always `ok`; there for programs that ask for it.")
    ] = UNSET
    gen_metadata: Annotated[
        list[GenerationMetadata] | UnsetType | None,
        Meta(description="What the worker remarked about this image."),
    ] = UNSET


class RequestStatusStable(RequestStatusCheck, frozen=True, kw_only=True):
    """How far a request has come, with the pictures that are finished."""

    generations: Annotated[
        list[GenerationStable] | UnsetType, Meta(description="The finished images.")
    ] = UNSET
    shared: Annotated[
        bool | UnsetType | None, Meta(description="Whether the images may be shared.")
    ] = UNSET
