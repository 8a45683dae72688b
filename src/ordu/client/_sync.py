# Derived from _async.py by scripts/sync_client.py: edit that file, then `make sync-client`.
# ruff: noqa: A002 - parameters have the names of the API, `id` and `type` among them
"""The client: every operation of a horde as a method, and the way from a prompt to pictures.

One method for each operation, by the operation's name and with its parameters: `payload` is the
struct of `ordu.protocol` or a mapping with the same fields, `apikey` falls back to the client's
own, `x_fields` asks for only some fields of the answer. What today's servers take besides is
keyword-only. Fields that a server did not send are `msgspec.UNSET`. Every "no" is a `HordeError`.

Four methods are no operation: `generate` (from a prompt to pictures), `fulfil` (the same for a
request made by hand), and `fetch` and `upload` for the bytes of pictures.
"""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import httpx

from ordu.client import wire
from ordu.client._sync_line import SyncLine
from ordu.client._sync_request import SyncRequest
from ordu.client.errors import BrokenHorde
from ordu.client.pictures import Picture, Progress, wish
from ordu.client.waiting import Clock, SyncSleep, sync_shielded, sync_sleep
from ordu.client.wire import Fields, known
from ordu.protocol import operations
from ordu.protocol.jobs import (
    GenerationPayload,
    GenerationSubmitted,
    PopInputStable,
    PostJobSubmitRequest,
)
from ordu.protocol.kudos import KudosTransferred, PostTransferKudosRequest
from ordu.protocol.params import PostProcessor, Sampler
from ordu.protocol.registration import Registered, RegistrationInput
from ordu.protocol.requests import (
    GenerationInput,
    RequestAsync,
    RequestStatusCheck,
    RequestStatusStable,
    SourceProcessing,
)
from ordu.protocol.status import (
    ActiveModel,
    Heartbeat,
    HordeModes,
    HordePerformanceStable,
    Newspiece,
    PutHordeModesRequest,
)
from ordu.protocol.users import ModifyUser, PutUserSingleRequest, UserDetailsStable
from ordu.protocol.workers import (
    DeletedWorker,
    ModifyWorker,
    PutWorkerSingleRequest,
    WorkerDetailsStable,
)


class Horde:
    """A horde at an address, seen with one API key (or none, which is anonymous).

    The address may end in `/api` or `/api/v2` or not. `sleep` and `clock` are for tests.

    Raises:
        ValueError: `url` is no http or https address.
    """

    def __init__(
        self,
        url: str = wire.DEFAULT_URL,
        apikey: str | None = None,
        *,
        client_agent: str = wire.CLIENT_AGENT,
        timeout_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: SyncSleep = sync_sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        self._line = SyncLine(url, apikey, client_agent, timeout_s, transport)
        self._sleep = sleep
        self._clock = clock

    @property
    def url(self) -> str:
        """The root of the horde, without `/api`."""
        return self._line.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the client cannot be used after it."""
        self._line.close()

    # -- pictures from a prompt ----------------------------------------------------------------

    def generate(
        self,
        prompt: str,
        *,
        models: Sequence[str] | None = None,
        width: int = 512,
        height: int = 512,
        steps: int = 30,
        n: int = 1,
        seed: int | str | None = None,
        negative_prompt: str | None = None,
        sampler_name: Sampler = "k_euler_a",
        cfg_scale: float = 5.0,
        karras: bool = True,
        tiling: bool = False,
        post_processing: Sequence[PostProcessor] = (),
        source_image: bytes | None = None,
        source_mask: bytes | None = None,
        source_processing: SourceProcessing = "img2img",
        denoising_strength: float | None = None,
        nsfw: bool = False,
        censor_nsfw: bool = False,
        trusted_workers: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
        timeout_s: float = 1200.0,
        apikey: str | None = None,
    ) -> list[Picture]:
        """Have pictures made and get them; without `models` any model will do.

        Cancelled, interrupted or out of time, it cancels the request at the horde too.

        Raises:
            RequestFaulted: it failed too often; the error has the pictures that were finished.
            TookTooLong: `timeout_s` went by.
            HordeError: the horde refused the request or was away for long.
        """
        payload = wish(
            prompt,
            models=models,
            width=width,
            height=height,
            steps=steps,
            n=n,
            seed=seed,
            negative_prompt=negative_prompt,
            sampler_name=sampler_name,
            cfg_scale=cfg_scale,
            karras=karras,
            tiling=tiling,
            post_processing=post_processing,
            source_image=source_image,
            source_mask=source_mask,
            source_processing=source_processing,
            denoising_strength=denoising_strength,
            nsfw=nsfw,
            censor_nsfw=censor_nsfw,
            trusted_workers=trusted_workers,
        )
        return self.fulfil(payload, on_progress=on_progress, timeout_s=timeout_s, apikey=apikey)

    def fulfil(
        self,
        payload: GenerationInput | Fields,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        timeout_s: float = 1200.0,
        apikey: str | None = None,
    ) -> list[Picture]:
        """Place this request, wait until it is done, and get its pictures; see `generate`."""
        deadline = self._clock() + timeout_s
        request_id = known((self.post_async_generate(payload, apikey)).id, "")
        if not request_id:
            raise BrokenHorde("The horde took the request and did not say its id (a dry run?).")
        request = SyncRequest(self._line, request_id, deadline, self._sleep, self._clock)
        try:
            request.watch(on_progress)
        except BaseException:
            sync_shielded(request.give_up())
            raise
        return request.collect()

    # -- the bytes of pictures -----------------------------------------------------------------

    def fetch(self, link_or_base64: str) -> bytes:
        """The bytes of a picture, from either form of `img`: a link or Base64."""
        return self._line.fetch(link_or_base64)

    def upload(self, url: str, data: bytes) -> None:
        """Put the bytes of a picture to the link that came with a job (`r2_upload`)."""
        self._line.put(url, data)

    # -- requests ------------------------------------------------------------------------------

    def post_async_generate(
        self,
        payload: GenerationInput | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> RequestAsync:
        """Place a request for pictures; the answer has the `id` to look for them with."""
        return self._line.call(
            operations.post_async_generate,
            RequestAsync,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
        )

    def post_sync_generate(
        self,
        payload: GenerationInput | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> RequestStatusStable:
        """Place a request for pictures and get them in the answer, which may take long."""
        return self._line.call(
            operations.post_sync_generate,
            RequestStatusStable,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
            timeout_s=wire.SYNC_TIMEOUT_S,
        )

    def get_async_check(self, id: str, x_fields: str | None = None) -> RequestStatusCheck:
        """How far a request is, without its pictures."""
        return self._line.call(
            operations.get_async_check, RequestStatusCheck, x_fields=x_fields, ids={"id": id}
        )

    def get_async_status(self, id: str, x_fields: str | None = None) -> RequestStatusStable:
        """How far a request is, with the pictures that are finished.

        Servers of 2022 forget a finished request with this answer.
        """
        return self._line.call(
            operations.get_async_status, RequestStatusStable, x_fields=x_fields, ids={"id": id}
        )

    def delete_async_status(self, id: str, x_fields: str | None = None) -> RequestStatusStable:
        """Cancel a request; what is finished comes with the answer."""
        return self._line.call(
            operations.delete_async_status, RequestStatusStable, x_fields=x_fields, ids={"id": id}
        )

    # -- jobs ----------------------------------------------------------------------------------

    def post_job_pop(
        self,
        payload: PopInputStable | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> GenerationPayload:
        """Ask for a job as a worker; without one `id` is None and `skipped` says why."""
        return self._line.call(
            operations.post_job_pop,
            GenerationPayload,
            apikey=apikey,
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

    def get_find_user(
        self, apikey: str | None = None, x_fields: str | None = None
    ) -> UserDetailsStable:
        """The user whose key this is."""
        return self._line.call(
            operations.get_find_user, UserDetailsStable, apikey=apikey, x_fields=x_fields
        )

    def post_register(self, payload: RegistrationInput | Fields) -> Registered:
        """Get an account (Ordu only); its key is in this answer and nowhere else."""
        return self._line.call(operations.post_register, Registered, payload=payload)

    def post_transfer_kudos(
        self,
        payload: PostTransferKudosRequest | Fields,
        apikey: str | None = None,
        x_fields: str | None = None,
    ) -> KudosTransferred:
        """Send kudos to another user."""
        return self._line.call(
            operations.post_transfer_kudos,
            KudosTransferred,
            apikey=apikey,
            x_fields=x_fields,
            payload=payload,
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

    def get_horde_news(self, x_fields: str | None = None) -> list[Newspiece]:
        """What is new, the newest first."""
        return self._line.call(operations.get_horde_news, list[Newspiece], x_fields=x_fields)

    def get_heartbeat(self, x_fields: str | None = None) -> Heartbeat:
        """The pulse of the server that answers."""
        return self._line.call(operations.get_heartbeat, Heartbeat, x_fields=x_fields)
