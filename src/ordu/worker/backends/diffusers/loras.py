"""LoRAs: small files that change how a model draws; put in for one picture and taken out again."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ordu.protocol.params import Lora
from ordu.worker.backends import BackendError, OutOfMemoryError
from ordu.worker.backends.diffusers.device import failure
from ordu.worker.backends.diffusers.loading import Loaded, Pipeline

TEXT_READERS = ("text_encoder", "text_encoder_2")

log = logging.getLogger(__name__)


def files(loras: tuple[Lora, ...], known: Mapping[str, Path]) -> list[Path]:
    """The file of each LoRA.

    Raises:
        BackendError: one is not here; the message names it.
    """
    for each in loras:
        if each.is_version or each.name not in known:
            kind = "version of a LoRA" if each.is_version else "LoRA"
            raise BackendError(f"The {kind} {each.name!r} is not on this machine.")
    return [known[each.name] for each in loras]


@contextmanager
def within(loaded: Loaded, loras: tuple[Lora, ...], paths: list[Path]) -> Iterator[None]:
    """Draw with these LoRAs; afterwards the model is as it was."""
    if not loras:
        yield
        return
    try:
        for number, (lora, path) in enumerate(zip(loras, paths, strict=True)):
            _put_in(loaded, lora, path, f"lora{number}")
        weights = [_weights(loaded.pipe, each) for each in loras]
        loaded.pipe.set_adapters([f"lora{number}" for number in range(len(loras))], weights)
        yield
    finally:
        loaded.pipe.unload_lora_weights()


def _put_in(loaded: Loaded, lora: Lora, path: Path, name: str) -> None:
    try:
        loaded.pipe.load_lora_weights(
            path.parent, weight_name=path.name, adapter_name=name, local_files_only=True
        )
    except Exception as error:
        log.debug("loading the LoRA %s", lora.name, exc_info=True)
        problem = failure(error, f"loading the LoRA {lora.name!r}")
        if isinstance(problem, OutOfMemoryError):
            raise problem from None
        raise BackendError(
            f"The LoRA {lora.name!r} does not fit the model {loaded.name}: {problem}"
        ) from None
    if not any(name in adapters for adapters in loaded.pipe.get_list_adapters().values()):
        raise BackendError(f"The LoRA {lora.name!r} has nothing for the model {loaded.name}.")


def _weights(pipe: Pipeline, lora: Lora) -> dict[str, float]:
    readers = [name for name in TEXT_READERS if getattr(pipe, name, None) is not None]
    return {"unet": lora.model, **dict.fromkeys(readers, lora.clip)}
