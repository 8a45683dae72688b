# Derived from _async_webhooks.py by scripts/sync_client.py: edit that, then `make sync-client`.
# ruff: noqa: A002 - parameters have the names of the API, `id` among them
"""The operations about webhooks as methods (Ordu's servers only); `ordu.client.webhooks` is for
those who receive what is delivered.
"""

from ordu.client import wire
from ordu.client._sync_line import SyncLine
from ordu.protocol import operations
from ordu.protocol.webhooks import WebhookDeliveries, WebhookDeliveryDetails, WebhookSecret


class SyncWebhookOperations:
    """What can be asked about one's webhooks, over one line to a horde."""

    _line: SyncLine

    def get_webhook_deliveries(
        self,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> WebhookDeliveries:
        """What was sent to your webhooks, newest first; `next` is the cursor of the next part.

        Example:
            for delivery in (horde.get_webhook_deliveries(limit=10)).deliveries:
                print(delivery.id, delivery.state, delivery.attempts)
        """
        return self._line.call(
            operations.get_webhook_deliveries,
            WebhookDeliveries,
            apikey=apikey,
            x_fields=x_fields,
            query=wire.query_of(cursor=cursor, limit=limit),
        )

    def get_webhook_delivery(
        self, id: str, apikey: str | None = None, x_fields: str | None = None
    ) -> WebhookDeliveryDetails:
        """One delivery with its attempts.

        Example:
            delivery = horde.get_webhook_delivery(delivery_id)
            print(delivery.state, [attempt.error for attempt in delivery.log])
        """
        return self._line.call(
            operations.get_webhook_delivery,
            WebhookDeliveryDetails,
            apikey=apikey,
            x_fields=x_fields,
            ids={"id": id},
        )

    def post_webhook_replay(
        self, id: str, apikey: str | None = None, x_fields: str | None = None
    ) -> WebhookDeliveryDetails:
        """Have a delivery sent again, now.

        Example:
            delivery = horde.post_webhook_replay(delivery_id)
            print(delivery.state)
        """
        return self._line.call(
            operations.post_webhook_replay,
            WebhookDeliveryDetails,
            apikey=apikey,
            x_fields=x_fields,
            ids={"id": id},
        )

    def get_webhook_secret(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> WebhookSecret:
        """The secret with which `ordu.client.webhooks.verify` checks what you receive.

        Example:
            secret = (horde.get_webhook_secret()).secret
        """
        return self._line.call(
            operations.get_webhook_secret, WebhookSecret, apikey=apikey, x_fields=x_fields
        )

    def post_webhook_secret(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> WebhookSecret:
        """Replace the secret; the one before signs as well for a day.

        Example:
            secret = (horde.post_webhook_secret()).secret
        """
        return self._line.call(
            operations.post_webhook_secret, WebhookSecret, apikey=apikey, x_fields=x_fields
        )
