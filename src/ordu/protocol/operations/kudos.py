"""`/api/v2/kudos`: kudos from one user to another, and from the horde (protocol sheet 21)."""

import msgspec

from ordu.protocol.kudos import (
    KudosAwarded,
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
