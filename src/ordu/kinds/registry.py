"""The kinds of work this horde knows: the only list of them."""

from typing import Any

from ordu.kinds.image import IMAGE
from ordu.kinds.kind import Kind

KINDS: dict[str, Kind[Any, Any, Any]] = {kind.name: kind for kind in (IMAGE,)}
