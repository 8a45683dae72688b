"""Python's search for garbage, where there are a million objects that are none.

It looks at every object that was made since it last looked, now and then at all of them, and takes
a second for a million. What a start loads stays, so it is not looked at again.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_later() -> Iterator[None]:
    """Search for no garbage meanwhile, and never among what was made."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
