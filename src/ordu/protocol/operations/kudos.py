"""`/api/v2/kudos`: kudos from one user to another, and from the horde (protocol sheet 21)."""

import msgspec

from ordu.protocol.kudos import (
    KudosAwarded,
    KudosHistory,
    KudosTransferred,
    PostAwardKudosRequest,
    PostTransferKudosRequest,
)
from ordu.protocol.operations.row import (
    ALWAYS,
    IDEMPOTENCY_KEY,
    X_FIELDS,
    Counts,
    Era,
    Key,
    Limit,
    Operation,
    api_key,
    in_query,
)

_IDEMPOTENCY_KEY = msgspec.structs.replace(
    IDEMPOTENCY_KEY,
    description=(
        "The same key again, with the same body, gets the same answer for 30 days and moves nothing"
    ),
)

post_transfer_kudos = Operation(
    name="post_transfer_kudos",
    method="POST",
    path="/api/v2/kudos/transfer",
    summary="Transfer Kudos to another registered user",
    parameters=(
        api_key("The sending user's API key", required=True),
        X_FIELDS,
        _IDEMPOTENCY_KEY,
    ),
    request=PostTransferKudosRequest,
    reply=KudosTransferred,
    status_text="Kudos Transferred",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied"},
    key=Key.REQUIRED,
    limits=(Limit(1, 1, Counts.KEY), Limit(90, 3600, Counts.KEY)),
    rcs=(
        "BadRequest",
        "IdempotencyKeyConflict",
        "KudosTransferFromAnon",
        "InvalidTargetUsername",
        "KudosTransferToAnon",
        "KudosTransferToSelf",
        "TooFastKudosTransfers",
        "FaultWhenKudosSending",
        "SourceAccountFlagged",
        "EducationCannotSendKudos",
        "FaultWhenKudosReceiving",
        "TargetAccountFlagged",
        "DeletedUser",
        "NegativeKudosTransfer",
        "InvalidKudosTransferAmount",
        "KudosTransferNotEnough",
    ),
)

post_award_kudos = Operation(
    name="post_award_kudos",
    method="POST",
    path="/api/v2/kudos/award",
    summary="Award Kudos to a registered user",
    description="Only user 1 may do this. A negative amount takes kudos away.",
    parameters=(
        api_key("The administrator's API key", required=True),
        X_FIELDS,
        _IDEMPOTENCY_KEY,
    ),
    request=PostAwardKudosRequest,
    reply=KudosAwarded,
    status_text="Kudos Awarded",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied"},
    key=Key.REQUIRED,
    era=Era.TODAY,
    rcs=(
        "BadRequest",
        "IdempotencyKeyConflict",
        "NotAllowedAwards",
        "InvalidAwardUsername",
        "KudosAwardToAnon",
        "TargetAccountFlagged",
        "DeletedUser",
        "InvalidKudosTransferAmount",
        "KudosTransferNotEnough",
    ),
)

get_kudos_history = Operation(
    name="get_kudos_history",
    method="GET",
    path="/api/v2/kudos/history",
    summary="What moved of your kudos",
    description=(
        "Newest first, from the books. With `by=day` it is summed up by the days of UTC, 92 at"
        " most; the sums lag by about a second. With `Accept: text/csv` the movements come as a"
        " table, up to 10,000 rows; when there are more the header `Link` has where they go on."
        " Anonymous callers share an account that has no kudos."
    ),
    parameters=(
        api_key("The API key of the user", required=True),
        X_FIELDS,
        in_query("cursor", "The `next` of the part before"),
        in_query("limit", "How many, from 1 to 200; 50 when left out", int),
        in_query("kind", "Only these: `earned`, `spent`, `given`, `received` or `other`"),
        in_query("worker_id", "Only what this worker made; of days, what it earned you"),
        in_query("since", "Only from this moment on: ISO 8601, UTC when it has no zone"),
        in_query("until", "Only before this moment"),
        in_query("by", "`day`: sums of each day instead of movements"),
    ),
    reply=KudosHistory,
    status_text="Kudos History",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(90, 60), Limit(60, 60, Counts.KEY)),
    rcs=("AnonForbidden", "BadParameter"),
)
