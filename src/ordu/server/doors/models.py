"""The models that are online, as doors show and choose them."""

import msgspec

from ordu.engine.horde import Horde
from ordu.rules.lifecycle import Millis


class OnlineModel(msgspec.Struct):
    """A model that workers offer now."""

    name: str
    threads: int  # how many pictures are drawn with it at once
    speed: float  # things per second of all of these threads
    since: Millis  # when the first of these workers came to this horde


def online_models(horde: Horde) -> dict[str, OnlineModel]:
    """The models of the workers that are here and serve everybody, by name."""
    found: dict[str, OnlineModel] = {}
    for worker in horde.online():
        threads, since = worker.offer.threads, worker.created_at
        for name in worker.capability.models:
            model = found.get(name)
            if model is None:
                model = found[name] = OnlineModel(name, 0, 0.0, since)
            model.threads += threads
            model.speed += threads * worker.speed
            model.since = min(model.since, since)
    return found


def is_offered(horde: Horde, name: str) -> bool:
    """Whether any worker that is here has this model, be it for its owner only."""
    return any(name in each.capability.models for each in horde.presence.here(horde.now()))
