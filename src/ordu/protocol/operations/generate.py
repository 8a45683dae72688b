"""`/api/v2/generate`: picture requests and the jobs made of them (protocol sheets 10 and 11)."""

import msgspec

from ordu.protocol.events import STREAM
from ordu.protocol.explanations import RequestExplanation
from ordu.protocol.jobs import (
    GenerationPayload,
    GenerationSubmitted,
    PopInputStable,
    PostJobSubmitRequest,
)
from ordu.protocol.operations.row import (
    ALWAYS,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    LAST_EVENT_ID,
    PREFER,
    X_FIELDS,
    Counts,
    Era,
    Key,
    Limit,
    Nulls,
    Operation,
    api_key,
    in_path,
)
from ordu.protocol.requests import (
    GenerationInput,
    RequestAsync,
    RequestStatusCheck,
    RequestStatusStable,
)

_ACCOUNT = api_key("The API Key corresponding to a registered user", required=True)
_REQUEST_ID = in_path("id", "The UUID of the request")

_STREAM_LENGTH = msgspec.structs.replace(
    PREFER,
    description=(
        "`wait=60`: end after so many seconds at the latest (600 at most). Heard when the answer"
        " has `Preference-Applied`"
    ),
)
_UNCHANGED = {304: "Nothing happened since the version of If-None-Match"}

_PLACING = ALWAYS | {
    401: "Invalid API Key",
    403: "Access Denied",
    404: "Worker Not Found",
    429: "Too Many Prompts",
    501: "Not Implemented",
    503: "Maintenance Mode",
}

_ASKING = (
    Limit(90, 60, Counts.PATH),
    Limit(2, 1, Counts.PATH),
    Limit(2, 1, Counts.KEY, anonymous=60),
)
# What a request may be refused for, whichever way it is placed.
_REFUSED = (
    "BadRequest",
    "IdempotencyKeyConflict",
    "DeletedUser",
    "TimeoutIP",
    "MissingPrompt",
    "BadCFGDecimals",
    "TooManyExtraSourceImages.",
    "MoreThanMinExtraSourceImage.",
    "RequiresTrust",
    "TooManyLoras",
    "BadLoraVersion",
    "TooManyTIs",
    "InvalidTransparencyModel",
    "ControlNetMismatch.",
    "CorruptPrompt",
    "HiResMismatch",
    "InvalidPromptSize",
    "UnexpectedModelName",
    "TooManyUpscalers",
    "SourceMaskUnnecessary",
    "ControlNetUnsupported",
    "ControlNetSourceMissing",
    "ControlNetInpaintingMismatch",
    "ControlNetMismatch",
    "InvalidTransparencyImg2Img",
    "InvalidTransparencyCN",
    "InvalidRemix",
    "InvalidExtraSourceImages.",
    "InvalidExtraTexts.",
    "MissingExtraTexts.",
    "SourceImageRequiredForModel",
    "InpaintingMissingMask",
    "BadPicture",
    "SourceImageUrlInvalid",
    "ImageValidationFailed",
    "SourceImageSizeExceeded",
    "SourceImageUnreadable",
    "SourceImageResolutionExceeded",
    "NotImplemented",
    "WorkerNotFound",
    "MaintenanceMode",
    "TooManyPrompts",
    "KudosUpfront",
)
_WORKING = (Limit(60, 1),)  # all workers behind one address together

post_async_generate = Operation(
    name="post_async_generate",
    method="POST",
    path="/api/v2/generate/async",
    summary="Initiate an Asynchronous request to generate images",
    description=(
        "This endpoint will immediately return with the UUID of the request for generation. It"
        " will always be accepted, even if there are no workers available currently to fulfill this"
        " request: perhaps some will appear soon. Asynchronous requests live for 20 minutes after"
        " they were placed, last popped or last delivered. A dry run is answered with status 200,"
        " the kudos, and an `outlook`: who could serve the request, when it would be drawn if it"
        " were placed now, and what would start it sooner. It checks no source image, so any text"
        " can stand for one."
    ),
    parameters=(_ACCOUNT, IDEMPOTENCY_KEY, X_FIELDS),
    request=GenerationInput,
    reply=RequestAsync,
    status=202,
    status_text="Generation Queued",
    likewise={200: "Dry Run: nothing was queued"},
    refusals=_PLACING,
    nulls=Nulls.SKIP,
    key=Key.REQUIRED,
    limits=_ASKING,
    rcs=_REFUSED,
)

post_sync_generate = Operation(
    name="post_sync_generate",
    method="POST",
    path="/api/v2/generate/sync",
    summary="Initiate a Synchronous request to generate images",
    description=(
        "This connection will only terminate when the images have been generated, or an error"
        " occurred. If your connection is interrupted, you will not have the request UUID, so you"
        " cannot retrieve the images asynchronously: the request is cancelled. With an"
        " `Idempotency-Key` it goes on, and the same call made again waits for it."
    ),
    parameters=(_ACCOUNT, IDEMPOTENCY_KEY, X_FIELDS),
    request=GenerationInput,
    reply=RequestStatusStable,
    status_text="Images Generated",
    refusals=_PLACING | {410: "Request Expired", 503: "Maintenance Mode, or no worker for it"},
    key=Key.REQUIRED,
    limits=_ASKING,
    rcs=(
        *_REFUSED,
        "NoValidWorkers",
        "TooManyWaiters",
        "RequestExpired",
    ),
)

get_async_check = Operation(
    name="get_async_check",
    method="GET",
    path="/api/v2/generate/check/{id}",
    summary="Retrieve the status of an Asynchronous generation request without images",
    description=(
        "Use this request to check the status of a currently running asynchronous request without"
        " consuming bandwidth. The answer has an `ETag`, which says what happened to the request,"
        " not where it stands in line."
    ),
    parameters=(_REQUEST_ID, PREFER, IF_NONE_MATCH, X_FIELDS),
    reply=RequestStatusCheck,
    status_text="Async Request Status Check",
    also=_UNCHANGED,
    refusals=ALWAYS | {404: "Request Not Found"},
    limits=(Limit(10, 1, Counts.PATH),),
    rcs=("RequestNotFound",),
)

get_async_status = Operation(
    name="get_async_status",
    method="GET",
    path="/api/v2/generate/status/{id}",
    summary="Retrieve the full status of an Asynchronous generation request",
    description=(
        "This request will include all already generated images, as base64 encoded .webp files or"
        " as links. As such, you are requested to not retrieve this endpoint often. Instead use the"
        " /check/ endpoint first. Reading a finished request does not remove it."
    ),
    parameters=(_REQUEST_ID, PREFER, IF_NONE_MATCH, X_FIELDS),
    reply=RequestStatusStable,
    status_text="Async Request Full Status",
    also=_UNCHANGED,
    refusals=ALWAYS | {404: "Request Not Found"},
    limits=(Limit(10, 60, Counts.PATH),),
    rcs=("RequestNotFound",),
)

get_async_events = Operation(
    name="get_async_events",
    method="GET",
    path="/api/v2/generate/status/{id}/events",
    summary="Follow an Asynchronous generation request as it happens",
    description=(
        "Server-Sent Events: `queued` and `processing` with the fields of /check/, the second also"
        " with `jobs` (`id`, `worker_id`, `worker_name`, `model` of each that runs), `position`"
        " (`position`, `wait_time`) when it moves in line, `picture` with the fields of a"
        " generation and a link in `img`, and at the end `done` with the fields of /check/ and"
        " `state`: `done`, `faulted`, `cancelled` or `expired`. Only what is new is told, so a"
        " reader may miss states that are over, but no picture and never the end. The stream ends"
        " after ten minutes at most, then come back with `Last-Event-ID`. The answer to"
        " post_async_generate has a `Link` of `rel=monitor` to it."
    ),
    parameters=(_REQUEST_ID, LAST_EVENT_ID, _STREAM_LENGTH),
    status_text="The events",
    also={204: "All of it was seen, and nothing more will come"},
    refusals=ALWAYS | {404: "Request Not Found"},
    era=Era.ORDU,
    limits=(Limit(30, 60, Counts.PATH),),
    rcs=("RequestNotFound", "TooManyWaiters"),
    produces=STREAM,
)

delete_async_status = Operation(
    name="delete_async_status",
    method="DELETE",
    path="/api/v2/generate/status/{id}",
    summary="Cancel an unfinished request",
    description=(
        "This request will include all already generated images in base64 encoded .webp files."
        " What waits is dropped; what a worker draws already is finished and can be read."
    ),
    parameters=(_REQUEST_ID, X_FIELDS),
    reply=RequestStatusStable,
    status_text="Async Request Full Status",
    refusals=ALWAYS | {404: "Request Not Found"},
    limits=(Limit(10, 60, Counts.PATH),),
    rcs=("RequestNotFound",),
)

post_job_pop = Operation(
    name="post_job_pop",
    method="POST",
    path="/api/v2/generate/pop",
    summary="Check if there are generation requests queued for fulfillment",
    description=(
        "This endpoint is used by registered workers only. The first pop under a new name"
        " registers the worker. Without a job `id` is null and `skipped` says why."
    ),
    parameters=(_ACCOUNT, PREFER, X_FIELDS),
    request=PopInputStable,
    reply=GenerationPayload,
    status_text="Generation Popped",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied"},
    key=Key.REQUIRED,
    limits=_WORKING,
    rcs=(
        "BadRequest",
        "DeletedUser",
        "TimeoutIP",
        "AnonForbiddenWorker",
        "WorkerFlaggedMaintenance",
        "WorkerInviteOnly",
        "TooManyWorkers",
        "TooManyWorkersTrusted",
        "TooManySameIPs",
        "WrongCredentials",
        "PolymorphicNameConflict",
        "WorkerMaintenance",
    ),
)

post_job_submit = Operation(
    name="post_job_submit",
    method="POST",
    path="/api/v2/generate/submit",
    summary="Submit a generated image",
    description="This endpoint is used by registered workers only.",
    parameters=(api_key("The worker's owner API key", required=True), X_FIELDS),
    request=PostJobSubmitRequest,
    reply=GenerationSubmitted,
    status_text="Generation Submitted",
    refusals=ALWAYS
    | {
        400: "Generation Already Submitted",
        401: "Invalid API Key",
        403: "Access Denied",
        404: "Request Not Found",
    },
    key=Key.REQUIRED,
    limits=_WORKING,
    rcs=(
        "InvalidJobID",
        "WrongCredentials",
        "DuplicateGen",
        "AbortedGen",
        "BadPicture",
        "NotImplemented",
    ),
)

get_async_explain = Operation(
    name="get_async_explain",
    method="GET",
    path="/api/v2/generate/explain/{id}",
    summary="Why a request waits, who could serve it, and what would start it sooner",
    description=(
        "Each change that would help is told with how many workers could serve the request then and"
        " when it would start, if it were placed anew with it. What no single change helps, a pair"
        " of two may. Numbers are estimates of now."
    ),
    parameters=(_REQUEST_ID, X_FIELDS),
    reply=RequestExplanation,
    status_text="Explanation of the Request",
    refusals=ALWAYS | {404: "Request Not Found"},
    era=Era.ORDU,
    limits=(Limit(10, 1, Counts.PATH),),
    rcs=("RequestNotFound",),
)
