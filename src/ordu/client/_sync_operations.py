# Derived from _async_operations.py by scripts/sync_client.py: edit that, then `make sync-client`.
# ruff: noqa: A002 - parameters have the names of the API, `id` and `type` among them
"""Every operation of a horde as a method, by the operation's name and with its parameters.

`payload` is the struct of `ordu.protocol` or a mapping with the same fields, `apikey` falls back to
the client's own, `x_fields` asks for only some fields of the answer. What today's servers take
besides is keyword-only. Fields that a server did not send are `msgspec.UNSET`. Every "no" is a
`HordeError`.
"""

from ordu.client import wire
from ordu.client._sync_line import SyncLine
from ordu.client.wire import Fields
from ordu.protocol import operations
from ordu.protocol.documents import HordeDocument
from ordu.protocol.explanations import RequestExplanation, WorkerExplanation
from ordu.protocol.jobs import (
    GenerationPayload,
    GenerationSubmitted,
    PopInputStable,
    PostJobSubmitRequest,
)
from ordu.protocol.kudos import (
    KudosAwarded,
    KudosTransferred,
    PostAwardKudosRequest,
    PostTransferKudosRequest,
)
from ordu.protocol.registration import Registered, RegistrationInput
from ordu.protocol.requests import (
    GenerationInput,
    RequestAsync,
    RequestStatusCheck,
    RequestStatusStable,
)
from ordu.protocol.stats import ImgModelStats, StatsImgTotals, StatsTxtTotals, TxtModelStats
from ordu.protocol.status import (
    ActiveModel,
    Heartbeat,
    HordeModes,
    HordePerformanceStable,
    Newspiece,
    PutHordeModesRequest,
)
from ordu.protocol.users import DeletedUser, ModifyUser, PutUserSingleRequest, UserDetailsStable
from ordu.protocol.workers import (
    DeletedWorker,
    ModifyWorker,
    PutWorkerSingleRequest,
    WorkerDetailsStable,
)


class SyncOperations:
    """What can be asked of a horde, over one line to it."""

    def __init__(self, line: SyncLine) -> None:
        self._line = line

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
        """
        return self._line.call(
            operations.post_async_generate,
            RequestAsync,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            idempotency_key=idempotency_key,
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

        With the same `idempotency_key` it waits for the same request again (Ordu only).
        """
        return self._line.call(
            operations.post_sync_generate,
            RequestStatusStable,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            timeout_s=wire.SYNC_TIMEOUT_S,
            idempotency_key=idempotency_key,
        )

    def get_async_check(
        self, id: str, x_fields: str | None = None, *, prefer: str | None = None
    ) -> RequestStatusCheck:
        """How far a request is, without its pictures; with `prefer="wait=30"` when it changes."""
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
        """
        return self._line.call(
            operations.get_async_status,
            RequestStatusStable,
            prefer=prefer,
            x_fields=x_fields,
            ids={"id": id},
        )

    def delete_async_status(self, id: str, x_fields: str | None = None) -> RequestStatusStable:
        """Cancel a request; what is finished comes with the answer."""
        return self._line.call(
            operations.delete_async_status, RequestStatusStable, x_fields=x_fields, ids={"id": id}
        )

    def get_async_explain(self, id: str, x_fields: str | None = None) -> RequestExplanation:
        """Why a request waits, who could serve it, what would start it sooner (Ordu only)."""
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
        """Deliver the picture of a job, or the news that it failed; the answer has the reward."""
        return self._line.call(
            operations.post_job_submit,
            GenerationSubmitted,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
        )

    # -- users and kudos -----------------------------------------------------------------------

    def get_users(
        self, x_fields: str | None = None, *, page: int | None = None, sort: str | None = None
    ) -> list[UserDetailsStable]:
        """One page of all users, most kudos first; `sort="age"`: oldest account first."""
        return self._line.call(
            operations.get_users,
            list[UserDetailsStable],
            x_fields=x_fields,
            query=wire.query_of(page=page, sort=sort),
        )

    def get_user_single(
        self, user_id: str | int, apikey: str | None = None, x_fields: str | None = None
    ) -> UserDetailsStable:
        """One user; with their own or a moderator's key more is told."""
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
        """Change something about a user."""
        return self._line.call(
            operations.put_user_single,
            ModifyUser,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            ids={"user_id": user_id},
        )

    def delete_user_single(
        self, user_id: str | int, apikey: str | None = None, x_fields: str | None = None
    ) -> DeletedUser:
        """Delete an account; for 30 days `put_user_single` with `undelete` restores it."""
        return self._line.call(
            operations.delete_user_single,
            DeletedUser,
            apikey=apikey,
            x_fields=x_fields,
            ids={"user_id": user_id},
        )

    def get_find_user(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> UserDetailsStable:
        """The user whose key this is."""
        return self._line.call(
            operations.get_find_user, UserDetailsStable, apikey=apikey, x_fields=x_fields
        )

    def post_register(
        self, payload: RegistrationInput | Fields, *, idempotency_key: str | None = None
    ) -> Registered:
        """Get an account (Ordu only); its key is in this answer and nowhere else.

        With the same `idempotency_key`, of at least 22 characters, it is the same account.
        """
        operation = operations.post_register
        return self._line.call(
            operation, Registered, payload=payload, idempotency_key=idempotency_key
        )

    def post_transfer_kudos(
        self,
        payload: PostTransferKudosRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> KudosTransferred:
        """Send kudos to another user; with the same `idempotency_key` at most once."""
        return self._line.call(
            operations.post_transfer_kudos,
            KudosTransferred,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            idempotency_key=idempotency_key,
        )

    def post_award_kudos(
        self,
        payload: PostAwardKudosRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> KudosAwarded:
        """Award kudos to a user, as the administrator."""
        return self._line.call(
            operations.post_award_kudos,
            KudosAwarded,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            idempotency_key=idempotency_key,
        )

    # -- workers -------------------------------------------------------------------------------

    def get_workers(
        self,
        x_fields: str | None = None,
        *,
        apikey: str | None = None,
        type: str | None = None,
        name: str | None = None,
    ) -> list[WorkerDetailsStable]:
        """The workers that are online; by `type` (image, text, interrogation) or `name`."""
        return self._line.call(
            operations.get_workers,
            list[WorkerDetailsStable],
            apikey=apikey,
            x_fields=x_fields,
            query=wire.query_of(type=type, name=name),
        )

    def get_worker_single(
        self, worker_id: str, apikey: str | None = None, x_fields: str | None = None
    ) -> WorkerDetailsStable:
        """One worker, online or not; its owner and moderators are told more."""
        return self._line.call(
            operations.get_worker_single,
            WorkerDetailsStable,
            apikey=apikey,
            x_fields=x_fields,
            ids={"worker_id": worker_id},
        )

    def get_worker_single_name(
        self, worker_name: str, apikey: str | None = None, x_fields: str | None = None
    ) -> WorkerDetailsStable:
        """One worker by its name, online or not (servers of today only)."""
        return self._line.call(
            operations.get_worker_single_name,
            WorkerDetailsStable,
            apikey=apikey,
            x_fields=x_fields,
            ids={"worker_name": worker_name},
        )

    def put_worker_single(
        self,
        worker_id: str,
        payload: PutWorkerSingleRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> ModifyWorker:
        """Change something about a worker: maintenance, pause, its text, its name."""
        return self._line.call(
            operations.put_worker_single,
            ModifyWorker,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            ids={"worker_id": worker_id},
        )

    def delete_worker_single(
        self, worker_id: str, apikey: str | None = None, x_fields: str | None = None
    ) -> DeletedWorker:
        """Delete a worker and its statistics, for good."""
        return self._line.call(
            operations.delete_worker_single,
            DeletedWorker,
            apikey=apikey,
            x_fields=x_fields,
            ids={"worker_id": worker_id},
        )

    def get_worker_explain(
        self, worker_id: str, apikey: str | None = None, x_fields: str | None = None
    ) -> WorkerExplanation:
        """Why a worker gets no work, and which models are in demand (Ordu only)."""
        return self._line.call(
            operations.get_worker_explain,
            WorkerExplanation,
            apikey=apikey,
            x_fields=x_fields,
            ids={"worker_id": worker_id},
        )

    # -- the horde as a whole ------------------------------------------------------------------

    def get_horde_modes(self, apikey: str | None = None, x_fields: str | None = None) -> HordeModes:
        """Whether the horde is in maintenance or takes invited workers only."""
        return self._line.call(
            operations.get_horde_modes, HordeModes, apikey=apikey, x_fields=x_fields
        )

    def put_horde_modes(
        self,
        payload: PutHordeModesRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> HordeModes:
        """Switch modes of the horde on or off; the answer has what was changed."""
        return self._line.call(
            operations.put_horde_modes,
            HordeModes,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
        )

    def get_horde_load(self, x_fields: str | None = None) -> HordePerformanceStable:
        """How much waits and how much is done."""
        return self._line.call(operations.get_horde_load, HordePerformanceStable, x_fields=x_fields)

    def get_models(
        self,
        x_fields: str | None = None,
        *,
        type: str | None = None,
        min_count: int | None = None,
        max_count: int | None = None,
        model_state: str | None = None,
    ) -> list[ActiveModel]:
        """The models that workers offer now."""
        return self._line.call(
            operations.get_models,
            list[ActiveModel],
            x_fields=x_fields,
            query=wire.query_of(
                type=type, min_count=min_count, max_count=max_count, model_state=model_state
            ),
        )

    def get_model_single(self, model_name: str, x_fields: str | None = None) -> list[ActiveModel]:
        """One model, as a list of at most one entry (servers of today only)."""
        return self._line.call(
            operations.get_model_single,
            list[ActiveModel],
            x_fields=x_fields,
            ids={"model_name": model_name},
        )

    def get_horde_news(self, x_fields: str | None = None) -> list[Newspiece]:
        """What is new, the newest first."""
        return self._line.call(operations.get_horde_news, list[Newspiece], x_fields=x_fields)

    def get_heartbeat(self, x_fields: str | None = None) -> Heartbeat:
        """The pulse of the server that answers."""
        return self._line.call(operations.get_heartbeat, Heartbeat, x_fields=x_fields)

    def get_image_horde_stats_totals(self, x_fields: str | None = None) -> StatsImgTotals:
        """How many pictures were made in each span of time (servers of today only)."""
        return self._line.call(
            operations.get_image_horde_stats_totals, StatsImgTotals, x_fields=x_fields
        )

    def get_image_horde_stats_models(
        self, x_fields: str | None = None, *, model_state: str | None = None
    ) -> ImgModelStats:
        """How many pictures each model made (servers of today only)."""
        return self._line.call(
            operations.get_image_horde_stats_models,
            ImgModelStats,
            x_fields=x_fields,
            query=wire.query_of(model_state=model_state),
        )

    def get_text_horde_stats_totals(self, x_fields: str | None = None) -> StatsTxtTotals:
        """How many texts were made in each span of time (servers of today only)."""
        return self._line.call(
            operations.get_text_horde_stats_totals, StatsTxtTotals, x_fields=x_fields
        )

    def get_text_horde_stats_models(self, x_fields: str | None = None) -> TxtModelStats:
        """How many texts each model made (servers of today only)."""
        return self._line.call(
            operations.get_text_horde_stats_models, TxtModelStats, x_fields=x_fields
        )

    def get_docs_terms(
        self, x_fields: str | None = None, *, format: str | None = None
    ) -> HordeDocument:
        """What holds for those who use this horde, as HTML or Markdown (today only)."""
        return self._line.call(
            operations.get_docs_terms,
            HordeDocument,
            x_fields=x_fields,
            query=wire.query_of(format=format),
        )

    def get_docs_privacy(
        self, x_fields: str | None = None, *, format: str | None = None
    ) -> HordeDocument:
        """What is kept of those who use this horde, as HTML or Markdown (today only)."""
        return self._line.call(
            operations.get_docs_privacy,
            HordeDocument,
            x_fields=x_fields,
            query=wire.query_of(format=format),
        )

    def get_docs_sponsors(
        self, x_fields: str | None = None, *, format: str | None = None
    ) -> HordeDocument:
        """Who pays for this horde, as HTML or Markdown (today only)."""
        return self._line.call(
            operations.get_docs_sponsors,
            HordeDocument,
            x_fields=x_fields,
            query=wire.query_of(format=format),
        )
