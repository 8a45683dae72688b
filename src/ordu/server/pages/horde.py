"""The page `/horde`."""

from collections.abc import Sequence

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu.engine.demand import waiting_by_model
from ordu.engine.horde import Horde
from ordu.engine.presence import Worker
from ordu.protocol.status import ActiveModel, Newspiece
from ordu.rules import money, names
from ordu.rules.lifecycle import Millis
from ordu.server.handlers.status import active_model, news_view, offered_models
from ordu.server.pages.house import House, page
from ordu.server.samples import history_of
from ordu.server.views import MEGA
from ordu.store import givers, news, users
from ordu.store.database import Transaction
from ordu.store.samples import Span
from ordu.web.camp import Doing, Machine
from ordu.web.pages import horde as pages
from ordu.web.pages.horde import Giver, Here, Model
from ordu.web.standing import standing_of

NEWS_SHOWN = 5


def routes(house: House) -> list[BaseRoute]:
    """The page."""

    async def get_page(http: HttpRequest) -> Response:
        asked = http.query_params.get("span", "")
        span = Span(asked if asked in pages.SPANS else pages.SPANS[0])
        return page(http, pages.horde(house.visit(http), await here_of(house.horde, span)))

    return [Route("/horde", get_page)]


async def here_of(horde: Horde, span: Span) -> Here:
    """Everything the page says."""
    now = horde.now()
    history = await history_of(horde, span)
    earlier = await history_of(horde, span, is_week_earlier=True)
    given, told = await horde.read(lambda tx: (givers_of(tx, now), news_of(tx)))
    return Here(
        standing=standing_of(horde),
        machines=[machine(horde, worker) for worker in horde.presence.here(now)],
        history=history,
        earlier=earlier,
        models=models_of(horde),
        givers=given,
        news=told,
    )


def machine(horde: Horde, worker: Worker) -> Machine:
    """A machine as everybody may see it: a pause that only moderators see is not told."""
    doing = Doing.WAITING
    if horde.running.of(worker.id):
        doing = Doing.DRAWING
    elif worker.maintenance_text is not None:
        doing = Doing.PAUSED
    return Machine(
        id=worker.id,
        name=worker.name,
        doing=doing,
        models=tuple(sorted(worker.capability.models)),
        megapixelsteps=speed_of(worker),
    )


def speed_of(worker: Worker) -> float | None:
    """How fast a machine is, as exactly as `get_workers` tells it; None until it has shown it."""
    return round(worker.speed / MEGA, 1) if worker.speeds else None


def models_of(horde: Horde) -> list[Model]:
    """The models that machines offer or that something waits for."""
    queued, offered = waiting_by_model(horde.lanes), offered_models(horde)
    machines: dict[str, list[Worker]] = {}
    for worker in horde.presence.here(horde.now()):
        if worker.maintenance_text is None:
            for name in worker.capability.models:
                machines.setdefault(name, []).append(worker)
    return [
        model(
            active_model(name, offered.get(name, []), *queued.get(name, (0, 0))),
            machines.get(name, []),
        )
        for name in offered.keys() | queued.keys()
    ]


def model(told: ActiveModel, machines: Sequence[Worker]) -> Model:
    """A model as `get_models` tells it, and the machines that offer it."""
    speeds = [speed for worker in machines if (speed := speed_of(worker)) is not None]
    return Model(
        name=str(told.name),
        machines=len(machines) if told.count else 0,
        waiting=int(told.jobs or 0),
        takes_s=float(told.eta or 0) if told.count else None,
        megapixelsteps=sum(speeds) / len(speeds) if speeds else None,
    )


def givers_of(tx: Transaction, now: Millis) -> list[Giver]:
    """Whose machines earned most this month."""
    found = []
    for giver in givers.page(tx, 1, now):
        user = users.known(tx, giver.user_id)
        if user is not None:
            alias = names.alias(user.username, user.id)
            found.append(Giver(alias, giver.pictures, money.exact(giver.kudos)))
    return found


def news_of(tx: Transaction) -> list[Newspiece]:
    """The newest news."""
    return [news_view(each) for each in news.newest(tx)[:NEWS_SHOWN]]
