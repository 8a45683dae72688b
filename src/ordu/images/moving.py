"""Copying the pictures of a horde from one place to another, while no server uses either."""

from ordu.images.store import Pictures

FOR_EVER = 2**53  # later than any picture was written; milliseconds


async def copy_pictures(source: Pictures, target: Pictures) -> int:
    """Copy every picture, one after the other; returns how many there were.

    Each counts as written now, so it stays a little longer than it would have.

    Raises:
        Refused: one of the places cannot be used now.
    """
    names = [name async for name, _ in source.older_than(FOR_EVER)]
    copied = 0
    for name in names:
        data = await source.get(name)
        if data is not None:
            await target.put(name, data)
            copied += 1
    return copied
