"""The devices a worker draws on: one backend for each, those that crash in processes of their own.

A machine with a broken card still lends the others.
"""

from collections.abc import Callable, Sequence
from functools import partial

from ordu.settings import Settings
from ordu.worker.apart import Apart
from ordu.worker.apart.messages import in_words
from ordu.worker.backends import Backend, BackendError


def open_devices(
    kind: type[Backend],
    name: str,
    settings: Settings,
    *,
    apart: bool = False,
    most: int | None = None,
    on_failure: Callable[[str, BackendError], None] | None = None,
) -> list[Backend]:
    """The backend on each of its devices that works, in their order, ready to make pictures.

    `name` is what `load` knows the backend by. `apart` has each device run in a process of its own
    though the backend does not ask for it; `most` is how many to open. `on_failure` is told each
    device that does not work while others do, and why. Whoever opens them closes them.

    Raises:
        BackendError: none works; the message says why.
    """
    make: Callable[[str], Backend] = partial(kind, settings)
    if apart or kind.is_apart:
        make = partial(Apart, name, settings, wait=False)
    opening: list[tuple[str, Backend | BackendError]] = []
    try:
        # All processes start before the first is waited for: they may import for a minute.
        for device in _devices(kind, name, settings)[:most]:
            opening.append((device, _tried(make, device)))  # noqa: PERF401 - closed if one raises
        opened = [(device, _ready(backend)) for device, backend in opening]
    except BaseException:  # Ctrl-C, which leaves no process behind
        close_all([each for _, each in opening if isinstance(each, Backend)])
        raise
    failures = [(device, each) for device, each in opened if isinstance(each, BackendError)]
    if len(failures) == len(opened):
        raise _none_works(failures)
    for device, error in failures:
        if on_failure is not None:
            on_failure(device, error)
    return [_named(each, device) for device, each in opened if isinstance(each, Backend)]


def close_all(backends: Sequence[Backend]) -> None:
    """Close backends, each of them, whatever becomes of the others.

    Raises:
        Exception: the first one's that a backend raised.
    """
    errors = []
    for backend in backends:
        try:
            backend.close()
        except Exception as error:  # noqa: BLE001 - a backend is somebody else's code
            errors.append(error)
    if errors:
        raise errors[0]


def _devices(kind: type[Backend], name: str, settings: Settings) -> Sequence[str]:
    try:
        devices = kind.devices(settings)
    except BackendError:
        raise
    except Exception as error:
        raise BackendError(in_words(error)) from error
    if not devices:
        raise BackendError(f"The backend {name} has no device to draw on.")
    return devices


def _named(backend: Backend, device: str) -> Backend:
    """The backend, which knows what it draws on whether or not it kept it in mind."""
    backend.device = device
    return backend


def _tried(make: Callable[[str], Backend], device: str) -> Backend | BackendError:
    try:
        return make(device)
    except BackendError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a backend is somebody else's code
        return BackendError(in_words(error))


def _ready(backend: Backend | BackendError) -> Backend | BackendError:
    if isinstance(backend, Apart):
        try:
            backend.ready()
        except BackendError as error:
            return error
    return backend


def _none_works(failures: Sequence[tuple[str, BackendError]]) -> BackendError:
    """One error for all: where all say the same, once."""
    words = {str(error) for _, error in failures}
    if len(words) == 1:
        return failures[0][1]
    told = (f"{device}: {error}" for device, error in failures)
    return BackendError(f"No device works. {' '.join(told)}")
