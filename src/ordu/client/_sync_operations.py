# Derived from _async_operations.py by scripts/sync_client.py: edit that, then `make sync-client`.
# ruff: noqa: A002 - parameters have the names of the API, `id` and `type` among them
"""Every operation of a horde as a method, by the operation's name and with its parameters.

`payload` is the struct of `ordu.protocol` or a mapping with the same fields, `apikey` falls back to
the client's own, `x_fields` asks for only some fields of the answer. What today's servers take
besides is keyword-only; a call with the same `idempotency_key` is done once by hordes that honour
it, and without one each call has a fresh one. Fields that a server did not send are
`msgspec.UNSET`. Times are in seconds, sizes in pixels, money in kudos.

Every "no" is a `HordeError`: `BadInput`, `UnknownKey`, `NotAllowed`, `NotFound`, `TooMuch`,
`KudosRefused`, `Closed`, `NotImplementedByHorde` or `BrokenHorde`, and `Unreachable` when no answer
came. Which `rc` an operation has stands in the reference of operations.
"""

from ordu.client import wire
from ordu.client._sync_registering import SyncRegistering
from ordu.client._sync_running import SyncRunningOperations
from ordu.client._sync_sign_ins import SyncSignInOperations
from ordu.client._sync_surroundings import SyncSurroundings
from ordu.client._sync_webhooks import SyncWebhookOperations
from ordu.client.wire import Fields
from ordu.protocol import operations
from ordu.protocol.explanations import RequestExplanation
from ordu.protocol.export import UserExport
from ordu.protocol.jobs import (
    GenerationPayload,
    GenerationSubmitted,
    PopInputStable,
    PostJobSubmitRequest,
)
from ordu.protocol.kudos import (
    KudosAwarded,
    KudosHistory,
    KudosTransferred,
    PostAwardKudosRequest,
    PostTransferKudosRequest,
)
from ordu.protocol.registration import ReplacedKey
from ordu.protocol.requests import (
    GenerationInput,
    RequestAsync,
    RequestStatusCheck,
    RequestStatusStable,
)
from ordu.protocol.users import DeletedUser, ModifyUser, PutUserSingleRequest, UserDetailsStable


class SyncOperations(
    SyncSurroundings,
    SyncRegistering,
    SyncRunningOperations,
    SyncWebhookOperations,
    SyncSignInOperations,
):
    """What can be asked of a horde, over one line to it."""

    # -- requests ------------------------------------------------------------------------------

    def post_async_generate(
        self,
        payload: GenerationInput | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> RequestAsync:
        """Place a request for pictures; the answer has the `id` to look for them with.

        With the same `idempotency_key` it is placed once, however often this is called (Ordu only).

        Example:
            placed = horde.post_async_generate(
                {"prompt": "a fox", "params": {"width": 512, "height": 512, "steps": 20, "n": 2}}
            )
            print(placed.id, placed.kudos)
        """
        return self._line.call(
            operations.post_async_generate,
            RequestAsync,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            idempotency_key=idempotency_key or wire.fresh_key(),
        )

    def post_sync_generate(
        self,
        payload: GenerationInput | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> RequestStatusStable:
        """Place a request for pictures and get them in the answer, which may take long.

        With the same `idempotency_key` it waits for the same request again (Ordu only); then the
        request goes on when this call is given up. Without one it goes with the call.

        Example:
            status = horde.post_sync_generate({"prompt": "a fox", "models": [], "r2": True})
            data = horde.fetch(status.generations[0].img)
        """
        return self._line.call(
            operations.post_sync_generate,
            RequestStatusStable,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            idempotency_key=idempotency_key,
            timeout_s=wire.SYNC_TIMEOUT_S,
        )

    def get_async_check(
        self, id: str, x_fields: str | None = None, *, prefer: str | None = None
    ) -> RequestStatusCheck:
        """How far a request is, without its pictures; with `prefer="wait=30"` when it changes.

        Example:
            check = horde.get_async_check(request_id)
            print(check.finished, "finished,", check.wait_time, "seconds left")
        """
        return self._line.call(
            operations.get_async_check,
            RequestStatusCheck,
            prefer=prefer,
            x_fields=x_fields,
            ids={"id": id},
        )

    def get_async_status(
        self, id: str, x_fields: str | None = None, *, prefer: str | None = None
    ) -> RequestStatusStable:
        """How far a request is, with the pictures that are finished.

        With `prefer="wait=30"` the answer comes when something changes. Servers of 2022 forget a
        finished request with this answer.

        Example:
            status = horde.get_async_status(request_id)
            print([generation.seed for generation in status.generations])
        """
        return self._line.call(
            operations.get_async_status,
            RequestStatusStable,
            prefer=prefer,
            x_fields=x_fields,
            ids={"id": id},
        )

    def delete_async_status(self, id: str, x_fields: str | None = None) -> RequestStatusStable:
        """Cancel a request; what is finished comes with the answer.

        Example:
            status = horde.delete_async_status(request_id)
        """
        return self._line.call(
            operations.delete_async_status, RequestStatusStable, x_fields=x_fields, ids={"id": id}
        )

    def get_async_explain(self, id: str, x_fields: str | None = None) -> RequestExplanation:
        """Why a request waits, who could serve it, what would start it sooner (Ordu only).

        Example:
            explanation = horde.get_async_explain(request_id)
            print(explanation.text)
        """
        return self._line.call(
            operations.get_async_explain, RequestExplanation, x_fields=x_fields, ids={"id": id}
        )

    # -- jobs ----------------------------------------------------------------------------------

    def post_job_pop(
        self,
        payload: PopInputStable | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        prefer: str | None = None,
    ) -> GenerationPayload:
        """Ask for a job as a worker; without one `id` is None and `skipped` says why.

        With `prefer="wait=30"` a server that can waits so many seconds for one.

        Example:
            offer = {"name": "cellar", "models": ["by hand"], "bridge_agent": "Mine:1:me"}
            job = horde.post_job_pop(offer, prefer="wait=30")
            print(job.id, job.skipped)
        """
        return self._line.call(
            operations.post_job_pop,
            GenerationPayload,
            apikey=apikey,
            prefer=prefer,
            x_fields=x_fields,
            payload=payload,
        )

    def post_job_submit(
        self,
        payload: PostJobSubmitRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> GenerationSubmitted:
        """Deliver the picture of a job, or the news that it failed; the answer has the reward.

        Example:
            text = base64.b64encode(data).decode()
            done = horde.post_job_submit({"id": job.id, "generation": text, "seed": 7})
            print(done.reward, "kudos")
        """
        return self._line.call(
            operations.post_job_submit,
            GenerationSubmitted,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
        )

    # -- users and kudos -----------------------------------------------------------------------

    def get_users(
        self,
        x_fields: str | None = None,
        *,
        page: int | None = None,
        sort: str | None = None,
        name: str | None = None,
    ) -> list[UserDetailsStable]:
        """One page of all users, most kudos first; `sort="age"`: oldest account first.

        `sort="month"` (Ordu only): those whose workers earned most this month, and how much.
        With `name` those whose names begin like that (Ordu only).

        Example:
            for user in horde.get_users(page=1):
                print(user.username, user.kudos)
        """
        return self._line.call(
            operations.get_users,
            list[UserDetailsStable],
            x_fields=x_fields,
            query=wire.query_of(page=page, sort=sort, name=name),
        )

    def get_user_single(
        self, user_id: str | int, apikey: str | None = None, x_fields: str | None = None
    ) -> UserDetailsStable:
        """One user; with their own or a moderator's key more is told.

        Example:
            user = horde.get_user_single(2)
            print(user.username, user.kudos)
        """
        return self._line.call(
            operations.get_user_single,
            UserDetailsStable,
            apikey=apikey,
            x_fields=x_fields,
            ids={"user_id": user_id},
        )

    def put_user_single(
        self,
        user_id: str | int,
        payload: PutUserSingleRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> ModifyUser:
        """Change something about a user.

        Example:
            changed = horde.put_user_single(2, {"kudos": 100, "concurrency": 10})
            print(changed.new_kudos)
        """
        return self._line.call(
            operations.put_user_single,
            ModifyUser,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            ids={"user_id": user_id},
        )

    def delete_user_single(
        self,
        user_id: str | int,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        reason: str | None = None,
    ) -> DeletedUser:
        """Delete an account; for 30 days `put_user_single` with `undelete` restores it.

        Of another's say why (Ordu only).

        Example:
            horde.delete_user_single(3)
        """
        return self._line.call(
            operations.delete_user_single,
            DeletedUser,
            apikey=apikey,
            x_fields=x_fields,
            query=wire.query_of(reason=reason),
            ids={"user_id": user_id},
        )

    def post_user_key(
        self,
        user_id: str | int,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        reason: str | None = None,
    ) -> ReplacedKey:
        """Replace a user's key (Ordu only); the one before stops at once. Of another's say why.

        The new one is in this answer and nowhere else, so this is never called again by itself.

        Example:
            replaced = horde.post_user_key(2)
            print(len(replaced.api_key), "characters")
        """
        return self._line.call(
            operations.post_user_key,
            ReplacedKey,
            apikey=apikey,
            x_fields=x_fields,
            query=wire.query_of(reason=reason),
            ids={"user_id": user_id},
        )

    def get_user_export(self, user_id: str | int, apikey: str | None = None) -> UserExport:
        """Everything the horde keeps of a user, for the user (Ordu only).

        Example:
            export = horde.get_user_export(1)
            print(len(export.kudos), "movements,", len(export.requests), "requests")
        """
        return self._line.call(
            operations.get_user_export, UserExport, apikey=apikey, ids={"user_id": user_id}
        )

    def get_find_user(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> UserDetailsStable:
        """The user whose key this is.

        Example:
            me = horde.get_find_user()
            print(me.username, me.kudos, "kudos")
        """
        return self._line.call(
            operations.get_find_user, UserDetailsStable, apikey=apikey, x_fields=x_fields
        )

    def post_transfer_kudos(
        self,
        payload: PostTransferKudosRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> KudosTransferred:
        """Send kudos to another user; with the same `idempotency_key` at most once.

        Example:
            given = horde.post_transfer_kudos({"username": "ada#2", "amount": 5})
            print(given.transferred)
        """
        return self._line.call(
            operations.post_transfer_kudos,
            KudosTransferred,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            idempotency_key=idempotency_key or wire.fresh_key(),
        )

    def get_kudos_history(
        self,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        kind: str | None = None,
        worker_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
        by: str | None = None,
    ) -> KudosHistory:
        """What moved of your kudos, newest first, or by day with `by="day"` (Ordu only).

        Example:
            history = horde.get_kudos_history(kind="earned", limit=10)
            for movement in history.entries:
                print(movement.date, movement.amount, "leaves", movement.balance)
        """
        query = wire.query_of(
            cursor=cursor,
            limit=limit,
            kind=kind,
            worker_id=worker_id,
            since=since,
            until=until,
            by=by,
        )
        return self._line.call(
            operations.get_kudos_history,
            KudosHistory,
            apikey=apikey,
            x_fields=x_fields,
            query=query,
        )

    def post_award_kudos(
        self,
        payload: PostAwardKudosRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> KudosAwarded:
        """Award kudos to a user, as the administrator.

        Example:
            horde.post_award_kudos({"username": "ada#2", "amount": 100})
        """
        return self._line.call(
            operations.post_award_kudos,
            KudosAwarded,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            idempotency_key=idempotency_key or wire.fresh_key(),
        )
