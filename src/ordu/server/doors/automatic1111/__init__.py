"""The door of /sdapi/v1: a horde in place of AUTOMATIC1111's program on one's own machine.

Written from the published description of that API. `refusals` says what a horde cannot draw of what
the API can ask for, `asking` translates the rest, `door` has the handlers; what the API takes for
the program's state is remembered for each caller by itself (`callers`). The reference is
docs/reference/a1111.md.
"""

from starlette.responses import Response

from ordu.engine.horde import Horde
from ordu.engine.tidings import AskedAsProgram, SetAsProgram
from ordu.protocol import operations
from ordu.protocol.operations import Key, Limit, Operation
from ordu.server.call import Call
from ordu.server.doors import Door, DoorHandler
from ordu.server.doors.automatic1111.answers import answer, answer_refusal
from ordu.server.doors.automatic1111.callers import Callers
from ordu.server.doors.automatic1111.door import Automatic1111
from ordu.server.doors.automatic1111.keys import key_of
from ordu.server.doors.automatic1111.lists import FIXED, REFRESHED

NAME = "AUTOMATIC1111"
API = "/sdapi/v1/"
INTERNAL = "/internal/"

# Programs ask how far a picture is several times a second, and for a dozen lists when they start.
DRAWING = operations.post_sync_generate.limits
WATCHING = (Limit(10, 1),)


def doors(horde: Horde) -> tuple[Door, ...]:
    """The door, which has paths below two prefixes."""
    callers = Callers(None if horde.tidings is None else horde.tidings.tell, horde.now)
    horde.forgets.append(callers.forget_before)
    horde.hears |= {AskedAsProgram: callers.hear, SetAsProgram: callers.hear}
    handlers = Automatic1111(horde, callers)
    return (
        Door(NAME, API, (*rows(handlers), *fixed_rows()), key_of, answer_refusal),
        Door(NAME, INTERNAL, internal_rows(handlers), key_of, answer_refusal),
    )


def rows(door: Automatic1111) -> tuple[tuple[Operation, DoorHandler], ...]:
    """The paths that do something."""
    return (
        (row("POST", "txt2img", "Draw from a prompt", DRAWING), door.txt2img),
        (row("POST", "img2img", "Draw from a picture", DRAWING), door.img2img),
        (row("GET", "progress", "How far the newest call is", WATCHING), door.progress),
        (row("POST", "interrupt", "Drop what waits of it", WATCHING), door.interrupt),
        (row("POST", "skip", "The same", WATCHING), door.interrupt),
        (row("GET", "options", "The options that count", WATCHING), door.get_options),
        (row("POST", "options", "Keep options for a while", WATCHING), door.post_options),
        (row("POST", "png-info", "What stands in a picture", DRAWING), door.png_info),
        (row("GET", "sd-models", "The models there are", WATCHING, Key.NONE), door.models),
    )


def fixed_rows() -> tuple[tuple[Operation, DoorHandler], ...]:
    """The lists that are always the same, and the calls that renew them."""
    lists = (
        (row("GET", path, "A list", WATCHING, Key.NONE), constant(FIXED[path])) for path in FIXED
    )
    renewals = (
        (row("POST", path, "Nothing to do", WATCHING, Key.NONE), constant(None))
        for path in REFRESHED
    )
    return (*lists, *renewals)


def internal_rows(door: Automatic1111) -> tuple[tuple[Operation, DoorHandler], ...]:
    """What stands beside the API and programs ask for as well."""
    return (
        (row("GET", "ping", "Whether it is there", (), Key.NONE, INTERNAL), constant({})),
        (
            row("POST", "progress", "How far a call is, by its id", WATCHING, prefix=INTERNAL),
            door.task_progress,
        ),
    )


def row(
    method: str,
    path: str,
    summary: str,
    limits: tuple[Limit, ...],
    key: Key = Key.REQUIRED,
    prefix: str = API,
) -> Operation:
    """A row of this door."""
    name = f"a1111_{method.lower()}_{path.replace('-', '_')}"
    if prefix == INTERNAL:
        name += "_internal"
    return Operation(
        name=name, method=method, path=f"{prefix}{path}", summary=summary, key=key, limits=limits
    )


def constant(content: object) -> DoorHandler:
    """A handler whose answer is always the same."""

    async def handler(call: Call[None]) -> Response:  # noqa: ARG001 - the shape of a handler
        return answer(content)

    return handler
