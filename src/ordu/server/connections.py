"""Connections within bounds: how many there are, of whom, and how long they may take.

Uvicorn reads a head of any length, waits for its end for ever, and keeps an answer for a caller who
never takes it. Who would starve others opens connections and does just that. Here

- a head, or whatever else is no body, has 64 KB, a hundred headers and `head_timeout_s`;
- a body has `body_timeout_s`, and its sender may not fall silent for long in between;
- an answer that is not taken is given up;
- one address has `connections_per_address`, all have `connections_max`. When all are taken, one
  that is idle makes room for a newcomer; who is being answered is never cut off for that.

Nothing of this costs a call anything but a few comparisons: times are looked at once a second, of a
tenth of the connections at a time (`Connections.look_on`). Behind a trusted proxy its own
connections are not counted by address; what its callers may is up to it, and to the limits on
calls.
"""

import asyncio
import ipaddress
import logging
import math
from collections import Counter, deque
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from ordu.protocol.errors import Refused
from ordu.server import onewrite, refusals
from ordu.server.pacing import Paced
from ordu.server.ratelimits import canonical
from ordu.settings import ServerSettings

DRY_BYTES_MAX = 64 * 1024  # may come without a head, or a piece of a body, becoming whole
SLICE_BYTES = 64 * 1024  # are parsed at once, so that what is refused costs little
HEADERS_MAX = 100
URL_BYTES_MAX = 16 * 1024
PIECES_MAX = 4096  # of a body, where they are smaller than
PIECE_BYTES_MIN = 64  # on average: each costs as much as a kilobyte
SILENT_S_MAX = 20.0  # in the middle of a body
UNTAKEN_S_MAX = 30.0  # for which nothing of an answer is taken
DROPPED_BYTES_MAX = 16 * 1024 * 1024  # of one who was refused, before the answer may be lost
LINGER_S = 2.0  # for a caller to read why it was refused, while it still sends
LOOK_AGAIN_S = 0.1  # when room is needed; a look at 10,000 connections takes some milliseconds
FILES_KEPT = 200  # of those a process may have open, for all that is no connection
TICKS_A_SECOND = 10  # of uvicorn's loop, at each of which some connections are looked at
LINGERING_MAX = 100  # of those who were refused; beyond that they are not told why

log = logging.getLogger(__name__)
log.addFilter(Paced())


class Connections:
    """All connections of a server process."""

    def __init__(self, settings: ServerSettings, files_max: int | None = None) -> None:
        """`files_max` is how many files and connections the system lets this process have."""
        self.max = settings.connections_max
        if files_max is not None:
            self.max = max(1, min(self.max, files_max - FILES_KEPT))
        self.max_each = settings.connections_per_address
        self.head_s = settings.head_timeout_s
        self.body_s = settings.body_timeout_s
        self.proxies = [ipaddress.ip_network(each) for each in settings.trusted_proxies]
        self.open: dict[Connection, None] = {}
        self.lingering: dict[Connection, None] = {}
        self.by_address: Counter[str] = Counter()
        self.idle: deque[Connection] = deque()  # as they were at the last round, longest first
        self.looked_s = 0.0  # when all were looked at because there was no room
        self.ahead: list[Connection] = []  # to be looked at in this round
        self.share = 0  # of these, at once
        self.found: list[tuple[float, Connection]] = []  # that are idle, and since when

    def refuse(self, connection: "Connection") -> Refused | None:
        """Take a newcomer in, or say why not."""
        address = connection.address
        is_too_many = self.max_each and self.by_address[address] >= self.max_each
        if is_too_many and not self.is_proxy(connection.host):
            return Refused(
                "RateLimited",
                f"{self.max_each} connections from one address are open already. Use those, or"
                " close some.",
            )
        if len(self.open) >= self.max and not self.make_room():
            return Refused("Unavailable", "This server has as many connections as it may.")
        self.open[connection] = None
        self.by_address[address] += 1
        return None

    def make_room(self) -> bool:
        """Close the connection that has been idle longest; whether there was one."""
        now_s = asyncio.get_running_loop().time()
        if not self.idle and now_s - self.looked_s > LOOK_AGAIN_S:
            self.look_round(now_s)
        while self.idle:
            connection = self.idle.popleft()
            if connection in self.open and connection.is_idle:
                connection.hang_up()
                return True
        return False

    def gone(self, connection: "Connection") -> None:
        """A connection is over."""
        self.lingering.pop(connection, None)
        if connection in self.open:
            del self.open[connection]
            self.by_address[connection.address] -= 1
            if not self.by_address[connection.address]:
                del self.by_address[connection.address]

    def is_proxy(self, host: str) -> bool:
        """Whether many callers come from this address."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        inner = getattr(address, "ipv4_mapped", None) or address
        return any(inner in network for network in self.proxies)

    def look_on(self, now_s: float) -> None:
        """Hang up on who takes too long, of a tenth of all; to be called ten times a second.

        All at once would let everybody wait: ten thousand take more than ten milliseconds.
        """
        if not self.ahead:
            self.begin_round()
        self.look_at(self.share, now_s)

    def look_round(self, now_s: float) -> None:
        """The same of all, now."""
        self.looked_s = now_s
        self.begin_round()
        self.look_at(len(self.ahead), now_s)

    def begin_round(self) -> None:
        """Begin to look at all of them."""
        self.found = []
        self.ahead = [*self.open, *self.lingering]
        self.share = math.ceil(len(self.ahead) / TICKS_A_SECOND)

    def look_at(self, many: int, now_s: float) -> None:
        """Look at so many that are ahead; after the last of them it is known who is idle."""
        for _ in range(min(many, len(self.ahead))):
            connection = self.ahead.pop()
            if connection in self.open or connection in self.lingering:
                since_s = connection.look(now_s)
                if since_s is not None:
                    self.found.append((since_s, connection))
        if not self.ahead:
            self.found.sort(key=lambda each: each[0])
            self.idle = deque(connection for _, connection in self.found)


class Config(uvicorn.Config):
    """Uvicorn's configuration, with the bounds of its connections."""

    def __init__(self, app: Any, bounds: Connections, **options: Any) -> None:
        super().__init__(app, http=Connection, ws="none", **options)
        self.bounds = bounds


class Connection(onewrite.Protocol):
    """One connection; it counts what it reads, and is looked at once a second."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.bounds = config.bounds
        self.host = self.address = ""  # as it came, and as it is counted
        self.dropped_bytes = 0
        self.dry_bytes = 0  # that came since something became whole
        self.has_progress = False
        self.pieces = self.piece_bytes = 0  # of the body that is being read
        self.is_refused = False
        self.refused: Refused | None = None  # by what a callback of the parser has seen
        # What the last look has seen.
        self.stage: object = None
        self.stage_since_s = self.heard_s = self.taken_s = 0.0
        self.was_heard = False
        self.untaken_bytes = 0

    # From the network

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Somebody has connected."""
        super().connection_made(transport)
        self.host = self.client[0] if self.client else ""
        self.address = canonical(self.host)
        refused = self.bounds.refuse(self)
        if refused is not None:
            self.refuse(refused)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self.bounds.gone(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """They have sent something."""
        if self.is_refused:
            self.drop(data)
            return
        self._unset_keepalive_if_required()
        self.was_heard = True
        if len(data) <= SLICE_BYTES:
            self.feed(data)
            return
        for start in range(0, len(data), SLICE_BYTES):
            if not self.is_refused:
                self.feed(data[start : start + SLICE_BYTES])

    def feed(self, data: bytes) -> None:
        """Give this to the parser; whatever makes no sense or no progress is refused."""
        self.has_progress = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # no other protocol is spoken here; the call is answered as if it had not asked
        except httptools.HttpParserError:
            self.refuse(self.refused or Refused("BadRequest", "This is not HTTP/1.1."))
            return
        if self.has_progress:
            self.dry_bytes = 0
            return
        self.dry_bytes += len(data)
        if self.dry_bytes >= DRY_BYTES_MAX:
            self.refuse(head_too_large())

    def drop(self, data: bytes) -> None:
        """Read on for a moment, so that whoever sends can still be told why it was refused."""
        self.dropped_bytes += len(data)
        if self.dropped_bytes > DROPPED_BYTES_MAX:
            self.transport.abort()

    # From the parser

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self.has_progress = True
        self.pieces = self.piece_bytes = 0
        if len(self.headers) > HEADERS_MAX or len(self.url) > URL_BYTES_MAX:
            self.refused = head_too_large()
            raise ValueError("the head is too large")
        super().on_headers_complete()
        self.headers = []  # what comes behind a body is not of the head, and nobody reads it

    def on_body(self, body: bytes) -> None:
        """A piece of a body is there."""
        self.has_progress = True
        self.pieces += 1
        self.piece_bytes += len(body)
        if self.pieces > PIECES_MAX and self.piece_bytes < PIECE_BYTES_MIN * self.pieces:
            self.refused = Refused("BadRequest", "The body comes in chunks that are far too small.")
            raise ValueError("the chunks are too small")
        super().on_body(body)
        if self.cycle.response_complete:
            self.drop(body)

    # From the server

    @property
    def call(self) -> RequestResponseCycle | None:
        """The call that is being read or answered, or was the last that was."""
        return self.cycle

    @property
    def is_idle(self) -> bool:
        """Whether no call is being read or answered."""
        is_answered = self.call is None or self.call.response_complete
        return is_answered and not self.dry_bytes and not self.pipeline

    def look(self, now_s: float) -> float | None:
        """Hang up if this takes too long; since when it is idle, if it is."""
        call = self.call
        stage = (call, call is not None and (call.more_body, call.response_complete))
        if stage != self.stage:
            self.stage, self.stage_since_s, self.heard_s = stage, now_s, now_s
        if self.was_heard or self.flow.read_paused:
            self.was_heard, self.heard_s = False, now_s
        lasts_s = now_s - self.stage_since_s
        if self.is_untaken(now_s, lasts_s):
            log.info("a caller does not take its answer; hung up")
            self.transport.abort()
        elif self.is_refused or self.transport.is_closing():
            if lasts_s > LINGER_S and not self.untaken_bytes:
                self.transport.abort()
        elif call is None or call.response_complete:
            return self.look_at_head(lasts_s)
        elif call.more_body and self.is_body_late(now_s, lasts_s):
            self.refuse(too_slow("body"))
        return None

    def is_body_late(self, now_s: float, lasts_s: float) -> bool:
        """Whether a body takes too long, or its sender has fallen silent."""
        is_late = lasts_s > self.bounds.body_s or now_s - self.heard_s > SILENT_S_MAX
        return is_late and not self.pipeline  # of the second call nothing is read before its turn

    def look_at_head(self, lasts_s: float) -> float | None:
        """The same while the next call is waited for."""
        has_unread = self.call is not None and self.call.more_body
        if has_unread and lasts_s > LINGER_S:
            self.hang_up()  # of a call that was answered before all of it was there
        elif lasts_s <= self.bounds.head_s:
            return None if self.dry_bytes else self.stage_since_s
        elif self.dry_bytes:
            self.refuse(too_slow("head"))
        else:
            self.hang_up()
        return None

    def is_untaken(self, now_s: float, lasts_s: float) -> bool:
        """Whether nothing of an answer is taken for a while, or not all of it for very long."""
        left = self.transport.get_write_buffer_size()
        if not left:
            self.untaken_bytes = 0
            return False
        if left < self.untaken_bytes or not self.untaken_bytes:
            self.taken_s = now_s
        self.untaken_bytes = left
        is_over = self.call is not None and self.call.response_complete
        if is_over and lasts_s > self.bounds.body_s:
            return True
        return now_s - self.taken_s > min(UNTAKEN_S_MAX, self.bounds.body_s)

    def refuse(self, refused: Refused) -> None:
        """Say no and hang up; the caller has a moment to read that, while it may still send."""
        log.info("a connection was refused: %s", refused.message)
        self.is_refused = True
        call = self.call
        is_begun = call is not None and call.response_started
        is_mute = call is not None and is_begun and (call.more_body or not call.response_complete)
        if is_mute or self.pipeline:
            self.transport.abort()  # half an answer, or that to this call, is followed by no other
            return
        if call is not None and not call.response_complete:
            call.disconnected = True  # whoever reads its body hears that there is no more
            call.message_event.set()
        self.transport.write(refusals.as_bytes(refused))
        if len(self.bounds.lingering) >= LINGERING_MAX:
            self.transport.close()
            return
        self.bounds.lingering[self] = None
        self.transport.write_eof()

    def hang_up(self) -> None:
        """Close the connection once all is written."""
        if not self.transport.is_closing():
            self.transport.close()


def head_too_large() -> Refused:
    """The refusal of a head that does not end."""
    return Refused(
        "BadRequest",
        f"The head of a call has less than {DRY_BYTES_MAX} bytes, {HEADERS_MAX} headers and an"
        f" address of {URL_BYTES_MAX} bytes at most.",
        431,
    )


def too_slow(what: str) -> Refused:
    """The refusal of who takes too long to send something."""
    return Refused("BadRequest", f"The {what} of the call did not arrive in time.", 408)
