"""The page of the API: every operation, to browse. What it says is made from the table."""

from ordu.protocol.operations import TABLE
from ordu.web import reference
from ordu.web.render import render
from ordu.web.visit import Visit


def api(visit: Visit) -> str:
    """Every operation; in English, as the operations are described."""
    return render(
        "api",
        visit,
        groups=reference.groups(visit.site.url),
        refusal_fields=reference.refusal_fields(),
        operation_count=len(TABLE),
    )
