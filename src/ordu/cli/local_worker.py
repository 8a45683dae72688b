"""The worker of `ordu serve --with-worker`: a process beside the server that stops with it.

It works for the user `local`, who registers like anybody else; the key is kept in the data folder.
What it says goes to the server's log.
"""

import asyncio
import logging
import os
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from contextlib import suppress
from pathlib import Path

from ordu.cli.children import command
from ordu.client import AsyncHorde, HordeError, NotFound, UnknownKey
from ordu.client.wire import known
from ordu.protocol.registration import RegistrationInput

KEY_FILE = "worker-key"
DEATHS_MAX = 5  # within DEATHS_WITHIN_S; then something is wrong that starting does not mend
DEATHS_WITHIN_S = 60.0
RESTART_PAUSE_S = 1.0

log = logging.getLogger("ordu.local_worker")


class LocalWorker:
    """One worker process, started again when it dies."""

    def __init__(self, data: Path, grace_s: float) -> None:
        self._key_path = data / KEY_FILE
        self._grace_s = max(grace_s, 1.0)
        self._task: asyncio.Task[None] | None = None
        self._process: Process | None = None

    def start(self, url: str) -> None:
        """Start it for the horde at this address."""
        self._task = asyncio.create_task(self._run(url))

    async def stop(self) -> None:
        """Let it finish what it holds and stop; by force when its time is over."""
        if self._task is None:
            return
        task, self._task = self._task, None
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), self._grace_s)
            except TimeoutError:
                process.kill()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _run(self, url: str) -> None:
        try:
            key = await self._key(url)
            await self._keep_alive(url, key)
        except (HordeError, OSError) as error:
            log.error("There is no local worker: %s", error)  # noqa: TRY400 - told in a line
        finally:
            if self._process is not None and self._process.returncode is None:
                self._process.kill()

    async def _keep_alive(self, url: str, key: str) -> None:
        deaths: list[float] = []
        while len(deaths) < DEATHS_MAX:
            code = await self._live(url, key)
            if self._task is None:
                return  # it was asked to
            now = time.monotonic()
            deaths = [each for each in deaths if now - each < DEATHS_WITHIN_S] + [now]
            log.warning("The local worker ended unexpectedly (exit code %s).", code)
            await asyncio.sleep(RESTART_PAUSE_S)
        log.error("The local worker ended %s times; it is not started again.", DEATHS_MAX)

    async def _live(self, url: str, key: str) -> int:
        """One life of the worker; returns its exit code."""
        self._process = process = await asyncio.create_subprocess_exec(
            *command("worker", "--url", url, "--name", "local", "--backend", "sketch"),
            *("--on-battery", "on", "--with-parent"),  # a sketch drains none
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env={**os.environ, "ORDU_API_KEY": key},
            start_new_session=True,  # Ctrl-C is for the server, which then stops its worker
        )
        assert process.stdout is not None
        with suppress(ValueError):  # a line without end
            async for line in process.stdout:
                if text := line.decode(errors="replace").strip():
                    log.info("%s", text)
        return await process.wait()

    async def _key(self, url: str) -> str:
        """The key of the user `local`, who is registered now if the horde does not know it."""
        async with AsyncHorde(url) as horde:
            if self._key_path.exists():
                key = self._key_path.read_text(encoding="utf-8").strip()
                with suppress(NotFound, UnknownKey):
                    await horde.get_find_user(key)
                    return key
            registered = await horde.post_register(RegistrationInput(username="local"))
        key = known(registered.api_key, "")
        descriptor = os.open(self._key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(key + "\n")
        return key
