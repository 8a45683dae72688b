"""Which devices this machine has, found without loading PyTorch."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ASK_SECONDS = 5.0
GIB = 2**30
# ROCm's list of processors; those with a number other than 0 are graphics cards.
ROCM_NODES = Path("/sys/class/kfd/kfd/topology/nodes")
# PyTorch sees only the cards named in the first of these that is set, numbered anew.
VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")


def devices(environ: Mapping[str, str] = os.environ) -> Sequence[str]:
    """All graphics cards as PyTorch names them, else Apple's, else the processor."""
    if cards := count_cards(environ):
        return tuple(f"cuda:{number}" for number in range(cards))
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return ("mps",)
    return ("cpu",)


def count_cards(environ: Mapping[str, str] = os.environ) -> int:
    """How many graphics cards of NVIDIA or AMD PyTorch could use."""
    there = _nvidia_cards(environ) or _rocm_cards()
    allowed = next((environ[name] for name in VISIBLE if name in environ), None)
    if allowed is None or not there:
        return there
    numbers = [each.strip() for each in allowed.split(",")]
    return min(there, sum(1 for each in numbers if each and each != "-1"))


def memory_bytes(device: str) -> int:
    """How much memory a graphics card has; 0 when nobody says."""
    answer = _ask("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    sizes = [int(line) for line in answer.splitlines() if line.strip().isdigit()]
    number = int(device.partition(":")[2] or 0)
    return sizes[number] * 2**20 if device.startswith("cuda") and number < len(sizes) else 0


def ram_free_bytes() -> int:
    """How much memory programs may still take here, within the limit of a container."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    limit = _text(Path("/sys/fs/cgroup/memory.max")).strip()
    used = _text(Path("/sys/fs/cgroup/memory.current")).strip()
    if limit.isdigit() and used.isdigit():
        # Files that were read are counted as used, and given up when memory is needed.
        files = dict(_pairs(_text(Path("/sys/fs/cgroup/memory.stat")))).get("inactive_file", 0)
        free = min(free, int(limit) - int(used) + files)
    return max(0, free)


def _nvidia_cards(environ: Mapping[str, str]) -> int:
    del environ
    lines = _ask("nvidia-smi", "-L").splitlines()
    return sum(1 for line in lines if line.startswith("GPU "))


def _rocm_cards() -> int:
    try:
        nodes = list(ROCM_NODES.iterdir())
    except OSError:
        return 0
    return sum(1 for node in nodes if _text(node / "gpu_id").strip() not in {"", "0"})


def _ask(*command: str) -> str:
    """What a program says; nothing when it is not there or takes too long."""
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words, no shell
            command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def _pairs(text: str) -> list[tuple[str, int]]:
    lines = (line.split() for line in text.splitlines())
    return [(line[0], int(line[1])) for line in lines if len(line) == 2 and line[1].isdigit()]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
