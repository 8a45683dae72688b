"""Drawing for a door: a request in the horde's own words, and the finished pictures."""

import msgspec

from ordu.engine import end
from ordu.engine.horde import Horde
from ordu.engine.progress import Progress
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput, GenerationMetadata
from ordu.rules.lifecycle import JobState
from ordu.server import placing, synchronous
from ordu.server.call import Call
from ordu.server.synchronous import Tell
from ordu.store.jobs import Job
from ordu.store.requests import Request


class DrawnPicture(msgspec.Struct, frozen=True):
    """A finished picture; `content` and `link` fetch what it shows."""

    id: str
    name: str  # in the picture store
    ordinal: int  # which of the request's pictures it is
    seed: str
    model: str
    worker_name: str
    censored: bool
    metadata: list[GenerationMetadata]


class Drawn(msgspec.Struct, frozen=True):
    """A request that has ended, with its pictures in the order of their seeds."""

    request: Request
    pictures: tuple[DrawnPicture, ...]


async def drawn(call: Call[GenerationInput], tell: Tell | None = None) -> Drawn:
    """Place what the call asks for and wait until it is drawn; `tell` hears how far it is.

    Where some pictures failed, the others are returned. A caller who hangs up cancels it.

    Raises:
        Refused: what `placing.admitted` and `synchronous.finished` refuse; NoValidWorkers also
            when workers took the request and none could make a picture.
        ClientDisconnect: the caller hung up.
    """
    progress = await synchronous.finished(call, await placing.admitted(call), tell)
    pictures = drawn_pictures(progress)
    if not pictures:
        raise Refused(
            "NoValidWorkers",
            "The workers that took this request could not make it, and it was given up. Ask again, "
            "or for another model."
            if progress.faulted
            else "This request was cancelled before anything of it was drawn.",
        )
    return Drawn(progress.request, pictures)


def drawn_pictures(progress: Progress) -> tuple[DrawnPicture, ...]:
    """The pictures that are finished by now."""
    finished = [job for job in progress.jobs if job.state is JobState.DONE]
    return tuple(map(drawn_picture, sorted(finished, key=lambda job: job.ordinal)))


def drawn_picture(job: Job) -> DrawnPicture:
    """The picture of a job that is done."""
    return DrawnPicture(
        id=job.id,
        name=end.picture_name(job),
        ordinal=job.ordinal,
        seed=job.result_seed or str(job.seed),
        model=job.model,
        worker_name=job.worker_name,
        censored=job.censored,
        metadata=msgspec.json.decode(job.metadata or "[]", type=list[GenerationMetadata]),
    )


async def content(horde: Horde, picture: DrawnPicture) -> bytes:
    """The bytes of a picture, as its worker sent them (usually WebP).

    Raises:
        Refused: PictureNotFound.
    """
    data = await horde.pictures.get(picture.name)
    if data is None:
        raise Refused("PictureNotFound", "This picture is gone: its request has ended.")
    return data


async def link(horde: Horde, picture: DrawnPicture) -> str:
    """Where a picture can be fetched, for as long as the setting `link_lifetime_s` says."""
    return await horde.links.get_url(picture.name)
