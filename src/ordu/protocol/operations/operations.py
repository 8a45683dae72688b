"""`/api/v2/operations`: what those who run the horde look at."""

from ordu.protocol.acts import HordeActs
from ordu.protocol.operations.row import (
    ALWAYS,
    X_FIELDS,
    Era,
    Key,
    Limit,
    Operation,
    api_key,
    in_query,
)
from ordu.protocol.running import HordeHealth, HordeSetting

_REFUSALS = ALWAYS | {401: "Invalid API Key", 403: "Access Denied"}

get_horde_audit = Operation(
    name="get_horde_audit",
    method="GET",
    path="/api/v2/operations/audit",
    summary="The log of acts: what moderators and the administrator did",
    description=(
        "Newest first; kept for good. An act is what somebody did to what is not theirs, or to"
        " their own what not everybody may. It is written with what it tells of or not at all."
        " Only moderators see it."
    ),
    parameters=(
        api_key("The Mod API key", required=True),
        X_FIELDS,
        in_query("cursor", "`next` of the part before"),
        in_query("limit", "How many, from 1 to 200; 50 unless said", int),
        in_query("actor", "Only acts of this user, as `name#17` or `17`; or `machine`"),
        in_query("operation", "Only acts by this operation, as `put_user_single`"),
        in_query(
            "target", "Only acts upon this: `user:17`, `worker:ID`, `news:3`, or a kind alone"
        ),
        in_query("since", "Only acts from this moment on, as ISO 8601; UTC unless it says"),
        in_query("until", "Only acts before this moment"),
    ),
    reply=HordeActs,
    status_text="Log of Acts",
    refusals=_REFUSALS,
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(60, 60),),
    rcs=("NotModerator", "BadParameter"),
)

get_horde_settings = Operation(
    name="get_horde_settings",
    method="GET",
    path="/api/v2/operations/settings",
    summary="The settings that the server runs with, and where each comes from",
    description=(
        "As the process that answers was started. Neither secrets nor the passwords in addresses"
        " are shown. Only user 1 sees it."
    ),
    parameters=(api_key("The Admin API key", required=True), X_FIELDS),
    reply=list[HordeSetting],
    status_text="Settings in Force",
    refusals=_REFUSALS,
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(30, 60),),
    rcs=("NotAdmin",),
)

get_horde_health = Operation(
    name="get_horde_health",
    method="GET",
    path="/api/v2/operations/health",
    summary="How the horde is: its work, its books, its disk",
    description="Only moderators see it. `/livez` and `/readyz` are for programs.",
    parameters=(api_key("The Mod API key", required=True), X_FIELDS),
    reply=HordeHealth,
    status_text="Health",
    refusals=_REFUSALS,
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(60, 60),),
    rcs=("NotModerator",),
)
