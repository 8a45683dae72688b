"""How doors are reached: from a path to its row, its limits, its caller and its handler.

A call is read in the same order as an operation's (`server.app`). Whatever goes wrong on the way is
answered in the door's own shape, an unknown path and a wrong method too.
"""

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route, compile_path

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.protocol.operations import Operation
from ordu.rules.names import ANONYMOUS_KEY
from ordu.server import auth, missteps
from ordu.server.bodies import Held, read_body
from ordu.server.call import Call
from ordu.server.doors import Door, DoorHandler
from ordu.server.paths import pattern_of
from ordu.server.ratelimits import RateLimits
from ordu.server.secret import Secret

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def route_of(door: Door, horde: Horde, secret: Secret, limits: RateLimits | None) -> Route:
    """Everything below the prefix of a door; without `limits` nothing is counted."""
    opened = OpenDoor(door, horde, secret, limits)
    return Route(f"{door.prefix}{{path:path}}", opened.answer, methods=METHODS)


class OpenDoor:
    """A door of one horde."""

    def __init__(self, door: Door, horde: Horde, secret: Secret, limits: RateLimits | None) -> None:
        self.door = door
        self.horde = horde
        self.secret = secret
        self.limits = limits
        self.rows = [
            (compile_path(pattern_of(row.path))[0], row, handler) for row, handler in door.table
        ]

    async def answer(self, http: HttpRequest) -> Response:
        """Answer a call, whatever happens."""
        held = Held(self.horde.bodies)
        try:
            row, handler = self.find(http)
            return await self.served(http, row, handler, held)
        except Refused as refused:
            missteps.note(http, refused.rc)
            return self.refuse(refused)
        except ClientDisconnect:
            missteps.note(http, missteps.HUNG_UP)
            return Response(status_code=499)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered and logged
            return self.refuse(missteps.broken(http, error))
        finally:
            held.release()

    def refuse(self, refused: Refused) -> Response:
        """A "no" in the door's shape."""
        response = self.door.answer_refusal(refused)
        if refused.retry_after_s:
            response.headers["Retry-After"] = str(refused.retry_after_s)
        return response

    def find(self, http: HttpRequest) -> tuple[Operation, DoorHandler]:
        """The row of a call; what stands in its path is noted.

        Raises:
            Refused: NotFound, MethodNotAllowed.
        """
        path, allowed = http.scope["path"], []
        method = "GET" if http.method == "HEAD" else http.method
        for pattern, row, handler in self.rows:
            match = pattern.match(path)
            if match is None:
                continue
            if row.method == method:
                http.scope["path_params"] = match.groupdict()
                return row, handler
            allowed.append(row.method)
        if allowed:
            message = f"{http.method} is not allowed here; {', '.join(allowed)} is."
            raise Refused("MethodNotAllowed", message)
        raise Refused("NotFound", f"There is nothing at {path[:200]} ({self.door.name}).")

    async def served(
        self, http: HttpRequest, operation: Operation, handler: DoorHandler, held: Held
    ) -> Response:
        """The handler's answer, once the call was counted, read and its caller found."""
        horde, limits = self.horde, self.limits
        state = http.scope["state"]
        state["operation"] = operation.name
        if limits is not None:
            limits.check_address(operation, http, horde.now())
        raw = await read_body(http, horde.settings.request_body_bytes_max, held)
        api_key = self.door.key_of(http) or ANONYMOUS_KEY
        caller = await auth.identify(horde, self.secret, api_key, operation)
        state["user_id"] = None if caller is None else caller.id
        if limits is not None and caller is not None:
            limits.check_key(operation, http, caller.id, horde.now())
        return await handler(
            Call(horde, self.secret, operation, caller, None, raw, http, state["request_id"])
        )
