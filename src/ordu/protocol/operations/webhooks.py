"""`/api/v2/webhooks`: what was delivered to the webhooks of one's requests, and what signs it."""

from ordu.protocol.operations.row import (
    ALWAYS,
    X_FIELDS,
    Counts,
    Era,
    Key,
    Limit,
    Operation,
    api_key,
    in_path,
    in_query,
)
from ordu.protocol.webhooks import WebhookDeliveries, WebhookDeliveryDetails, WebhookSecret

_ACCOUNT = api_key("The API key of whoever placed the requests", required=True)
_ID = in_path("id", "The UUID of the delivery: that of the picture or request it tells of")
_REFUSALS = ALWAYS | {401: "Invalid API Key", 403: "Access Denied"}
_LIMITS = (Limit(90, 60), Limit(60, 60, Counts.KEY))

get_webhook_deliveries = Operation(
    name="get_webhook_deliveries",
    method="GET",
    path="/api/v2/webhooks/deliveries",
    summary="What was sent to your webhooks, and what waits to be",
    description=(
        "Newest first. The log goes back 7 days (`keep_deliveries_s`), and 1,000 deliveries."
        " Anonymous callers share an account and see none."
    ),
    parameters=(
        _ACCOUNT,
        X_FIELDS,
        in_query("cursor", "The `next` of the part before"),
        in_query("limit", "How many, from 1 to 100; 25 when left out", int),
    ),
    reply=WebhookDeliveries,
    status_text="Deliveries",
    refusals=_REFUSALS | {404: "Nothing there at the cursor"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=_LIMITS,
    rcs=("AnonForbidden", "BadParameter", "DeliveryNotFound"),
)

get_webhook_delivery = Operation(
    name="get_webhook_delivery",
    method="GET",
    path="/api/v2/webhooks/deliveries/{id}",
    summary="One delivery with its attempts: when, what was answered, what went wrong",
    parameters=(_ID, _ACCOUNT, X_FIELDS),
    reply=WebhookDeliveryDetails,
    status_text="Delivery",
    refusals=_REFUSALS | {404: "Delivery Not Found"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=_LIMITS,
    rcs=("AnonForbidden", "DeliveryNotFound"),
)

post_webhook_replay = Operation(
    name="post_webhook_replay",
    method="POST",
    path="/api/v2/webhooks/deliveries/{id}/replay",
    summary="Send a delivery again, now, and with all tries should it fail",
    description=(
        "The message has the same `webhook-id` and a new time and signature. Its picture is in it"
        " while the horde keeps that; `img` is null afterwards."
    ),
    parameters=(_ID, _ACCOUNT, X_FIELDS),
    reply=WebhookDeliveryDetails,
    status=202,
    status_text="It is sent again",
    refusals=_REFUSALS | {404: "Delivery Not Found"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=_LIMITS,
    rcs=("AnonForbidden", "DeliveryNotFound"),
)

get_webhook_secret = Operation(
    name="get_webhook_secret",
    method="GET",
    path="/api/v2/webhooks/secret",
    summary="The secret with which receivers check that a message is from this horde and for you",
    parameters=(_ACCOUNT, X_FIELDS),
    reply=WebhookSecret,
    status_text="Secret",
    refusals=_REFUSALS,
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=_LIMITS,
    rcs=("AnonForbidden",),
)

post_webhook_secret = Operation(
    name="post_webhook_secret",
    method="POST",
    path="/api/v2/webhooks/secret",
    summary="Replace the secret; the one before signs as well for a day",
    parameters=(_ACCOUNT, X_FIELDS),
    reply=WebhookSecret,
    status_text="The new secret",
    refusals=_REFUSALS,
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=_LIMITS,
    rcs=("AnonForbidden",),
)
