"""`/api/v2/status`: the horde as a whole (protocol sheets 23 and 01 §10)."""

from ordu.protocol.operations.row import (
    ALWAYS,
    REASON,
    X_FIELDS,
    Era,
    Key,
    Limit,
    Nulls,
    Operation,
    api_key,
    in_path,
    in_query,
)
from ordu.protocol.status import (
    ActiveModel,
    DeletedNewspiece,
    Heartbeat,
    HordeHistory,
    HordeModes,
    HordePerformanceStable,
    Newspiece,
    PutHordeModesRequest,
    PutHordeNewsRequest,
)

get_horde_modes = Operation(
    name="get_horde_modes",
    method="GET",
    path="/api/v2/status/modes",
    summary="Horde Maintenance Mode Status",
    description=(
        "Use this endpoint to quickly determine if this horde is in maintenance, invite_only or"
        " raid mode. Raid mode is shown to moderators."
    ),
    parameters=(api_key("The Admin or Owner API key"), X_FIELDS),
    reply=HordeModes,
    status_text="Horde Modes",
    refusals=ALWAYS | {401: "Invalid API Key"},
    nulls=Nulls.SKIP,
    key=Key.OPTIONAL,
    limits=(Limit(30, 60),),
)

put_horde_modes = Operation(
    name="put_horde_modes",
    method="PUT",
    path="/api/v2/status/modes",
    summary="Change Horde Modes",
    description=(
        "Endpoint for admins to (un)set the horde into maintenance, invite_only or raid modes."
        " Everything is changed or nothing. The answer has what was changed."
    ),
    parameters=(api_key("The Admin API key", required=True), X_FIELDS),
    request=PutHordeModesRequest,
    reply=HordeModes,
    status_text="Modes Set",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied"},
    nulls=Nulls.SKIP,
    key=Key.REQUIRED,
    limits=(Limit(30, 60),),
    rcs=(
        "NoHordeModSelected",
        "NotAdmin",
        "NotModerator",
    ),
)

get_horde_load = Operation(
    name="get_horde_load",
    method="GET",
    path="/api/v2/status/performance",
    summary="Details about the current performance of this Horde",
    parameters=(X_FIELDS,),
    reply=HordePerformanceStable,
    status_text="Horde Performance",
    refusals=ALWAYS,
)

get_models = Operation(
    name="get_models",
    method="GET",
    path="/api/v2/status/models",
    summary="Returns a list of models active currently in this horde",
    parameters=(
        X_FIELDS,
        in_query("type", "Only models of one kind: `image` (the default) or `text`"),
        in_query("min_count", "Only models with at least so many threads", int),
        in_query("max_count", "Only models with at most so many threads", int),
        in_query("model_state", "`all` (the default), `known` or `custom` models"),
    ),
    reply=list[ActiveModel],
    status_text="List All Active Models",
    refusals=ALWAYS,
    rcs=("BadRequest", "BadParameter"),
)

get_model_single = Operation(
    name="get_model_single",
    method="GET",
    path="/api/v2/status/models/{model_name}",
    summary="One model that workers offer or that something waits for",
    description="A list of one entry, or of none when the model is not known here now.",
    parameters=(in_path("model_name", "The name of the model"), X_FIELDS),
    reply=list[ActiveModel],
    status_text="The Model",
    refusals=ALWAYS,
    era=Era.TODAY,
)

get_horde_news = Operation(
    name="get_horde_news",
    method="GET",
    path="/api/v2/status/news",
    summary="Read the latest happenings on the horde",
    parameters=(X_FIELDS,),
    reply=list[Newspiece],
    status_text="Horde News",
    refusals=ALWAYS,
)

get_horde_history = Operation(
    name="get_horde_history",
    method="GET",
    path="/api/v2/status/history",
    summary="How the horde stood in the last hour, day, month or year",
    description=(
        "What waits, who is here and how fast they are, in steps that grow with the span: a minute"
        " for an hour, 15 minutes for a day, six hours for a month, a day for a year. A point is"
        " the mean of samples that are taken once a minute; steps in which no server was there have"
        " none. `before=week` tells the same of a week earlier (the hour in steps of 5 minutes)."
    ),
    parameters=(
        X_FIELDS,
        in_query("span", "How far back: `hour` (the default), `day`, `month` or `year`"),
        in_query("before", "`week` for the span that ended a week ago"),
    ),
    reply=HordeHistory,
    status_text="Horde History",
    refusals=ALWAYS,
    era=Era.ORDU,
    rcs=("ValidationFailed",),
)

put_horde_news = Operation(
    name="put_horde_news",
    method="PUT",
    path="/api/v2/status/news",
    summary="Publish a piece of news, or change one",
    description=(
        "Only moderators may do this. With `id` that piece is changed in what the body names, and"
        " keeps its date; without, a new one is published today. Texts are plain."
    ),
    parameters=(api_key("The Mod API key", required=True), X_FIELDS),
    request=PutHordeNewsRequest,
    reply=Newspiece,
    status_text="The Newspiece",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied", 404: "News Not Found"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(30, 60),),
    rcs=("NotModerator", "NoNewsModSelected", "NewsNotFound"),
)

delete_horde_news = Operation(
    name="delete_horde_news",
    method="DELETE",
    path="/api/v2/status/news",
    summary="Take a piece of news back",
    description="Only moderators may do this. What it said stays in the log of acts.",
    parameters=(
        api_key("The Mod API key", required=True),
        X_FIELDS,
        in_query("id", "The number of the piece", int, required=True),
        REASON,
    ),
    reply=DeletedNewspiece,
    status_text="Taken Back",
    refusals=ALWAYS | {401: "Invalid API Key", 403: "Access Denied", 404: "News Not Found"},
    key=Key.REQUIRED,
    era=Era.ORDU,
    limits=(Limit(30, 60),),
    rcs=("NotModerator", "NewsNotFound", "BadParameter"),
)

get_heartbeat = Operation(
    name="get_heartbeat",
    method="GET",
    path="/api/v2/status/heartbeat",
    summary="The pulse of the server that answers",
    description="Always 200; `message` says how it is. Never limited.",
    parameters=(X_FIELDS,),
    reply=Heartbeat,
    status_text="Heartbeat",
    refusals={400: "Validation Error"},
    era=Era.TODAY,
    limits=(),
)
