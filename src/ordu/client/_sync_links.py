# Derived from _async_links.py by scripts/sync_client.py: edit that, then `make sync-client`.
"""Where the links of a horde may lead: not into the network of whoever follows them.

A horde gives links to pictures, to sources and to places for uploads. One on the Internet has no
business in the network around a client, so its links lead to itself or to public addresses; one
that is in a private network itself may name both. It is looked at when a connection stands and
before anything is sent on it, so that a name that resolves differently the second time gets nobody
around (docs/adr/0037).
"""

from typing import Any

from ordu.client import wire
from ordu.client.links import CONNECTED, CONNECTING, Place, is_outside, is_public, place_of, proxies
from ordu.client.waiting import sync_aside


class SyncLinks:
    """What is known of where a horde is, and what is asked of every connection.

    `is_outside` says whether the horde is on the Internet; None until a call has shown it. One that
    was found there stays there, whatever its name is said to be later.
    """

    def __init__(self, url: str, *, may_be_private: bool) -> None:
        self.is_outside: bool | None = None
        self._home = place_of(url)
        self._may_be_private = may_be_private

    def watching(self, *, is_link: bool) -> dict[str, Any]:
        """The extensions (httpx) of a request whose connections are looked at."""
        to = self._home

        def trace(event: str, said: dict[str, Any]) -> None:
            nonlocal to
            if event.endswith(CONNECTING):
                to = Place(said["host"], said["port"])
            elif event.endswith(CONNECTED):
                stream = said["return_value"]
                if to == self._home:
                    self.is_outside = self.is_outside or is_public(stream)
                elif is_link and not self._may_lead(to, stream):
                    stream.close()
                    raise wire.leads_inside(str(to))

        return {"trace": trace}

    def _may_lead(self, to: Place, stream: Any) -> bool:
        """Whether a link may lead there. What goes through a proxy, the proxy has to judge."""
        if self._may_be_private or is_public(stream) or to in proxies():
            return True
        if self.is_outside is None:  # it was not asked anything, or through a proxy
            self.is_outside = bool(proxies()) or sync_aside(is_outside, self._home)
        return not self.is_outside
