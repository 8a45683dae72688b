"""Work that a signal cancels, so that it can tidy up behind itself: a request is taken back."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from ordu.cli.failures import INTERRUPTED, TERMINATED, Failure

T = TypeVar("T")
EXIT_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; Ctrl-C and SIGTERM cancel it and are a failure then."""
    return asyncio.run(_cancelled_by_signals(work))


async def _cancelled_by_signals(work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def cancel(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    for each in EXIT_CODES:
        loop.add_signal_handler(each, cancel, each)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        raise Failure("stopped.", EXIT_CODES[received[0]]) from None
