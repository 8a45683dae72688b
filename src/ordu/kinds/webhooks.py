"""Reading the `webhook` of a request: whom it may name. Nothing is asked of the network here."""

from collections.abc import Collection

from ordu.outside.post import called_at
from ordu.outside.targets import BadLinkError
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Webhook


def webhook_of(url: str | None, *, tells_end: bool, hosts: Collection[str]) -> Webhook | None:
    """Whom a request tells of its pictures; `hosts` are those that the operator allows inside.

    Raises:
        Refused: BadRequest, the code of the public servers for a webhook that is not https.
    """
    if not url:
        if tells_end:
            raise Refused("BadRequest", "`webhook_end` needs a `webhook` that is to be told.")
        return None
    try:
        called_at(url, hosts)
    except BadLinkError as error:
        raise Refused("BadRequest", f"The webhook {error}", errors={"webhook": str(error)}) from (
            error
        )
    return Webhook(url, tells_end)
