"""A call: one HTTP request being answered, read and typed, as a handler gets it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request as HttpRequest

from ordu.engine.horde import Horde
from ordu.protocol.operations import Operation
from ordu.rules.money import UserId
from ordu.rules.rights import Standing, standing
from ordu.server.secret import Secret
from ordu.store.users import User

Body = TypeVar("Body", covariant=True)  # noqa: PLC0105 - short, and used everywhere


def header(http: HttpRequest, name: bytes) -> str | None:
    """A header by its name in small letters."""
    for key, value in http.scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


class Call(msgspec.Struct, Generic[Body], frozen=True, eq=False):
    """What a handler is given."""

    horde: Horde
    secret: Secret
    operation: Operation
    caller: User | None  # None where no key was given and none is needed
    body: Body
    raw: bytes
    http: HttpRequest
    request_id: str

    @property
    def user(self) -> User:
        """The caller of an operation that requires a key."""
        assert self.caller is not None, f"{self.operation.name} requires a key"
        return self.caller

    def stands(self, owner: UserId) -> Standing:
        """How the caller stands towards what this user has."""
        caller = self.caller
        if caller is None:
            return Standing.ANYBODY
        return standing(caller.id, owner, is_moderator=caller.is_moderator)

    def header(self, name: bytes) -> str | None:
        """A header by its name in small letters."""
        return header(self.http, name)

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters in the path."""
        params: Mapping[str, str] = self.http.path_params
        return params

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters in the query; an empty one is not given (horde-sdk lists with `type=`)."""
        return {name: value for name, value in self.http.query_params.items() if value}


class Answer(msgspec.Struct, frozen=True):
    """A reply whose status or headers are not the row's, or that is not JSON (`content`).

    `lost` is called instead of sending it when the caller has hung up by then.
    """

    reply: Any = None
    status: int | None = None
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    media_type: str = "application/json"
    lost: Callable[[], None] | None = None  # called when the caller was gone before it was sent


Handler = Callable[[Call[Any]], Awaitable[Any]]
Bound = TypeVar("Bound", bound=Handler)

HANDLERS: dict[str, Handler] = {}


def handles(operation: Operation) -> Callable[[Bound], Bound]:
    """Bind a function to a row of the table; it must have the row's name."""

    def bind(handler: Bound) -> Bound:
        assert handler.__name__ == operation.name, f"{handler.__name__} is not {operation.name}"
        assert operation.name not in HANDLERS, f"{operation.name} has two handlers"
        HANDLERS[operation.name] = handler
        return handler

    return bind
