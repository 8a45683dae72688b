"""Which model draws: one that is named, or the `best` or `fast` one of those that are online.

`fast` is the one with which the request would be done first: the work that waits for a model and
the request's own, divided by the speed of all who offer it. `best` is the one of the newest
baseline that the horde's catalogue knows, and of several the one that most threads offer. Both
leave out models that are made for adults' pictures, or for another kind of drawing, and those with
which nobody online may serve this very request.
"""

from collections.abc import Callable, Mapping
from heapq import nlargest
from typing import TypeAlias, get_args

from ordu.engine.demand import waiting_by_model
from ordu.engine.horde import Horde
from ordu.engine.outlook import somebody_able
from ordu.kinds.catalogue import Catalogue
from ordu.kinds.image import asking, costs
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.server.doors.models import OnlineModel, is_offered, online_models
from ordu.server.doors.openai.errors import FieldRefused
from ordu.settings import Baseline
from ordu.store.users import User

ALIASES = ("best", "fast")
CHOSEN_FROM_MAX = 200  # models, those that most threads offer
NAMED_MAX = 10  # models in a message
# A newer one is better; what is not known comes last.
BASELINES: tuple[str, ...] = (
    "qwen_image",
    "flux_1",
    "z_image_turbo",
    "stable_cascade",
    "stable_diffusion_xl",
    "stable diffusion 2",
    "stable diffusion 1",
)
assert frozenset(BASELINES) == frozenset(get_args(Baseline))

Ask: TypeAlias = Callable[[str], GenerationInput]


def request_of(horde: Horde, user: User, wanted: str, ask: Ask) -> GenerationInput:
    """The request, made by `ask` for the model that is wanted.

    Raises:
        Refused: NoValidWorkers; `FieldRefused` for a model nobody knows, and what `ask` and the
            horde's rules refuse.
    """
    request = ask(wanted)
    asking.check(request, user, horde.catalogue)  # said first, whoever is online
    if wanted not in ALIASES:
        check_known(horde, wanted)
        return request
    online = online_models(horde)
    most = nlargest(CHOSEN_FROM_MAX, online.values(), lambda model: (model.threads, model.name))
    requests = {model.name: ask(model.name) for model in most}
    fitting = {
        name: each
        for name, each in requests.items()
        if is_fit(each, name, horde.catalogue)
        and somebody_able(horde, asking.requirement(each, horde.catalogue), user.id)
    }
    if not fitting:
        raise Refused(
            "NoValidWorkers",
            f"No worker that is online now has a model that could serve this as '{wanted}', so "
            "nothing was placed. Try a smaller size, or name one of the models of /v1/models.",
        )
    order = seconds(horde, online) if wanted == "fast" else badness(horde, online)
    return min(fitting.items(), key=lambda each: (order(each[1], each[0]), each[0]))[1]


def is_fit(request: GenerationInput, name: str, catalogue: Catalogue) -> bool:
    """Whether a model is made for such a request, as far as is known."""
    known = catalogue.models.get(name)
    if known is None:
        return True
    if known.nsfw and not request.nsfw:
        return False
    is_painting = request.source_mask is not None
    return known.inpainting is None or known.inpainting == is_painting


def seconds(
    horde: Horde, online: Mapping[str, OnlineModel]
) -> Callable[[GenerationInput, str], float]:
    """How long a request would take with a model, roughly."""
    waiting = waiting_by_model(horde.lanes)

    def of(request: GenerationInput, name: str) -> float:
        work = waiting.get(name, (0, 0))[1] + costs.work(request) * request.params.n
        return work / online[name].speed if online[name].speed else float("inf")

    return of


def badness(
    horde: Horde, online: Mapping[str, OnlineModel]
) -> Callable[[GenerationInput, str], tuple[int, int]]:
    """How far behind a model is: its baseline's place, then how few threads offer it."""

    def of(_: GenerationInput, name: str) -> tuple[int, int]:
        known = horde.catalogue.models.get(name)
        baseline = known.baseline if known else None
        place = len(BASELINES) if baseline is None else BASELINES.index(baseline)
        return place, -online[name].threads

    return of


def check_known(horde: Horde, name: str) -> None:
    """Refuse a model that nobody offers and the catalogue does not list."""
    if not is_offered(horde, name) and name not in horde.catalogue.models:
        raise model_not_found(name, online_models(horde))


def model_not_found(name: str, online: Mapping[str, OnlineModel]) -> FieldRefused:
    """The refusal of a model that nobody knows."""
    most = nlargest(NAMED_MAX, online.values(), lambda model: (model.threads, model.name))
    names = ", ".join([*ALIASES, *(model.name for model in most)]) if most else "none"
    return FieldRefused(
        "model",
        f"The model '{name}' does not exist here. Online now: {names}.",
        code="model_not_found",
        status=404,
    )
