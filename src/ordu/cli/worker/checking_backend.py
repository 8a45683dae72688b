"""What makes the pictures: that it loads, answers, offers what is wanted, and makes one."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ordu.cli.failures import Failure
from ordu.cli.worker import running
from ordu.cli.worker.findings import Finding, bad, good, warning
from ordu.cli.worker.opening import Opened

if TYPE_CHECKING:
    from ordu.worker.backends import Backend, Offer

ABOUT = "backend"
PICTURE_S_MAX = 600.0  # a model of many gigabytes is loaded within it
SHOWN_MAX = 5  # names in a line


def check_backend(
    opened: Opened, demanded: Mapping[str, float] | None, *, picture: bool
) -> Iterator[Finding]:
    """The backend; `demanded` says for which models how much waits, where the horde tells."""
    name = opened.settings.backend
    try:
        (backend,) = running.open_backends(opened, most=1)
    except Failure as failure:
        yield bad(ABOUT, f"{name}: {failure.message}", "Mend what it says, or choose another.")
        return
    try:
        offer = backend.offer()
    except Exception as error:  # noqa: BLE001 - a backend is somebody else's code
        words = f"{name}: {str(error) or type(error).__name__}"
        yield bad(ABOUT, words, "Start its program, or change its settings.")
    else:
        yield from check_offer(opened, offer, demanded)
        if picture:
            yield check_picture(opened, backend, offer)
    finally:
        backend.close()


def check_offer(
    opened: Opened, offer: "Offer", demanded: Mapping[str, float] | None
) -> Iterator[Finding]:
    """What the backend offers, beside what the settings want and the horde asks for."""
    from ordu.worker.jobs import wanted_models

    settings = opened.settings
    can = [
        name
        for name in ("img2img", "inpainting", "lora", "controlnet", "post_processing")
        if getattr(offer, name) and name not in settings.without
    ]
    many = f"{len(offer.models)} {'model' if len(offer.models) == 1 else 'models'}"
    can += sorted(offer.features)
    abilities = f"; {', '.join(can)}" if can else ""
    yield good(
        ABOUT, f"{settings.backend}: {many}, pictures up to {offer.max_pixels} pixels{abilities}"
    )
    if "censor" not in offer.features:
        yield warning(
            ABOUT,
            "it has no checker, so requests that want nsfw pictures censored are not taken",
            "Give it one, where its page in docs/reference/backends/ says how.",
        )
    try:
        wanted = wanted_models(offer, settings)
    except LookupError as error:
        yield bad("models", str(error.args[0]), "Change models in the settings.")
        return
    if missing := [name for name in settings.models if name not in wanted]:
        words = f"of the models in the settings the backend lacks {listed(missing)}"
        yield warning("models", words, "Install them, or take them out of the settings.")
    if demanded is not None:
        yield demand(wanted, demanded)


def demand(wanted: list[str], demanded: Mapping[str, float]) -> Finding:
    """How many of the models are asked for now."""
    asked = [name for name in wanted if demanded.get(name)]
    many = f"{len(asked)} of your {len(wanted)} models"
    verb = "is" if len(asked) == 1 else "are"
    if asked:
        return good("demand", f"{many} {verb} asked for now: {listed(asked)}")
    others = sorted((name for name in demanded if demanded[name]), key=lambda n: -demanded[n])
    if not others:
        return good("demand", "nobody asks for pictures now: the queue is empty")
    words = f"{many} are asked for now; most waits for {listed(others)}"
    return warning("demand", words, "Offer one of these, or wait.")


def listed(names: list[str]) -> str:
    """Names in a line, the first few of many."""
    more = f" and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else ""
    return ", ".join(names[:SHOWN_MAX]) + more


def check_picture(opened: Opened, backend: "Backend", offer: "Offer") -> Finding:
    """Make a picture and say how long it took."""
    from ordu.worker.jobs import wanted_models
    from ordu.worker.selftest import Drawer, Over, small_drawing

    try:
        wanted = wanted_models(offer, opened.settings)
    except LookupError:
        wanted = list(offer.models)[:1]
    if not wanted:
        return bad("picture", "there is no model to make one with")
    model = opened.settings.model_names.get(wanted[0], wanted[0])
    try:
        (tried,) = Drawer(backend, PICTURE_S_MAX).make([small_drawing(model, offer)])
    except Over as over:
        return bad("picture", f"none was made: {over}", "Look at what the backend's program does.")
    size = f"{tried.width} × {tried.height}, {tried.steps} steps, {model}"
    if tried.problem:
        return bad("picture", f"{size}: {tried.problem}", "Mend what the backend says.")
    return good("picture", f"{size}: made in {tried.seconds:.1f} s")
