"""What a browser gets where there is no page, or where one cannot be had: a page, not JSON."""

import logging
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.server.pages.house import page, site_of, visit_of
from ordu.web import negotiation
from ordu.web.pages import errors

log = logging.getLogger(__name__)

ErrorAnswer = Callable[[HttpRequest, Exception], Awaitable[Response]]


def with_pages(horde: Horde, for_programs: ErrorAnswer) -> ErrorAnswer:
    """What answers an error: a page for browsers outside the API, else what programs get."""
    site = site_of(horde)

    async def answer(http: HttpRequest, error: Exception) -> Response:
        told = await for_programs(http, error)
        is_page = negotiation.prefers_html(http.headers.get("accept", ""))
        if negotiation.is_for_programs(http.url.path) or not is_page:
            return told
        why = error.message if isinstance(error, Refused) else ""
        request_id = getattr(http.state, "request_id", "-")
        try:
            html = errors.error(visit_of(site, http), told.status_code, request_id, why=why)
        except Exception:  # what broke may be what every page is made of
            log.exception("the page of an error cannot be made")
            return told
        headers = error.headers if isinstance(error, HTTPException) else None
        return page(http, html, told.status_code, headers)

    return answer
