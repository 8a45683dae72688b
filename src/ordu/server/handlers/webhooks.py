"""Webhooks: `/webhooks/…`, the log of one's own deliveries and the secret that signs them."""

from collections.abc import Sequence

from ordu.engine import webhooks
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.webhooks import (
    WebhookAttempt,
    WebhookDeliveries,
    WebhookDelivery,
    WebhookDeliveryDetails,
    WebhookSecret,
    secret_of,
)
from ordu.server.call import Call, handles
from ordu.server.views import delivery_fields, iso_date
from ordu.store.webhooks import Attempt, Delivery, SigningSecret, signing_secret

PAGE_USUAL = 25


@handles(operations.get_webhook_deliveries)
async def get_webhook_deliveries(call: Call[None]) -> WebhookDeliveries:
    """A part of the caller's log, newest first."""
    webhooks.check_has_log(call.user)
    found, following = await webhooks.page(
        call.horde, call.user, call.query.get("cursor"), limit_of(call)
    )
    shown = [WebhookDelivery(**delivery_fields(each)) for each in found]
    return WebhookDeliveries(deliveries=shown, next=following)


def limit_of(call: Call[None]) -> int:
    """How many deliveries the caller wants.

    Raises:
        Refused: BadParameter.
    """
    text = call.query.get("limit", str(PAGE_USUAL))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= webhooks.PAGE_MAX):
        raise Refused("BadParameter", f"`limit` is a whole number from 1 to {webhooks.PAGE_MAX}.")
    return int(text)


@handles(operations.get_webhook_delivery)
async def get_webhook_delivery(call: Call[None]) -> WebhookDeliveryDetails:
    """One of the caller's deliveries with its attempts."""
    webhooks.check_has_log(call.user)
    return shown(*await webhooks.details(call.horde, call.user, call.path["id"]))


@handles(operations.post_webhook_replay)
async def post_webhook_replay(call: Call[None]) -> WebhookDeliveryDetails:
    """Have one of the caller's deliveries sent again."""
    webhooks.check_has_log(call.user)
    return shown(*await webhooks.replay(call.horde, call.user, call.path["id"]))


@handles(operations.get_webhook_secret)
async def get_webhook_secret(call: Call[None]) -> WebhookSecret:
    """The secret that signs what the caller's webhooks get."""
    webhooks.check_has_log(call.user)
    return secret(call, await call.horde.read(lambda tx: signing_secret(tx, call.user.id)))


@handles(operations.post_webhook_secret)
async def post_webhook_secret(call: Call[None]) -> WebhookSecret:
    """Another secret for the caller's webhooks."""
    webhooks.check_has_log(call.user)
    return secret(call, await webhooks.rotate_secret(call.horde, call.user))


def secret(call: Call[None], signing: SigningSecret) -> WebhookSecret:
    """The caller's secret, derived anew from that of the installation."""
    key = call.secret.key(webhooks.key_label(call.user.id, signing.number))
    return WebhookSecret(
        secret=secret_of(key), since=iso_date(signing.since) if signing.number else None
    )


def shown(delivery: Delivery, attempts: Sequence[Attempt]) -> WebhookDeliveryDetails:
    """A delivery with its attempts, for its owner."""
    log = [
        WebhookAttempt(
            number=each.number,
            at=iso_date(each.began_at),
            took_ms=each.took_ms,
            status=each.status,
            error=each.error,
        )
        for each in attempts
    ]
    return WebhookDeliveryDetails(**delivery_fields(delivery), log=log)
