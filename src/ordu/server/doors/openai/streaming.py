"""`"stream": true`: each picture as an event as soon as it is finished (Server-Sent Events).

Workers send finished pictures only, so there are no partial ones, whatever `partial_images` says.
What is refused before the request was placed is answered as without a stream; after that, an event
`error` says what went wrong, as the official packages read it.
"""

import asyncio
import logging

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ordu.engine.progress import Progress
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.server.call import Call
from ordu.server.doors.drawing import Drawn, DrawnPicture, drawn, drawn_pictures
from ordu.server.doors.openai.answering import Answering, usage_of
from ordu.server.doors.openai.errors import error_of
from ordu.server.doors.openai.messages import Completed, ErrorBody
from ordu.server.hangups import woken
from ordu.server.missteps import told
from ordu.server.streams import HEADERS, HEARTBEAT, HEARTBEAT_S, SEND_S_MAX

log = logging.getLogger(__name__)


async def streamed(call: Call[GenerationInput], answering: Answering, kind: str) -> Response:
    """The answer that goes on until all is drawn; `kind` is what its events are named after.

    Raises:
        Refused: the request was not placed.
        ClientDisconnect: the caller hung up before that.
    """
    watched = Watched(call)
    try:
        await watched.news.wait()
        if watched.latest is None:
            await watched.drawing  # it ended before it was placed: raises
    except BaseException:
        watched.drawing.cancel()
        raise
    return PictureStream(watched, answering, kind)


class Watched:
    """A request being drawn, and how far it is."""

    def __init__(self, call: Call[GenerationInput]) -> None:
        self.request_id = call.request_id
        self.news = asyncio.Event()
        self.latest: Progress | None = None
        self.drawing: asyncio.Task[Drawn] = asyncio.create_task(drawn(call, self.hear))
        self.drawing.add_done_callback(lambda _: self.news.set())

    async def hear(self, progress: Progress) -> None:
        """It has come so far."""
        self.latest = progress
        self.news.set()


class PictureStream(Response):
    """The answer that goes on."""

    def __init__(self, watched: Watched, answering: Answering, kind: str) -> None:
        self.watched = watched
        self.answering = answering
        self.kind = kind
        self.sent: set[str] = set()
        self.status_code = 200
        self.background = None
        self.raw_headers = list(HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it; a reader that hangs up or takes nothing ends the request as well."""
        drawing = self.watched.drawing
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await write(send, await self.told(send), more=False)
        except (TimeoutError, ClientDisconnect):
            return
        finally:
            drawing.cancel()  # nothing happens where it is done
            await asyncio.gather(drawing, return_exceptions=True)

    async def told(self, send: Send) -> bytes:
        """Send all there is; what is left to send then says what went wrong, if anything did."""
        try:
            await self.tell(send)
            await self.watched.drawing
        except Refused as refused:
            return event("error", ErrorBody(error_of(refused)))
        except (TimeoutError, ClientDisconnect):
            raise
        except Exception:
            request_id = self.watched.request_id
            log.exception("the stream of call %s failed", request_id)
            return event("error", ErrorBody(error_of(told(request_id))))
        return b""

    async def tell(self, send: Send) -> None:
        """Send each picture as it is finished, until nothing more comes."""
        watched = self.watched
        while True:
            watched.news.clear()
            is_over = watched.drawing.done()
            for data in await self.events():
                await write(send, data)
            if is_over:
                return
            if not await woken(watched.news, HEARTBEAT_S):
                await write(send, HEARTBEAT)

    async def events(self) -> list[bytes]:
        """The events of the pictures that were not sent yet."""
        progress = self.watched.latest
        assert progress is not None, "it was placed"
        unsent = [each for each in drawn_pictures(progress) if each.id not in self.sent]
        self.sent |= {each.id for each in unsent}
        return [event(f"{self.kind}.completed", await self.completed(each)) for each in unsent]

    async def completed(self, picture: DrawnPicture) -> Completed:
        """What is told of a finished picture."""
        progress, answering = self.watched.latest, self.answering
        assert progress is not None, "it was placed"
        text, form = await answering.text(picture)
        return Completed(
            type=f"{self.kind}.completed",
            b64_json=text,
            background="transparent" if answering.is_transparent else "opaque",
            created_at=answering.horde.now() // 1000,
            output_format=form,
            quality=answering.quality,
            size=answering.size,
            usage=usage_of(progress.request),
            id=picture.id,
            model=picture.model,
            seed=picture.seed,
            worker_name=picture.worker_name,
            censored=picture.censored,
        )


async def write(send: Send, data: bytes, *, more: bool = True) -> None:
    """Send this, as soon as the reader has taken what was sent before.

    Raises:
        TimeoutError: it takes nothing.
    """
    async with asyncio.timeout(SEND_S_MAX):
        await send({"type": "http.response.body", "body": data, "more_body": more})


def event(name: str, data: msgspec.Struct) -> bytes:
    """One event as it is sent. JSON has no line ends in it, so the data is one line."""
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
