"""`/api/v2/documents`: terms, privacy, sponsors (protocol sheet 23 §6)."""

from ordu.protocol.documents import HordeDocument
from ordu.protocol.operations.row import ALWAYS, X_FIELDS, Era, Operation, in_query


def document(subject: str, summary: str, status_text: str) -> Operation:
    """The row of one text."""
    return Operation(
        name=f"get_docs_{subject}",
        method="GET",
        path=f"/api/v2/documents/{subject}",
        summary=summary,
        description=(
            f"What stands in `{subject}.md` in the data folder, or a text that comes with the"
            " server. The answer has the field of its format only."
        ),
        parameters=(X_FIELDS, in_query("format", "`html` (the default) or `markdown`")),
        reply=HordeDocument,
        status_text=status_text,
        refusals=ALWAYS,
        rcs=("BadRequest",),
        era=Era.TODAY,
    )


get_docs_terms = document("terms", "Terms and Conditions", "Terms and Conditions")
get_docs_privacy = document("privacy", "Privacy Policy", "Privacy Policy")
get_docs_sponsors = document("sponsors", "Sponsors of this horde", "Sponsors")
