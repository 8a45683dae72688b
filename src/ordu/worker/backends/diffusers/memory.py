"""Which models are in memory, and which has to leave when another is wanted.

A model is read into the machine's memory first, where its size is measured. Then it moves to the
device, after as many others left as it takes for all to fit: the one that was not used for longest
first. Who leaves stays in the machine's memory where there is room, and is back in a second; else
it is dropped.
"""

from collections import OrderedDict
from collections.abc import Callable

from ordu.worker.backends import BackendError, OutOfMemoryError, Progress
from ordu.worker.backends.diffusers.device import Device, failure
from ordu.worker.backends.diffusers.library import Model, UnloadableError
from ordu.worker.backends.diffusers.loading import Loaded, load

Loader = Callable[[Model, object], Loaded]


class Shelf:
    """The models in memory, the one used last at the end. Not for several threads at once."""

    def __init__(self, device: Device, loader: Loader = load) -> None:
        self._device = device
        self._load = loader
        self._models: OrderedDict[str, Loaded] = OrderedDict()
        self.ready: frozenset[str] = frozenset()  # on the device; read by other threads

    @property
    def held_bytes(self) -> int:
        """What the models on the device take of it."""
        return sum(each.size_bytes for each in self._models.values() if not each.is_parked)

    def get(self, model: Model, progress: Progress) -> Loaded:
        """The model, on the device.

        Raises:
            UnloadableError: it cannot be loaded, or is larger than the device.
            Cancelled: `progress` raised it.
        """
        loaded = self._models.get(model.name)
        if loaded is None:
            loaded = self._read(model)
        self._models[model.name] = loaded
        self._models.move_to_end(model.name)
        progress(0.0)
        if loaded.is_parked:
            self._move_in(loaded)
        return loaded

    def keep_only(self, name: str) -> None:
        """Have all other models leave the device."""
        for each in [each for each in self._models.values() if each.name != name]:
            self._move_out(each)
        self._device.free_caches()

    def clear(self) -> None:
        """Drop all models."""
        self._models.clear()
        self._tell()
        self._device.free_caches()

    def forget(self, name: str) -> None:
        """Drop one model, when it is in memory."""
        self._models.pop(name, None)
        self._tell()
        self._device.free_caches()

    def _read(self, model: Model) -> Loaded:
        try:
            return self._load(model, self._device.dtype)
        except MemoryError:
            pass
        self._models.clear()  # parked ones too: the machine's own memory is full
        self._tell()
        self._device.free_caches()
        try:
            return self._load(model, self._device.dtype)
        except MemoryError:
            raise UnloadableError(
                f"The model {model.name} does not fit into this machine's memory."
            ) from None

    def _move_in(self, loaded: Loaded) -> None:
        """Put a model onto the device, after others left as needed."""
        for each in [each for each in self._models.values() if each is not loaded]:
            held = self.held_bytes
            if held + loaded.size_bytes <= self._device.budget_bytes(held):
                break
            self._move_out(each)
        problem = self._try_move(loaded)
        if isinstance(problem, OutOfMemoryError):
            self.keep_only(loaded.name)
            problem = self._try_move(loaded)
        if problem is not None:
            self.forget(loaded.name)
            if isinstance(problem, OutOfMemoryError):
                gib = loaded.size_bytes / 2**30
                raise UnloadableError(
                    f"The model {loaded.name} takes {gib:.1f} GiB, more than"
                    f" {self._device.name} has free."
                )
            raise problem
        loaded.is_parked = False
        self._tell()

    def _try_move(self, loaded: Loaded) -> BackendError | None:
        try:
            loaded.put(self._device.name)
        except Exception as error:  # noqa: BLE001 - PyTorch has many; `failure` tells them apart
            return failure(error, f"loading the model {loaded.name}")
        return None

    def _move_out(self, loaded: Loaded) -> None:
        """Park a model, or drop it."""
        if loaded.is_parked:
            return
        if self._device.can_park(loaded.size_bytes):
            loaded.put("cpu")
            loaded.is_parked = True
        else:
            del self._models[loaded.name]
        self._tell()
        self._device.free_caches()

    def _tell(self) -> None:
        self.ready = frozenset(each.name for each in self._models.values() if not each.is_parked)
