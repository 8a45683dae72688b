"""Picture bytes by the server's own links, `/pictures/…`, where none lead past it."""

from ordu.images.check import check as check_picture
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import JobState
from ordu.server.call import Answer, Call, handles
from ordu.server.headers import PICTURE
from ordu.store import jobs


def check_link(call: Call[object]) -> str:
    """The picture's name, when the link's signature holds for this method."""
    name = call.path["name"]
    call.horde.server_links.verify(
        call.http.method if call.http.method != "HEAD" else "GET",
        name,
        call.query.get("expires", ""),
        call.query.get("signature", ""),
    )
    return name


@handles(operations.get_picture)
async def get_picture(call: Call[None]) -> Answer:
    """The bytes of a picture."""
    name = check_link(call)
    data = await call.horde.pictures.get(name)
    if data is None:
        raise Refused("PictureNotFound", "This picture is gone: its request has ended.")
    settings = call.horde.settings
    picture = check_picture(
        data, bytes_max=len(data), pixels_max=max(settings.picture_pixels_max, 1)
    )
    headers = PICTURE | {"Content-Disposition": f'inline; filename="{name}"'}
    return Answer(content=data, media_type=picture.media_type, headers=headers)


@handles(operations.put_picture)
async def put_picture(call: Call[None]) -> Answer:
    """Take a worker's picture; it may be replaced until the job is submitted."""
    name = check_link(call)
    job_id = name.removesuffix(".webp")
    settings = call.horde.settings
    async with call.horde.one_hand(job_id):
        job = await call.horde.read(lambda tx: jobs.by_id(tx, job_id))
        if job is None:
            raise Refused("InvalidJobID", "The job of this picture does not exist any more.")
        if job.state is not JobState.RUNNING:
            raise Refused(
                "DuplicateGen", "The job of this picture has ended; nothing was replaced."
            )
        check_picture(
            call.raw, bytes_max=settings.picture_bytes_max, pixels_max=settings.picture_pixels_max
        )
        await call.horde.pictures.put(name, call.raw)
    return Answer(content=b"", media_type="text/plain")
