"""Workers: what the horde tells about them, and what their owners and moderators may change."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.acts import Reason


class WorkerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message for the owner of a worker; without `worker_id` it is for all."""

    id: Annotated[str | UnsetType, Meta(description="The UUID of the message.")] = UNSET
    message: Annotated[str | UnsetType, Meta(description="The message itself.")] = UNSET
    origin: Annotated[str | UnsetType | None, Meta(description="Who wrote it.")] = UNSET
    expiry: Annotated[str | UnsetType | None, Meta(description="When it goes away by itself.")] = (
        UNSET
    )
    worker_id: Annotated[
        str | UnsetType | None, Meta(description="The worker it is for; null means all.")
    ] = UNSET
    user_id: Annotated[str | int | UnsetType | None, Meta(description="The user who wrote it.")] = (
        UNSET
    )
    created: Annotated[str | UnsetType | None, Meta(description="When it was written.")] = UNSET


class WorkerKudosDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker earned, by source."""

    generated: Annotated[
        float | UnsetType | None,
        Meta(description="How much Kudos this worker has received for generating images."),
    ] = UNSET
    uptime: Annotated[
        int | UnsetType | None,
        Meta(description="How much Kudos this worker has received for staying online longer."),
    ] = UNSET


class WorkerResults(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker delivered of late, and what was odd about it. All but `refused` was paid."""

    days: Annotated[
        int | UnsetType, Meta(description="In how many days, the running one (UTC) included.")
    ] = UNSET
    delivered: Annotated[int | UnsetType, Meta(description="Images that were taken.")] = UNSET
    looked_at: Annotated[
        int | UnsetType,
        Meta(description="Images that were decoded; of the others only the header was read."),
    ] = UNSET
    censored: Annotated[
        int | UnsetType, Meta(description="Stand-ins that the worker sent for what it drew.")
    ] = UNSET
    other_size: Annotated[
        int | UnsetType, Meta(description="Images of another size than was asked for.")
    ] = UNSET
    blank: Annotated[int | UnsetType, Meta(description="Images of one colour, or nearly.")] = UNSET
    source: Annotated[
        int | UnsetType, Meta(description="Images that were the request's source image.")
    ] = UNSET
    repeat: Annotated[
        int | UnsetType, Meta(description="Images that the worker had sent before.")
    ] = UNSET
    too_fast: Annotated[
        int | UnsetType, Meta(description="Images that came sooner than any machine makes them.")
    ] = UNSET
    refused: Annotated[
        int | UnsetType, Meta(description="What was sent and was no image, or not taken.")
    ] = UNSET


class TeamReference(msgspec.Struct, frozen=True, kw_only=True):
    """The team of a worker; both are null when it has none."""

    name: Annotated[str | UnsetType | None, Meta(description="The team's name.")] = UNSET
    id: Annotated[str | UnsetType | None, Meta(description="The team's UUID.")] = UNSET


class WorkerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What the horde tells about a worker of any kind."""

    name: Annotated[str | UnsetType, Meta(description="The Name given to this worker.")] = UNSET
    id: Annotated[str | UnsetType, Meta(description="The UUID of this worker.")] = UNSET
    type: Annotated[
        str | UnsetType, Meta(description="What it makes: image, text or interrogation.")
    ] = UNSET
    online: Annotated[
        bool | UnsetType, Meta(description="True when it asked for a job in the last 5 minutes.")
    ] = UNSET
    requests_fulfilled: Annotated[
        int | UnsetType, Meta(description="How many images this worker has generated.")
    ] = UNSET
    uncompleted_jobs: Annotated[
        int | UnsetType, Meta(description="How many jobs this worker took and did not finish.")
    ] = UNSET
    kudos_rewards: Annotated[
        float | UnsetType,
        Meta(description="How many Kudos this worker has been rewarded in total."),
    ] = UNSET
    kudos_details: Annotated[
        WorkerKudosDetails | UnsetType, Meta(description="What this worker earned, by source.")
    ] = UNSET
    performance: Annotated[
        str | UnsetType,
        Meta(description="The average performance of this worker in human readable form."),
    ] = UNSET
    threads: Annotated[
        int | UnsetType, Meta(description="How many jobs it does at the same time.")
    ] = UNSET
    uptime: Annotated[
        int | UnsetType,
        Meta(description="The amount of seconds this worker has been online for this Horde."),
    ] = UNSET
    drawing: Annotated[
        bool | UnsetType, Meta(description="True when it is making something at this moment.")
    ] = UNSET
    maintenance_mode: Annotated[
        bool | UnsetType,
        Meta(description="When True, this worker will not pick up any new requests."),
    ] = UNSET
    paused: Annotated[
        bool | UnsetType | None,
        Meta(description="(Privileged) When True, this worker is not given any new requests."),
    ] = UNSET
    info: Annotated[
        str | UnsetType | None,
        Meta(description="Extra information or comments about this worker provided by its owner."),
    ] = UNSET
    nsfw: Annotated[
        bool | UnsetType | None,
        Meta(description="Whether this worker can generate NSFW requests or not."),
    ] = UNSET
    owner: Annotated[
        str | UnsetType | None,
        Meta(
            description="Privileged or public if the owner has allowed it. The alias of the owner"
            " of this worker."
        ),
    ] = UNSET
    ipaddr: Annotated[
        str | UnsetType | None, Meta(description="(Privileged) Where it last came from.")
    ] = UNSET
    contact: Annotated[
        str | UnsetType | None, Meta(description="(Privileged) How to reach its owner.")
    ] = UNSET
    trusted: Annotated[
        bool | UnsetType, Meta(description="The worker is trusted to return valid generations.")
    ] = UNSET
    flagged: Annotated[
        bool | UnsetType, Meta(description="The worker's owner is under suspicion.")
    ] = UNSET
    suspicious: Annotated[
        int | UnsetType | None,
        Meta(description="(Privileged) How much suspicion this worker has accumulated."),
    ] = UNSET
    results: Annotated[
        WorkerResults | UnsetType | None,
        Meta(description="What it delivered of late, and what was odd about it."),
    ] = UNSET
    models: Annotated[
        list[str] | UnsetType | None, Meta(description="Which models this worker is offering.")
    ] = UNSET
    forms: Annotated[
        list[str] | UnsetType | None, Meta(description="Which forms an alchemist is offering.")
    ] = UNSET
    team: Annotated[
        TeamReference | UnsetType | None, Meta(description="The team of this worker.")
    ] = UNSET
    bridge_agent: Annotated[
        str | UnsetType | None,
        Meta(description="The program of this worker, as `name:version:address`."),
    ] = UNSET
    messages: Annotated[
        list[WorkerMessage] | UnsetType | None,
        Meta(description="As `owner`. What the horde wants the worker's owner to read."),
    ] = UNSET


class WorkerDetailsStable(WorkerDetails, frozen=True, kw_only=True):
    """What the horde tells about a worker that draws pictures."""

    max_pixels: Annotated[
        int | UnsetType | None,
        Meta(description="The maximum pixels in resolution this worker can generate."),
    ] = UNSET
    megapixelsteps_generated: Annotated[
        float | UnsetType | None,
        Meta(description="How many megapixelsteps this worker has generated until now."),
    ] = UNSET
    img2img: Annotated[
        bool | UnsetType | None, Meta(description="It takes jobs with a source image.")
    ] = UNSET
    painting: Annotated[
        bool | UnsetType | None, Meta(description="It takes inpainting and outpainting.")
    ] = UNSET
    post_processing: Annotated[
        bool | UnsetType | None, Meta(description="It takes jobs with post-processing.")
    ] = msgspec.field(name="post-processing", default=UNSET)
    lora: Annotated[bool | UnsetType | None, Meta(description="It takes jobs with LoRAs.")] = UNSET
    controlnet: Annotated[
        bool | UnsetType | None, Meta(description="It takes jobs with a ControlNet.")
    ] = UNSET
    sdxl_controlnet: Annotated[
        bool | UnsetType | None,
        Meta(description="It takes jobs with a ControlNet for SDXL models."),
    ] = UNSET
    max_length: Annotated[
        int | UnsetType | None, Meta(description="Text workers: the longest text they write.")
    ] = UNSET
    max_context_length: Annotated[
        int | UnsetType | None, Meta(description="Text workers: the longest text they read.")
    ] = UNSET


class PutWorkerSingleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change about a worker (`put_worker_single`)."""

    maintenance: Annotated[
        bool | None,
        Meta(description="Set to true to put this worker into maintenance."),
    ] = None
    maintenance_msg: Annotated[
        Annotated[str, Meta(max_length=1000)] | None,
        Meta(description="What the worker is told while it is in maintenance."),
    ] = None
    paused: Annotated[
        bool | None, Meta(description="(Mods only) Set to true to pause this worker.")
    ] = None
    info: Annotated[
        Annotated[str, Meta(max_length=1000)] | None,
        Meta(description="A text about this worker for everybody to read."),
    ] = None
    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | None,
        Meta(description="The new name of this worker."),
    ] = None
    team: Annotated[
        Annotated[str, Meta(max_length=36)] | None,
        Meta(description="The team to join. There are no teams here yet."),
    ] = None
    reason: Reason = None


class ModifyWorker(msgspec.Struct, frozen=True, kw_only=True):
    """What was changed about a worker."""

    maintenance: Annotated[
        bool | UnsetType | None,
        Meta(
            description="The new state of the 'maintenance' var for this worker. When True, this"
            " worker will not pick up any new requests."
        ),
    ] = UNSET
    paused: Annotated[
        bool | UnsetType | None,
        Meta(
            description="The new state of the 'paused' var for this worker. When True, this worker"
            " will not be given any new requests."
        ),
    ] = UNSET
    info: Annotated[
        str | UnsetType | None,
        Meta(description="The new state of the 'info' var for this worker."),
    ] = UNSET
    name: Annotated[str | UnsetType | None, Meta(description="The new name for this worker.")] = (
        UNSET
    )
    team: Annotated[str | UnsetType | None, Meta(description="The new team of this worker.")] = (
        UNSET
    )


class DeletedWorker(msgspec.Struct, frozen=True, kw_only=True):
    """The worker that was deleted."""

    deleted_id: Annotated[str | UnsetType, Meta(description="The ID of the deleted worker.")] = (
        UNSET
    )
    deleted_name: Annotated[
        str | UnsetType, Meta(description="The Name of the deleted worker.")
    ] = UNSET
