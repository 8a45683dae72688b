"""A kind of work: what the horde must be told about pictures, texts or alchemy to serve them.

One value of `Kind` for each. A kind translates its wire bodies into the common values (`Wish`,
`Offer`) and a claimed job back into its own payload, so `why_not` has no branch per kind.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ordu.kinds.catalogue import Catalogue
from ordu.rules.lifecycle import Wish
from ordu.rules.matching import Offer, Requirement, WorkerId
from ordu.rules.relaxing import Ask, Subject, Value
from ordu.rules.results import Wanted
from ordu.settings import ServerSettings
from ordu.store.users import User

Asked = TypeVar("Asked")  # the body of a request
Popped = TypeVar("Popped")  # the body of a pop
Payload = TypeVar("Payload")  # what a worker is told


@dataclass(frozen=True)
class Kind(Generic[Asked, Popped, Payload]):
    """What differs between kinds of work."""

    name: str
    wish: Callable[[Asked, User, ServerSettings, Catalogue], Wish]
    lighter: Callable[[Asked], Asked]  # the same without what makes it heavy
    offer: Callable[[Popped, WorkerId, User, Catalogue], Offer]
    payload: Callable[[bytes, int, int], Payload]  # a wish's body, a job's seed, how many at once
    batch: Callable[[bytes, int, int], int]  # of a body, how many at once for pixels_max and amount
    has_word: Callable[[bytes, Sequence[str]], bool]
    ask: Callable[[bytes, Requirement, Catalogue], Ask]  # what of a wish's body can be eased
    wanted: Callable[[bytes], Wanted]  # of a body, how its pictures may look
    settings: Callable[[Iterable[Subject], Ask], dict[str, Value]]  # what a body says then
