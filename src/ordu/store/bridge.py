"""A bridge between plain functions and the event loop: a function waits, the loop goes on.

Operations are plain functions of a transaction, so that they can be read, tested and run on SQLite
without a loop. On PostgreSQL each statement is a question to another machine. So the function runs
in a *greenlet* (a stack of its own in the same thread), which is left at each question and entered
again with the answer. SQLAlchemy does the same. Threads would do too, but they hand the interpreter
to and fro at every statement (docs/adr/0022).
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


async def bridged(function: Callable[[], T]) -> T:
    """Run a plain function in which `wait` may be called; belongs to the caller's task."""
    side = greenlet(function)
    step: Any = side.switch()
    while not side.dead:
        try:
            answer = await step
        except BaseException as error:  # noqa: BLE001 - whatever it is, it arises where it was asked
            step = side.throw(error)
        else:
            step = side.switch(answer)
    result: T = step
    return result


def wait(awaitable: Awaitable[T]) -> T:
    """What this gives, in a function that was called by `bridged`."""
    loop_side = getcurrent().parent
    assert loop_side is not None, "nobody bridges this function"
    answer: T = loop_side.switch(awaitable)
    return answer
