"""Metrics: `/metrics`, numbers about this process and its horde as Prometheus reads them."""

from typing import NamedTuple

from ordu.protocol import operations
from ordu.server.call import Answer, Call, handles
from ordu.store import webhooks

TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """One number, with what it means."""

    name: str
    kind: str  # counter: only goes up while the process lives; gauge: as it is now
    meaning: str
    value: int

    @property
    def lines(self) -> str:
        """As Prometheus reads it."""
        return (
            f"# HELP {self.name} {self.meaning}\n# TYPE {self.name} {self.kind}\n"
            f"{self.name} {self.value}\n"
        )


@handles(operations.get_metrics)
async def get_metrics(call: Call[None]) -> Answer:
    """The numbers of this process."""
    tally = call.horde.tally
    waiting = await call.horde.read(webhooks.waiting)
    metrics = (
        Metric(
            "ordu_webhook_delivered_total",
            "counter",
            "Messages to webhooks that their receivers have.",
            tally.delivered,
        ),
        Metric(
            "ordu_webhook_attempts_failed_total",
            "counter",
            "Attempts to deliver to webhooks that failed.",
            tally.failed,
        ),
        Metric(
            "ordu_webhook_given_up_total",
            "counter",
            "Messages to webhooks that failed for good or that nobody wants.",
            tally.given_up,
        ),
        Metric(
            "ordu_webhook_waiting",
            "gauge",
            "Messages to webhooks that wait, in the whole horde.",
            waiting,
        ),
    )
    text = "".join(metric.lines for metric in metrics)
    return Answer(content=text.encode(), media_type=TEXT)
