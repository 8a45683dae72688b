# Derived from _async_line.py by scripts/sync_client.py: edit that, then `make sync-client`.
"""The line to a horde: HTTP exchanges, each bounded in size and time.

Whatever goes wrong on the way is a `HordeError`; any answer, also a refusal, is an `Answer`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import httpx
import msgspec

from ordu.client import wire
from ordu.client._sync_links import SyncLinks
from ordu.client.errors import HordeError
from ordu.client.retrying import Attempts, Chance
from ordu.client.waiting import FOR_EVER, Clock, SyncSleep
from ordu.client.wire import Answer, Fields, Ids, Query
from ordu.protocol.operations import Operation, get_picture

T = TypeVar("T")


class SyncLine:
    """The connections to one horde, and the key that calls are made with.

    `honours_keys` says whether an answer has shown that the horde does a call with the same
    `Idempotency-Key` once.
    """

    def __init__(
        self,
        url: str,
        apikey: str | None,
        client_agent: str,
        *,
        timeout_s: float,
        attempts: int,
        private_links: bool,
        transport: httpx.BaseTransport | None,
        sleep: SyncSleep,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.url = wire.root_of(url)
        self.honours_keys = False
        self.sleep = sleep
        self.clock = clock
        self.chance = chance
        self._apikey = apikey
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._links = SyncLinks(self.url, may_be_private=private_links or transport is not None)
        self._http = httpx.Client(
            headers={"Client-Agent": client_agent},
            timeout=timeout_s,
            limits=httpx.Limits(
                max_connections=wire.CONNECTIONS_MAX,
                max_keepalive_connections=wire.IDLE_CONNECTIONS_MAX,
            ),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(
        self,
        operation: Operation,
        reply: type[T],
        *,
        apikey: str | None = None,
        prefer: str | None = None,
        x_fields: str | None = None,
        payload: msgspec.Struct | Fields | None = None,
        query: Query | None = None,
        ids: Ids | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> T:
        """The answer to this operation, or the `HordeError` it was refused with."""
        more = {"X-Fields": x_fields, wire.IDEMPOTENCY_KEY: idempotency_key, "Prefer": prefer}
        answer = self.insist(
            operation,
            more,
            apikey=apikey,
            payload=payload,
            query=query,
            ids=ids,
            timeout_s=timeout_s,
        )
        return wire.read(answer, reply, operation.name)

    def insist(
        self,
        operation: Operation,
        more: Mapping[str, str | None],
        *,
        apikey: str | None = None,
        payload: msgspec.Struct | Fields | None = None,
        query: Query | None = None,
        ids: Ids | None = None,
        timeout_s: float | None = None,
        deadline: float = FOR_EVER,
    ) -> Answer:
        """What this operation is answered with, asked again where that harms nobody."""
        attempts = Attempts(operation, self._attempts, self.chance)
        has_key = more.get(wire.IDEMPOTENCY_KEY) is not None
        while True:
            try:
                answer = self.ask(
                    operation,
                    more,
                    apikey=apikey,
                    payload=payload,
                    query=query,
                    ids=ids,
                    timeout_s=timeout_s,
                    deadline=deadline,
                )
                return wire.succeeded(answer)
            except HordeError as error:
                pause_s = attempts.pause_s_after(
                    error, deadline - self.clock(), honours_keys=has_key and self.honours_keys
                )
            self.sleep(pause_s)

    def ask(
        self,
        operation: Operation,
        more: Mapping[str, str | None],
        *,
        apikey: str | None = None,
        payload: msgspec.Struct | Fields | None = None,
        query: Query | None = None,
        ids: Ids | None = None,
        timeout_s: float | None = None,
        deadline: float = FOR_EVER,
    ) -> Answer:
        """Whatever this operation is answered with, asked once; `more` are headers to be given."""
        usual_s = wire.WAIT_TIMEOUT_S if more.get("Prefer") else self._timeout_s
        left_s = max(wire.TIMEOUT_S_MIN, deadline - self.clock())
        answer = self._exchange(
            operation.method,
            self.url + wire.path_of(operation, ids or {}),
            query=query,
            headers=wire.headers_of(operation, apikey or self._apikey, more),
            body=wire.body_of(payload),
            timeout_s=min(timeout_s or usual_s, left_s),
        )
        self.honours_keys = self.honours_keys or wire.honours_key(answer)
        return answer

    @contextmanager
    def stream(
        self, operation: Operation, more: Mapping[str, str | None], *, ids: Ids
    ) -> Iterator[httpx.Response]:
        """An answer that goes on, to be read while it comes; `more` are headers to be given.

        Raises:
            HordeError: it was refused, is no stream, or breaks off.
        """
        address = self.url + wire.path_of(operation, ids)
        headers = wire.headers_of(operation, self._apikey, more)
        try:
            with self._http.stream(
                operation.method,
                address,
                headers=headers,
                timeout=wire.QUIET_S_MAX,
                extensions=self._links.watching(is_link=False),
            ) as response:
                if not wire.is_stream(response, operation):
                    body = self._read(response, wire.REFUSAL_BYTES_MAX)
                    raise wire.no_stream(Answer(response.status_code, response.headers, body))
                yield response
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise wire.unreachable(address, error) from error

    def fetch(self, link_or_base64: str) -> bytes:
        """The bytes of a picture; to the place of a link the key is not shown.

        Raises:
            BrokenHorde: the link leads into a private network, and the horde is outside.
        """
        if not link_or_base64.startswith(("http://", "https://")):
            return wire.picture_from_text(link_or_base64)
        answer = self._exchange(
            "GET", link_or_base64, bytes_max=wire.PICTURE_BYTES_MAX, is_link=True
        )
        return wire.succeeded(answer).body

    def download(self, link_or_base64: str) -> bytes:
        """The same, asked again while that may help."""
        attempts = Attempts(get_picture, self._attempts, self.chance)
        while True:
            try:
                return self.fetch(link_or_base64)
            except HordeError as error:
                pause_s = attempts.pause_s_after(error, FOR_EVER, honours_keys=False)
            self.sleep(pause_s)

    def put(self, link: str, data: bytes) -> None:
        """Put bytes to a link that a horde gave; the key is not shown there. Raises as `fetch`."""
        wire.succeeded(self._exchange("PUT", link, body=data, is_link=True))

    def _exchange(
        self,
        method: str,
        address: str,
        *,
        query: Query | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float | None = None,
        bytes_max: int = wire.REPLY_BYTES_MAX,
        is_link: bool = False,
    ) -> Answer:
        try:
            request = self._http.build_request(
                method,
                address,
                params=query,
                headers=headers,
                content=body,
                timeout=timeout_s or httpx.USE_CLIENT_DEFAULT,
                extensions=self._links.watching(is_link=is_link),
            )
            response = self._http.send(
                request, stream=True, follow_redirects=is_link and method == "GET"
            )
            try:
                return Answer(
                    response.status_code, response.headers, self._read(response, bytes_max)
                )
            finally:
                response.close()
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise wire.unreachable(address, error) from error

    def _read(self, response: httpx.Response, bytes_max: int) -> bytes:
        read = bytearray()
        for chunk in response.iter_bytes():
            read += chunk
            if len(read) > bytes_max:
                raise wire.too_large(str(response.url), bytes_max)
        return bytes(read)
