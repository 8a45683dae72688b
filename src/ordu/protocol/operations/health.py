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
    summary="Can the server do its work: database and pictures can be reached, with room for more",
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
        "For the operators, from the addresses in the setting `metrics_hosts` or with"
        " `Authorization: Bearer` and the `metrics_token`: what waits, who is here, what came of"
        " it, how long calls and commits take, how the process is doing. No number names anybody."
    ),
    status_text="Metrics",
    refusals={403: "Forbidden", 429: "Too Many Calls", 503: "Unavailable"},
    era=Era.ORDU,
    produces="text/plain",
    rcs=("Forbidden", "Unavailable"),
)
