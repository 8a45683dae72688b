# Written by hand. scripts/sync_client.py derives _sync_surroundings.py from it.
# ruff: noqa: A002 - parameters have the names of the API, `id` and `type` among them
"""The operations about workers and about the horde as a whole; `_async_operations` has the others.

What all methods have in common is said there.
"""

from ordu.client import wire
from ordu.client._async_line import AsyncLine
from ordu.client.wire import Fields
from ordu.protocol import operations
from ordu.protocol.documents import HordeDocument
from ordu.protocol.explanations import WorkerExplanation
from ordu.protocol.stats import ImgModelStats, StatsImgTotals, StatsTxtTotals, TxtModelStats
from ordu.protocol.status import (
    ActiveModel,
    Heartbeat,
    HordeHistory,
    HordeModes,
    HordePerformanceStable,
    Newspiece,
    PutHordeModesRequest,
)
from ordu.protocol.workers import (
    DeletedWorker,
    ModifyWorker,
    PutWorkerSingleRequest,
    WorkerDetailsStable,
)


class AsyncSurroundings:
    """What can be asked of a horde about what is around requests and people."""

    def __init__(self, line: AsyncLine) -> None:
        self._line = line

    # -- workers -------------------------------------------------------------------------------

    async def get_workers(
        self,
        x_fields: str | None = None,
        *,
        apikey: str | None = None,
        type: str | None = None,
        name: str | None = None,
    ) -> list[WorkerDetailsStable]:
        """The workers that are online; by `type` (image, text, interrogation) or `name`.

        Example:
            for worker in await horde.get_workers(type="image"):
                print(worker.name, worker.requests_fulfilled, worker.models)
        """
        return await self._line.call(
            operations.get_workers,
            list[WorkerDetailsStable],
            apikey=apikey,
            x_fields=x_fields,
            query=wire.query_of(type=type, name=name),
        )

    async def get_worker_single(
        self, worker_id: str, apikey: str | None = None, x_fields: str | None = None
    ) -> WorkerDetailsStable:
        """One worker, online or not; its owner and moderators are told more.

        Example:
            worker = await horde.get_worker_single(worker_id)
            print(worker.name, worker.online)
        """
        return await self._line.call(
            operations.get_worker_single,
            WorkerDetailsStable,
            apikey=apikey,
            x_fields=x_fields,
            ids={"worker_id": worker_id},
        )

    async def get_worker_single_name(
        self, worker_name: str, apikey: str | None = None, x_fields: str | None = None
    ) -> WorkerDetailsStable:
        """One worker by its name, online or not (servers of today only).

        Example:
            worker = await horde.get_worker_single_name("attic")
            print(worker.id)
        """
        return await self._line.call(
            operations.get_worker_single_name,
            WorkerDetailsStable,
            apikey=apikey,
            x_fields=x_fields,
            ids={"worker_name": worker_name},
        )

    async def put_worker_single(
        self,
        worker_id: str,
        payload: PutWorkerSingleRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> ModifyWorker:
        """Change something about a worker: maintenance, pause, its text, its name.

        Example:
            await horde.put_worker_single(worker_id, {"maintenance": True, "info": "on holiday"})
        """
        return await self._line.call(
            operations.put_worker_single,
            ModifyWorker,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            ids={"worker_id": worker_id},
        )

    async def delete_worker_single(
        self,
        worker_id: str,
        apikey: str | None = None,
        x_fields: str | None = None,
        *,
        reason: str | None = None,
    ) -> DeletedWorker:
        """Delete a worker and its statistics, for good; of another's say why (Ordu only).

        Example:
            gone = await horde.delete_worker_single(worker_id)
            print(gone.deleted_name)
        """
        return await self._line.call(
            operations.delete_worker_single,
            DeletedWorker,
            apikey=apikey,
            x_fields=x_fields,
            query=wire.query_of(reason=reason),
            ids={"worker_id": worker_id},
        )

    async def get_worker_explain(
        self, worker_id: str, apikey: str | None = None, x_fields: str | None = None
    ) -> WorkerExplanation:
        """Why a worker gets no work, and which models are in demand (Ordu only).

        Example:
            explanation = await horde.get_worker_explain(worker_id)
            print(explanation.text)
        """
        return await self._line.call(
            operations.get_worker_explain,
            WorkerExplanation,
            apikey=apikey,
            x_fields=x_fields,
            ids={"worker_id": worker_id},
        )

    # -- the horde as a whole ------------------------------------------------------------------

    async def get_horde_modes(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> HordeModes:
        """Whether the horde is in maintenance or takes invited workers only.

        Example:
            modes = await horde.get_horde_modes()
            print(modes.maintenance_mode)
        """
        return await self._line.call(
            operations.get_horde_modes, HordeModes, apikey=apikey, x_fields=x_fields
        )

    async def put_horde_modes(
        self,
        payload: PutHordeModesRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> HordeModes:
        """Switch modes of the horde on or off; the answer has what was changed.

        Example:
            await horde.put_horde_modes({"maintenance": False})
        """
        return await self._line.call(
            operations.put_horde_modes,
            HordeModes,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
        )

    async def get_horde_load(self, x_fields: str | None = None) -> HordePerformanceStable:
        """How much waits and how much is done.

        Example:
            load = await horde.get_horde_load()
            print(load.queued_requests, "wait for", load.worker_count, "workers")
        """
        return await self._line.call(
            operations.get_horde_load, HordePerformanceStable, x_fields=x_fields
        )

    async def get_horde_history(
        self,
        x_fields: str | None = None,
        *,
        span: str | None = None,
        before: str | None = None,
    ) -> HordeHistory:
        """How the horde stood in the last `hour`, `day`, `month` or `year` (Ordu only).

        With `before="week"` the same of a week earlier.

        Example:
            history = await horde.get_horde_history(span="day")
            for point in history.points:
                print(point.start, point.waiting, point.megapixelsteps_per_second)
            print("now:", history.now.waiting)
        """
        return await self._line.call(
            operations.get_horde_history,
            HordeHistory,
            x_fields=x_fields,
            query=wire.query_of(span=span, before=before),
        )

    async def get_models(
        self,
        x_fields: str | None = None,
        *,
        type: str | None = None,
        min_count: int | None = None,
        max_count: int | None = None,
        model_state: str | None = None,
    ) -> list[ActiveModel]:
        """The models that workers offer now.

        Example:
            for model in await horde.get_models(type="image"):
                print(model.name, model.count, "workers,", model.eta, "seconds")
        """
        return await self._line.call(
            operations.get_models,
            list[ActiveModel],
            x_fields=x_fields,
            query=wire.query_of(
                type=type, min_count=min_count, max_count=max_count, model_state=model_state
            ),
        )

    async def get_model_single(
        self, model_name: str, x_fields: str | None = None
    ) -> list[ActiveModel]:
        """One model, as a list of at most one entry (servers of today only).

        Example:
            print([model.queued for model in await horde.get_model_single("sketch")])
        """
        return await self._line.call(
            operations.get_model_single,
            list[ActiveModel],
            x_fields=x_fields,
            ids={"model_name": model_name},
        )

    async def get_horde_news(self, x_fields: str | None = None) -> list[Newspiece]:
        """What is new, the newest first.

        Example:
            for piece in await horde.get_horde_news():
                print(piece.date_published, piece.newspiece)
        """
        return await self._line.call(operations.get_horde_news, list[Newspiece], x_fields=x_fields)

    async def get_heartbeat(self, x_fields: str | None = None) -> Heartbeat:
        """The pulse of the server that answers.

        Example:
            print((await horde.get_heartbeat()).version)
        """
        return await self._line.call(operations.get_heartbeat, Heartbeat, x_fields=x_fields)

    async def get_image_horde_stats_totals(self, x_fields: str | None = None) -> StatsImgTotals:
        """How many pictures were made in each span of time (servers of today only).

        Example:
            totals = await horde.get_image_horde_stats_totals()
            print(totals.day.images)
        """
        return await self._line.call(
            operations.get_image_horde_stats_totals, StatsImgTotals, x_fields=x_fields
        )

    async def get_image_horde_stats_models(
        self, x_fields: str | None = None, *, model_state: str | None = None
    ) -> ImgModelStats:
        """How many pictures each model made (servers of today only).

        Example:
            stats = await horde.get_image_horde_stats_models()
            print(stats.day)
        """
        return await self._line.call(
            operations.get_image_horde_stats_models,
            ImgModelStats,
            x_fields=x_fields,
            query=wire.query_of(model_state=model_state),
        )

    async def get_text_horde_stats_totals(self, x_fields: str | None = None) -> StatsTxtTotals:
        """How many texts were made in each span of time (servers of today only).

        Example:
            totals = await horde.get_text_horde_stats_totals()
            print(totals.day.requests)
        """
        return await self._line.call(
            operations.get_text_horde_stats_totals, StatsTxtTotals, x_fields=x_fields
        )

    async def get_text_horde_stats_models(self, x_fields: str | None = None) -> TxtModelStats:
        """How many texts each model made (servers of today only).

        Example:
            stats = await horde.get_text_horde_stats_models()
            print(stats.day)
        """
        return await self._line.call(
            operations.get_text_horde_stats_models, TxtModelStats, x_fields=x_fields
        )

    async def get_docs_terms(
        self, x_fields: str | None = None, *, format: str | None = None
    ) -> HordeDocument:
        """What holds for those who use this horde, as HTML or Markdown (today only).

        Example:
            terms = await horde.get_docs_terms(format="markdown")
            print(terms.markdown)
        """
        return await self._line.call(
            operations.get_docs_terms,
            HordeDocument,
            x_fields=x_fields,
            query=wire.query_of(format=format),
        )

    async def get_docs_privacy(
        self, x_fields: str | None = None, *, format: str | None = None
    ) -> HordeDocument:
        """What is kept of those who use this horde, as HTML or Markdown (today only).

        Example:
            privacy = await horde.get_docs_privacy(format="markdown")
        """
        return await self._line.call(
            operations.get_docs_privacy,
            HordeDocument,
            x_fields=x_fields,
            query=wire.query_of(format=format),
        )

    async def get_docs_sponsors(
        self, x_fields: str | None = None, *, format: str | None = None
    ) -> HordeDocument:
        """Who pays for this horde, as HTML or Markdown (today only).

        Example:
            sponsors = await horde.get_docs_sponsors(format="markdown")
        """
        return await self._line.call(
            operations.get_docs_sponsors,
            HordeDocument,
            x_fields=x_fields,
            query=wire.query_of(format=format),
        )
