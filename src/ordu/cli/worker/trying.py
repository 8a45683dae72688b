"""The self-test as a person sees it: each picture a line, then what follows and is written down."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from rich.status import Status

from ordu.cli.console import clean, label, out
from ordu.cli.failures import FAILED, Failure, extra
from ordu.cli.worker.opening import Opened
from ordu.settings import WorkerSettings

if TYPE_CHECKING:
    from ordu.worker.backends import Backend, Offer
    from ordu.worker.selftest import Measurements, Proposal, Try

WIDTH = 14  # of what stands in front of a line


def try_out(opened: Opened, backends: "Sequence[Backend]", seconds: float) -> Opened:
    """Have the first device make pictures, show how that goes, and return what settings follow.

    Raises:
        Failure: it makes no picture.
    """
    with extra("worker"):
        from ordu.worker.backends import BackendError
        from ordu.worker.jobs import wanted_models
        from ordu.worker.selftest import propose

    try:
        offer = backends[0].offer()
        wanted = wanted_models(offer, opened.settings)
        measured = measure(backends[0], offer, opened.settings, wanted, seconds)
    except BackendError as error:
        raise Failure(str(error), FAILED) from error
    except LookupError as error:
        raise Failure(str(error.args[0]), FAILED) from error
    proposal = propose(measured, offer)
    if not proposal.works:
        raise Failure(why_nothing(measured), FAILED)
    show(facts(measured, proposal, offer, len(backends)))
    return with_changes(opened, following(opened.settings, proposal, wanted))


def measure(
    backend: "Backend", offer: "Offer", settings: WorkerSettings, wanted: list[str], seconds: float
) -> "Measurements":
    """Measure, with a line for each picture."""
    from ordu.worker.selftest import SelfTest

    console = out()
    console.print(f"Trying it, for {seconds:g} s at most (Ctrl-C skips the rest):")
    models = [settings.model_names.get(name, name) for name in wanted]

    def run() -> "Measurements":
        return SelfTest(backend, offer, models, seconds=seconds, tell=tell).run()

    def tell(tried: "Try") -> None:
        console.print(line_of(tried), style="yellow" if tried.problem else None)
        console.file.flush()

    if not console.is_terminal:
        return run()
    with Status("making pictures", console=console):
        return run()


def line_of(tried: "Try") -> str:
    """How one picture went, in a line."""
    what = f"{tried.width} × {tried.height}, {tried.steps} steps, {clean(tried.model)}"
    if tried.problem:
        return f"  {what}: not made: {clean(tried.problem)}"
    speed = tried.megapixelsteps / tried.seconds if tried.seconds else 0.0
    return f"  {what}: {tried.seconds:.1f} s, {speed:.1f} megapixelsteps/s"


def why_nothing(measured: "Measurements") -> str:
    """Why no picture was made at all."""
    problems = [f"{each.model}: {each.problem}" for each in measured.models if each.problem]
    if problems:
        return f"No picture could be made. {clean('; '.join(problems))}"
    return (
        f"No picture was made: {measured.cut}. --seconds gives it more time, --no-test leaves it"
        " out."
    )


# -- what follows ------------------------------------------------------------------------------


def following(
    settings: WorkerSettings, proposal: "Proposal", wanted: list[str]
) -> dict[str, object]:
    """The settings that change by a proposal; what their owner has limited stays limited."""
    changes: dict[str, object] = {}
    if proposal.failed:
        broken = proposal.failed.keys()
        changes["models"] = tuple(
            name for name in wanted if settings.model_names.get(name, name) not in broken
        )
    limits = [each for each in (settings.max_pixels, proposal.max_pixels) if each]
    if limits and min(limits) != settings.max_pixels:
        changes["max_pixels"] = min(limits)
    if settings.jobs == 1 and proposal.jobs > 1:
        changes["jobs"] = proposal.jobs
    if proposal.extra_slow and not settings.extra_slow:
        changes["extra_slow"] = True
    return changes


def with_changes(opened: Opened, changes: dict[str, object]) -> Opened:
    """The same with other settings."""
    settings = msgspec.structs.replace(opened.settings, **changes)
    return Opened(settings, opened.backend, opened.backend_settings)


def show(found: list[tuple[str, str]]) -> None:
    """Show what follows."""
    console = out()
    console.print("What follows:")
    for name, words in found:
        console.print(label(name, clean(words), WIDTH))
    console.file.flush()


def facts(
    measured: "Measurements", proposal: "Proposal", offer: "Offer", devices: int = 1
) -> list[tuple[str, str]]:
    """What the measurements mean, each with a name in front.

    One device was measured; the others are taken to be like it.
    """
    found = [("speed", f"{proposal.megapixelsteps_per_s:.1f} megapixelsteps/s")]
    fastest = offer.megapixelsteps_per_s_max
    if 0 < fastest < proposal.megapixelsteps_per_s:
        words = f"no picture is delivered faster than {fastest:g} megapixelsteps/s,"
        found.append(("held back", f"{words} and that is what the horde sees"))
    if proposal.extra_slow:
        found.append(
            (
                "very slow",
                "extra_slow = true: you get requests whose authors admit very slow workers",
            )
        )
    if measured.loading_s:
        found.append(("loading", f"{measured.loading_s:.1f} s before the first picture"))
    found.append(("largest", largest(measured, proposal, offer)))
    if measured.pair is not None:
        words = f"{measured.pair.gain:.2f} times as fast as one after the other"
        found.append(("two at once", f"{words}: jobs = {proposal.jobs}"))
    for model, problem in proposal.failed.items():
        found.append(("not offered", f"{model}: {problem}"))
    if measured.untested:
        found.append(("not tried", ", ".join(measured.untested)))
    if measured.cut:
        found.append(("cut short", measured.cut))
    kudos = f"{devices * proposal.kudos_per_hour:,.0f} kudos an hour at most"
    many = f", with {devices} devices like the one tried" if devices > 1 else ""
    return [*found, ("earns", f"{kudos}, if there is always work{many}")]


def largest(measured: "Measurements", proposal: "Proposal", offer: "Offer") -> str:
    """Up to which size pictures are made, and how far that was tried."""
    made = [each for each in measured.sizes if not each.problem]
    tried = f"tried up to {made[-1].width} × {made[-1].height}" if made else "no size was tried"
    if proposal.max_pixels:
        return f"max_pixels = {proposal.max_pixels} ({tried})"
    return f"{offer.max_pixels} pixels, as the backend says ({tried})"
