"""`/api/v2/kudos`: kudos from one user to another (protocol sheet 21)."""

from ordu.protocol.kudos import KudosTransferred, PostTransferKudosRequest
from ordu.protocol.operations.row import ALWAYS, X_FIELDS, Key, Operation, api_key

post_transfer_kudos = Operation(
    name="post_transfer_kudos",
    method="POST",
    path="/api/v2/kudos/transfer",
    summary="Transfer Kudos to another registered user",
    parameters=(api_key("The sending user's API key", required=True), X_FIELDS),
    request=PostTransferKudosRequest,
    reply=KudosTransferred,
    status_text="Kudos Transferred",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied"},
    key=Key.REQUIRED,
)
