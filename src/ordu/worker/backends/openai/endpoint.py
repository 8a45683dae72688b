"""One endpoint: a picture asked for by HTTP, tried again where that helps, errors in plain words.

The API answers a call when the picture is done and has no call to stop it. So a picture is waited
for in an event loop of its own, which asks four times a second whether anybody still wants it; when
nobody does, the connection is closed.

What would fail again at once (a wrong key, no money, an endpoint that is not there) makes the
endpoint *rest*: until then `check` says why, so that no jobs are taken only to be given back.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urljoin

import httpx
import msgspec

from ordu.settings.setting import without_password
from ordu.worker.backends import BackendError, OutOfMemoryError, Progress
from ordu.worker.backends.openai.answers import (
    ANSWER_BYTES_MAX,
    PICTURE_BYTES_MAX,
    Said,
    read_models,
    read_picture,
    said_by,
)

TRIES_MAX = 3
BACKOFF_S = (1.0, 4.0)  # before the second and the third try
RETRY_AFTER_S_MAX = 60.0  # the endpoint may ask for longer; then the job goes to somebody else
REST_S = 300.0  # after what only the worker's owner can mend
REST_UNREACHABLE_S = 30.0
POLL_S = 0.25
CONNECT_S = 10.0
LIST_S = 10.0
FORMAT = "response_format"
MODERATED = frozenset({"moderation_blocked", "content_policy_violation", "content_filter"})
MODERATION_WORDS = re.compile(r"safety system|content_?policy", re.IGNORECASE)  # of proxies too
NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
Sleep = Callable[[float], Awaitable[None]]
T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """Why one try gave no picture."""

    error: BackendError
    retry_s: float | None = None  # try again after so long; None: that would not help
    rest_s: float = 0.0  # how long to take no jobs when it was the last try


class Endpoint:
    """An address of the API and the key for it; it may be used by several threads."""

    def __init__(
        self,
        url: str,
        api_key: str,
        timeout_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.shown = without_password(self.url)
        self._key = api_key
        self._timeout_s = timeout_s
        self._clock = clock
        self._sleep = sleep
        self._rest_until_s = 0.0
        self._rest_error: BackendError | None = None
        self._refuse_format: set[tuple[str, str]] = set()  # path and model

    def check(self) -> None:
        """Say why no jobs can be taken now.

        Raises:
            BackendError: for some time yet; the message says why.
        """
        if self._rest_error is not None and self._clock() < self._rest_until_s:
            raise self._rest_error

    def rest(self, error: BackendError, seconds: float) -> BackendError:
        """The same error, to be raised; for so long `check` raises it too."""
        if seconds:
            self._rest_error = error
            self._rest_until_s = self._clock() + seconds
        return error

    def models(self) -> tuple[str, ...]:
        """The models that it lists.

        Raises:
            BackendError: it cannot be asked, or does not say.
        """
        try:
            return asyncio.run(self._within(LIST_S, self._listed()))
        except TimeoutError as error:
            raise self.rest(self._unreachable(error), REST_UNREACHABLE_S) from error

    def picture(
        self,
        path: str,
        fields: Mapping[str, object],
        files: Mapping[str, bytes],
        progress: Progress,
    ) -> bytes:
        """Ask for a picture at `path`, such as /images/generations, and wait for it.

        Raises:
            BackendError: there is none; the message says why.
            OutOfMemoryError: the endpoint says that it has not enough memory.
            Cancelled: `progress` raised it; the connection is closed.
        """
        work = self._tried(path, fields, files)
        try:
            return asyncio.run(self._watched(work, progress))
        except TimeoutError as error:
            raise BackendError(
                f"{self.shown} gave no picture within {self._timeout_s:g} s;"
                " the setting timeout_s allows longer."
            ) from error

    async def _within(self, seconds: float, work: Coroutine[object, object, T]) -> T:
        async with asyncio.timeout(seconds):
            return await work

    async def _watched(self, work: Coroutine[object, object, T], progress: Progress) -> T:
        """What `work` returns, while `progress` can stop it; the API tells no progress itself."""
        task = asyncio.ensure_future(self._within(self._timeout_s, work))
        try:
            while not task.done():
                progress(0.0)
                await asyncio.wait({task}, timeout=POLL_S)
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _tried(
        self, path: str, fields: Mapping[str, object], files: Mapping[str, bytes]
    ) -> bytes:
        """The picture, after so many tries as help."""
        body = dict(fields)
        about = (path, str(body.get("model")))
        if about in self._refuse_format:
            body.pop(FORMAT, None)
        async with self._client() as http:
            tries = 0
            while True:
                answer = await self._answer(http, "POST", path, body, files)
                if isinstance(answer, bytes):
                    return await self._taken(http, answer)
                said, problem = answer
                if FORMAT in body and said.is_about(FORMAT):
                    self._refuse_format.add(about)
                    del body[FORMAT]
                    continue
                tries += 1
                if problem.retry_s is None or tries == TRIES_MAX:
                    raise self.rest(problem.error, problem.rest_s)
                await self._sleep(max(problem.retry_s, BACKOFF_S[tries - 1]))

    async def _listed(self) -> tuple[str, ...]:
        async with self._client() as http:
            answer = await self._answer(http, "GET", "/models", {}, {})
        if isinstance(answer, bytes):
            return read_models(answer)
        problem = answer[1]
        raise self.rest(problem.error, problem.rest_s or REST_UNREACHABLE_S)

    def _client(self) -> httpx.AsyncClient:
        """No limit on reading: a picture may take minutes, and the whole has a limit of its own."""
        limits = httpx.Timeout(60.0, connect=CONNECT_S, read=None)
        return httpx.AsyncClient(timeout=limits)

    async def _answer(
        self,
        http: httpx.AsyncClient,
        method: str,
        path: str,
        body: Mapping[str, object],
        files: Mapping[str, bytes],
    ) -> bytes | tuple[Said, Problem]:
        """What a call is answered with, or what it says and means instead."""
        try:
            async with http.stream(
                method,
                self.url + path,
                headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
                json=None if files or not body else body,
                data={name: _as_text(value) for name, value in body.items()} if files else None,
                files={name: (f"{name}.png", data, "image/png") for name, data in files.items()},
            ) as response:
                content = await self._read(response, ANSWER_BYTES_MAX)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            gone = Problem(self._unreachable(error), 0.0, REST_UNREACHABLE_S)
            return Said(), gone
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # It may have been drawn and paid for, so it is not asked for again.
            return Said(), Problem(BackendError(f"{self.shown} broke off: {_words(error)}."))
        if response.is_success:
            return content
        said = said_by(content, self._key)
        return said, self._problem(path, response, said)

    async def _read(self, response: httpx.Response, size_max: int) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > size_max:
                raise BackendError(f"{self.shown} sent more than {size_max // 2**20} MiB.")
        return bytes(content)

    async def _taken(self, http: httpx.AsyncClient, answer: bytes) -> bytes:
        """The picture in an answer, or the one that it links to."""
        picture = read_picture(answer, self.shown)
        if isinstance(picture, bytes):
            return picture
        try:
            async with http.stream("GET", self._followed(picture)) as response:
                if not response.is_success:
                    raise BackendError(
                        f"The picture that {self.shown} links to is answered with"
                        f" {response.status_code}."
                    )
                return await self._read(response, PICTURE_BYTES_MAX)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise BackendError(
                f"The picture that {self.shown} links to cannot be fetched: {_words(error)}."
            ) from error

    def _followed(self, link: str) -> httpx.URL:
        """Where a link leads: by https anywhere, else only to the endpoint's own host.

        At any port there, because a proxy may hand on a link to the server behind it.
        """
        url = httpx.URL(urljoin(self.url + "/", link))
        if url.scheme != "https" and (url.scheme, url.host) != ("http", httpx.URL(self.url).host):
            raise BackendError(
                f"{self.shown} links to a picture at {url.scheme}://{url.host}; only https and"
                " its own host are followed."
            )
        return url

    def _problem(self, path: str, response: httpx.Response, said: Said) -> Problem:
        """What an answer that is no success means."""
        words = f": {said.message}" if said.message else ""
        return (
            self._problem_of_account(response.status_code, said, words)
            or self._problem_of_limit(response, words)
            or self._problem_of_picture(path, response.status_code, said, words)
        )

    def _problem_of_account(self, status: int, said: Said, words: str) -> Problem | None:
        if said.code in NO_MONEY:
            text = f"The account at {self.shown} has no credit left; top it up there."
        elif status == 401:
            # The server's own words may hold a part of the key.
            text = self._about_key("does not accept the key")
        elif status == 403 and said.code not in MODERATED:
            text = self._about_key("does not allow this with the key") + words
        else:
            return None
        return Problem(BackendError(text), rest_s=REST_S)

    def _problem_of_limit(self, response: httpx.Response, words: str) -> Problem | None:
        if response.status_code != 429:
            return None
        error = BackendError(f"{self.shown} takes no more calls for now{words}")
        asked_s = _retry_after_s(response.headers)
        if asked_s > RETRY_AFTER_S_MAX:
            return Problem(error, rest_s=min(asked_s, REST_S))
        return Problem(error, asked_s, max(asked_s, REST_UNREACHABLE_S))

    def _problem_of_picture(self, path: str, status: int, said: Said, words: str) -> Problem:
        if said.code in MODERATED or MODERATION_WORDS.search(said.message):
            text = f"{self.shown} refuses to draw this by its content rules{words}"
            return Problem(BackendError(text))
        if status >= 500 and "out of memory" in said.message.lower():
            return Problem(OutOfMemoryError(f"{self.shown} has not enough memory{words}"))
        error = BackendError(f"{self.shown} answers {path} with {status}{words}")
        return Problem(error, 0.0 if status >= 500 else None)

    def _about_key(self, what: str) -> str:
        hint = "set api_key of the backend to one that is valid there"
        return (
            f"{self.shown} {what}; {hint}." if self._key else f"{self.shown} wants a key; {hint}."
        )

    def _unreachable(self, error: Exception) -> BackendError:
        return BackendError(
            f"{self.shown} cannot be reached ({_words(error)}); check url, and that it runs."
        )


def _retry_after_s(headers: httpx.Headers) -> float:
    """How long to wait, said in seconds or as a date; 0 when it is not said."""
    text = headers.get("retry-after", "")
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except ValueError:
        return 0.0


def _as_text(value: object) -> str:
    """A value as a field of a form."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
