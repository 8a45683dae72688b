"""`/livez` and `/readyz`: what a supervisor or load balancer asks."""

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
