"""`/api/v2/stats`: what the horde has made (protocol sheet 23 §5)."""

from ordu.protocol.operations.row import ALWAYS, X_FIELDS, Era, Operation, in_query
from ordu.protocol.stats import ImgModelStats, StatsImgTotals, StatsTxtTotals, TxtModelStats

get_image_horde_stats_totals = Operation(
    name="get_image_horde_stats_totals",
    method="GET",
    path="/api/v2/stats/img/totals",
    summary="Details how many images have been generated in the past minute, hour, day and month",
    description=(
        "Pictures that were delivered, counted by the minute. The minute is the last whole one; the"
        " hour, day and 30 days reach up to now and begin with a whole minute, hour or day."
    ),
    parameters=(X_FIELDS,),
    reply=StatsImgTotals,
    status_text="Horde Generated Images Statistics",
    refusals=ALWAYS,
    era=Era.TODAY,
)

get_image_horde_stats_models = Operation(
    name="get_image_horde_stats_models",
    method="GET",
    path="/api/v2/stats/img/models",
    summary="Details how many images were generated per model in the past day, month and in total",
    description="Every model counts as known: this horde has no list of models.",
    parameters=(
        X_FIELDS,
        in_query("model_state", "`known` (the default), `custom` or `all` models"),
    ),
    reply=ImgModelStats,
    status_text="Horde Generated Images per Model",
    refusals=ALWAYS,
    rcs=("BadRequest",),
    era=Era.TODAY,
)

get_text_horde_stats_totals = Operation(
    name="get_text_horde_stats_totals",
    method="GET",
    path="/api/v2/stats/text/totals",
    summary="Details how many texts have been generated in the past minute, hour, day and month",
    description="All zero: no texts are made here yet.",
    parameters=(X_FIELDS,),
    reply=StatsTxtTotals,
    status_text="Horde Generated Texts Statistics",
    refusals=ALWAYS,
    era=Era.TODAY,
)

get_text_horde_stats_models = Operation(
    name="get_text_horde_stats_models",
    method="GET",
    path="/api/v2/stats/text/models",
    summary="Details how many texts were generated per model in the past day, month and in total",
    description="All empty: no texts are made here yet.",
    parameters=(X_FIELDS,),
    reply=TxtModelStats,
    status_text="Horde Generated Texts per Model",
    refusals=ALWAYS,
    era=Era.TODAY,
)
