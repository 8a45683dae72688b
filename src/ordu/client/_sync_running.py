# Derived from _async_running.py by scripts/sync_client.py: edit that, then `make sync-client`.
# ruff: noqa: A002 - parameters have the names of the API, `id` among them
"""The operations of those who run a horde as methods: news, the log of acts, settings, health.

They are Ordu's own; `put_horde_modes` and changes of users and workers stand with the rest.
"""

from ordu.client import wire
from ordu.client._sync_line import SyncLine
from ordu.client.wire import Fields
from ordu.protocol import operations
from ordu.protocol.acts import HordeActs
from ordu.protocol.running import HordeHealth, HordeSetting
from ordu.protocol.status import DeletedNewspiece, Newspiece, PutHordeNewsRequest


class SyncRunningOperations:
    """What moderators and the administrator can ask of a horde, over one line to it."""

    _line: SyncLine

    def put_horde_news(
        self,
        payload: PutHordeNewsRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> Newspiece:
        """Publish a piece of news, or with `id` change one.

        Example:
            piece = horde.put_horde_news({"newspiece": "The horde moves on Friday."})
            horde.put_horde_news({"id": piece.id, "title": "Moving"})
        """
        return self._line.call(
            operations.put_horde_news,
            Newspiece,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
        )

    def delete_horde_news(
        self,
        id: int,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        reason: str | None = None,
    ) -> DeletedNewspiece:
        """Take a piece of news back.

        Example:
            newest = (horde.get_horde_news())[0]
            horde.delete_horde_news(newest.id, reason="it was over")
        """
        return self._line.call(
            operations.delete_horde_news,
            DeletedNewspiece,
            apikey=apikey,
            x_fields=x_fields,
            query=wire.query_of(id=id, reason=reason),
        )

    def get_horde_audit(
        self,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        actor: str | None = None,
        operation: str | None = None,
        target: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> HordeActs:
        """What those who run the horde did, newest first; `next` is the cursor of the next part.

        Example:
            for act in (horde.get_horde_audit(limit=10, target="user")).acts:
                print(act.date, act.who, act.operation, act.target.name, act.reason)
        """
        return self._line.call(
            operations.get_horde_audit,
            HordeActs,
            apikey=apikey,
            x_fields=x_fields,
            query=wire.query_of(
                cursor=cursor,
                limit=limit,
                actor=actor,
                operation=operation,
                target=target,
                since=since,
                until=until,
            ),
        )

    def get_horde_settings(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> list[HordeSetting]:
        """The settings that the server runs with; secrets are not shown.

        Example:
            for setting in horde.get_horde_settings():
                print(setting.name, setting.value, setting.origin)
        """
        return self._line.call(
            operations.get_horde_settings, list[HordeSetting], apikey=apikey, x_fields=x_fields
        )

    def get_horde_health(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> HordeHealth:
        """How the horde is: its work, its books, its disk.

        Example:
            health = horde.get_horde_health()
            print(health.pictures_waiting, "wait,", health.faulted_day, "failed in 24 hours")
        """
        return self._line.call(
            operations.get_horde_health, HordeHealth, apikey=apikey, x_fields=x_fields
        )
