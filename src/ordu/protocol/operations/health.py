"""`/livez`, `/readyz`, `/metrics`: what a supervisor, a load balancer and a monitor ask."""

from ordu.protocol.operations.row import Era, Operation

get_livez = Operation(
    name="get_livez",
    method="GET",
    path="/livez",
    summary="Does the process answer",
    status_text="It does",
    era=Era.ORDU,
    produces="text/plain",
    limits=(),
)

get_readyz = Operation(
    name="get_readyz",
    method="GET",
    path="/readyz",
    summary="Can the server do its work: database and pictures can be reached",
    status_text="It can",
    refusals={503: "It cannot"},
    era=Era.ORDU,
    produces="text/plain",
    limits=(),
    rcs=("Unavailable",),
)

get_metrics = Operation(
    name="get_metrics",
    method="GET",
    path="/metrics",
    summary="What this process has done, as Prometheus reads it",
    description=(
        "Messages to webhooks: how many were delivered, how many attempts failed, how many messages"
        " were given up, each since the process began; and how many wait in the whole horde."
    ),
    status_text="Metrics",
    refusals={429: "Too Many Calls", 503: "Unavailable"},
    era=Era.ORDU,
    produces="text/plain",
    rcs=("Unavailable",),
)
