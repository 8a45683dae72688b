"""Python's search for garbage, where there are a million objects that are none.

It looks at every object that was made since it last looked, now and then at all of them, and takes
a second for a million. What a server loads at its start stays, so it is not looked at again.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_later() -> Iterator[None]:
    """Search for no garbage meanwhile."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def leave_alone() -> None:
    """Never search among what there is now: for a process that is one server to its end.

    In one that opens hordes and closes them, none of them would ever be freed.
    """
    gc.freeze()
