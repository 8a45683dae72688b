"""From a finished picture to its reward: what was made is not lost because the horde is away.

A delivery is tried again for ten minutes, which outlives a restart of the server. It ends early
when the horde says that it does not want it: the request was cancelled, or the job given away.
"""

import logging

from ordu.client import AsyncHorde, HordeError, UnknownKey
from ordu.client.waiting import Clock
from ordu.client.wire import known
from ordu.protocol.jobs import PostJobSubmitRequest
from ordu.worker.backends import Picture
from ordu.worker.events import Delivered, Dropped, Listener
from ordu.worker.jobs import Job, faulted, finished
from ordu.worker.outage import Outage

DELIVERY_S_MAX = 600.0
NO_PICTURE = frozenset({"PictureNotFound", "BadPicture"})  # what was uploaded is not there

log = logging.getLogger(__name__)


class Delivery:
    """Sends results to the horde, and tells how it went."""

    def __init__(
        self,
        horde: AsyncHorde,
        outage: Outage,
        tell: Listener,
        clock: Clock,
    ) -> None:
        self._horde = horde
        self._outage = outage
        self._tell = tell
        self._clock = clock

    async def picture(self, job: Job, picture: Picture) -> None:
        """Deliver a picture: by its upload link if it has one, else inside the message."""
        uploaded = job.upload_url is not None and await self._upload(job.upload_url, picture.data)
        error = await self._submit(finished(job, picture, uploaded=uploaded))
        if error is not None and error.rc in NO_PICTURE and uploaded:
            error = await self._submit(finished(job, picture, uploaded=False))
        if error is not None:
            self._drop(job.id, error)

    async def failure(self, job_id: str) -> None:
        """Tell the horde that this job could not be done, so that somebody else gets it."""
        error = await self._submit(faulted(job_id))
        if error is not None:
            self._drop(job_id, error)

    async def _upload(self, url: str, picture: bytes) -> bool:
        try:
            await self._horde.upload(url, picture)
        except HordeError as error:
            log.info("The picture goes inside the message, because the upload failed: %s", error)
            return False
        return True

    async def _submit(self, result: PostJobSubmitRequest) -> HordeError | None:
        """Submit until it is answered; None when it was accepted, else why it never will be."""
        deadline = self._clock() + DELIVERY_S_MAX
        tries = 0
        while True:
            try:
                reply = await self._horde.post_job_submit(result)
            except UnknownKey:
                raise
            except HordeError as error:
                if not error.may_pass or self._clock() >= deadline:
                    self._outage.is_over(result.id)
                    if tries and error.rc == "DuplicateGen":  # an earlier try arrived after all
                        self._accepted(result, None)
                        return None
                    return error
                failed = error
            else:
                self._outage.is_over(result.id)
                self._accepted(result, known(reply.reward, 0.0))
                return None
            tries += 1
            await self._outage.wait_after(result.id, failed)

    def _accepted(self, result: PostJobSubmitRequest, reward: float | None) -> None:
        if result.state != "faulted":
            self._tell(Delivered(result.id, reward))

    def _drop(self, job_id: str, error: HordeError) -> None:
        log.warning("Dropped job %s: %s", job_id, error)
        self._tell(Dropped(job_id, str(error)))
