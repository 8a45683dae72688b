"""One device as PyTorch sees it: its memory, its numbers, and what its errors mean."""

import gc
import re
from typing import Any, Literal

import torch

from ordu.worker.backends import BackendBrokenError, BackendError, OutOfMemoryError
from ordu.worker.backends.diffusers import hardware
from ordu.worker.backends.diffusers.hardware import GIB

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
# Of a device's memory what drawing gets before anything was drawn; then it is what drawing took.
RESERVE_SHARE = 0.25
RESERVE_BYTES_MAX = 6 * GIB
# What is left of the machine's own memory to its other programs.
RAM_RESERVE_BYTES = 2 * GIB
FULL = re.compile(
    r"out of memory|can't allocate memory|not enough memory|std::bad_alloc|ALLOC_FAILED"
    r"|unable to find an engine",  # of cuDNN, which looks for one that fits into what is left
    re.I,
)
# After these the graphics card answers nothing more to this process.
BROKEN = re.compile(
    r"\b(CUDA|HIP) (driver )?error|device-side assert|illegal memory access|launch failure"
    r"|CU(BLAS|DNN)_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|MAPPING_ERROR)",
    re.I,
)
WORDS_MAX = 300  # of another program's error, characters


class Device:
    """A graphics card, or the processor."""

    def __init__(self, name: str, precision: str, memory_gib: float) -> None:
        """Take the device into use.

        Raises:
            BackendError: PyTorch cannot use it; the message says how to mend that.
        """
        self.name = name or "cpu"
        self.is_card = self.name.startswith("cuda")
        _refuse_unusable(self.name)
        self.dtype = _dtype(self.name, precision)
        self._memory_bytes = round(memory_gib * GIB)
        self._drawing_bytes = 0  # the most that drawing took beside the models

    def budget_bytes(self, held_bytes: int) -> int:
        """How much models kept loaded may take, of which they take `held_bytes` now."""
        if self._memory_bytes:
            return self._memory_bytes
        if not self.is_card:
            return (hardware.ram_free_bytes() + held_bytes) // 2
        free, total = torch.cuda.mem_get_info(self.name)
        cached = torch.cuda.memory_reserved(self.name) - torch.cuda.memory_allocated(self.name)
        guess = min(int(total * RESERVE_SHARE), RESERVE_BYTES_MAX)
        return int(free + cached + held_bytes - max(guess, self._drawing_bytes))

    def can_park(self, size_bytes: int) -> bool:
        """Whether a model that has to leave a graphics card finds room in the machine's memory."""
        return self.is_card and hardware.ram_free_bytes() - size_bytes > RAM_RESERVE_BYTES

    def begin(self) -> None:
        """A picture is begun: from now on its use of memory is watched."""
        if self.is_card:
            torch.cuda.reset_peak_memory_stats(self.name)

    def finish(self, held_bytes: int) -> None:
        """A picture is made, beside models that take `held_bytes`."""
        if self.is_card:
            peak = torch.cuda.max_memory_allocated(self.name) - held_bytes
            self._drawing_bytes = max(self._drawing_bytes, peak)

    def free_caches(self) -> None:
        """Give back what is held for later use."""
        gc.collect()
        if self.is_card:
            torch.cuda.empty_cache()
        elif self.name == "mps":
            torch.mps.empty_cache()


def failure(error: Exception, what: str) -> BackendError:
    """What an error of the libraries means for the worker; `what` was being done."""
    words = f"{type(error).__name__}: {error}".strip()
    words = " ".join(words.split())[:WORDS_MAX]
    if isinstance(error, torch.OutOfMemoryError) or FULL.search(words):
        return OutOfMemoryError(f"Out of memory while {what}.")
    if isinstance(error, torch.AcceleratorError) or BROKEN.search(words):
        return BackendBrokenError(
            f"The graphics card failed while {what}, and this process cannot use it any more:"
            f" {words}"
        )
    return BackendError(f"Failed while {what}: {words}")


def bytes_of(modules: dict[str, Any]) -> int:
    """How much memory these networks take on their device, shared weights once."""
    tensors: dict[int, int] = {}
    for module in modules.values():
        if isinstance(module, torch.nn.Module):
            for tensor in (*module.parameters(), *module.buffers()):
                tensors[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
    return sum(tensors.values())


def _dtype(name: str, precision: str) -> Any:
    if precision == "auto":
        precision = "fp16" if name.startswith("cuda") else "fp32"
    return DTYPES[precision]


def _refuse_unusable(name: str) -> None:
    kind: Literal["cuda", "mps", "cpu"] | str = name.partition(":")[0]
    if kind == "cuda" and not torch.cuda.is_available():
        raise BackendError(
            f"This PyTorch ({torch.__version__}) cannot use a graphics card: install a build for"
            " it, as https://pytorch.org/get-started/locally says, or set devices = cpu."
        )
    if kind == "cuda" and int(name.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise BackendError(f"There is no {name}: PyTorch sees {torch.cuda.device_count()} cards.")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise BackendError("This PyTorch cannot use Apple's graphics: set devices = cpu.")
