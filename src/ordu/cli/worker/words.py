"""How what a worker meets is said: why there is no work, how long, how large."""

import math
from collections.abc import Mapping

# Why a waiting request was not given to this worker, after "1 request" or "3 requests".
REASONS: Mapping[str, str] = {
    "models": "for other models",
    "failed_before": "failed by this worker before",
    "max_pixels": "too large for this worker",
    "nsfw": "marked nsfw",
    "worker_id": "for certain other workers",
    "untrusted": "for trusted workers only",
    "performance": "for faster workers",
    "blacklist": "with words you do not take",
    "bridge_version": "for what this worker cannot do",
    "img2img": "with a source image",
    "painting": "for inpainting",
    "post-processing": "with post-processing",
    "lora": "with LoRAs",
    "controlnet": "with a ControlNet",
    "step_count": "with too many steps",
    "kudos": "that cannot be paid up front",
    "unsafe_ip": "from a suspicious address",
    "paused": "of others, while this worker is paused",
}
NOTHING_TO_DO = "waiting for work"


def in_words(skipped: Mapping[str, int]) -> str:
    """Why there is no job: `waiting for work; passed over: 3 for other models`."""
    if not skipped:
        return NOTHING_TO_DO
    parts = [f"{count} {REASONS.get(reason, reason)}" for reason, count in skipped.items()]
    return f"{NOTHING_TO_DO}; passed over: {', '.join(parts)}"


def duration(seconds: float) -> str:
    """A time that passes, as exact as one wants to know it: `24 s`, `12 min`, `7 h 54 min`."""
    seconds = max(seconds, 0.0)
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def pixels(count: int) -> str:
    """How large a picture of so many pixels is: `1024×1024`, or `0.8 megapixels`."""
    side = math.isqrt(count)
    return f"{side}×{side}" if side * side == count else f"{count / 1_000_000:.2g} megapixels"
