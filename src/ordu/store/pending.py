"""A write on its way: what it does, who is told of its end, and how it ended."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ordu.failpoints import Failpoint, name_of
from ordu.store.database import Transaction, unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(eq=False)
class Pending(Generic[T]):
    """An operation on its way, and how it ended."""

    operation: Callable[[Transaction], T]
    publish: Callable[[T], None] | None
    abandon: Callable[[], None] | None
    future: "asyncio.Future[T]"
    result: T | None = None
    error: BaseException | None = None
    touched: frozenset[int] = frozenset()  # the users it changed
    counts: Mapping[str, int] = field(default_factory=dict)  # what it counted

    def deliver(
        self,
        failpoint: Failpoint | None,
        on_users_changed: Callable[[frozenset[int]], None] | None,
        on_counted: Callable[[Mapping[str, int]], None] | None = None,
    ) -> None:
        """Tell everybody how it ended; runs in the event loop."""
        if self.counts and self.error is None and on_counted is not None:
            on_counted(self.counts)
        if self.touched and on_users_changed is not None:
            on_users_changed(self.touched)
        try:
            self.publish_and_answer(failpoint)
        except Exception:
            log.exception("publishing a committed write failed")
            if not self.future.done():
                self.future.set_exception(unavailable("The horde lost track of this write."))

    def publish_and_answer(self, failpoint: Failpoint | None) -> None:
        """Publish or abandon, then answer the caller."""
        if self.error is None:
            if self.publish is not None:
                self.publish(self.result)  # type: ignore[arg-type] # set whenever error is None
            if failpoint is not None:
                failpoint.passed(name_of(self.operation), "unanswered")
            if not self.future.done():
                self.future.set_result(self.result)  # type: ignore[arg-type] # as above
            return
        if self.abandon is not None:
            self.abandon()
        if not self.future.done():
            self.future.set_exception(self.error)


class Dropped(Exception):  # noqa: N818 - nobody is told: its caller has gone
    """The caller left before the operation began."""
