"""Examples: for each operation a call that can be pasted into a shell.

The bodies are written by hand, because a good example shows what people really send; a test decodes
each of them as the operation would.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ordu.protocol.operations import Key, Operation, Place

PROMPT = "a lighthouse at dusk"

BODIES: Mapping[str, Mapping[str, Any]] = {
    "post_async_generate": {
        "prompt": PROMPT,
        "models": [],
        "params": {"n": 2, "width": 768, "height": 512, "steps": 30},
    },
    "post_sync_generate": {"prompt": PROMPT, "models": []},
    "post_job_pop": {
        "name": "attic-3060",
        "models": ["stable_diffusion"],
        "max_pixels": 589824,
        "bridge_agent": "my worker:1.0:https://example.org",
    },
    "post_job_submit": {"id": "JOB_ID", "generation": "R2", "seed": "42"},
    "put_user_single": {"public_workers": True},
    "put_worker_single": {"maintenance": True, "maintenance_msg": "Back on Monday"},
    "post_transfer_kudos": {"username": "aida#17", "amount": 250},
    "post_award_kudos": {"username": "aida#17", "amount": 250},
    "put_horde_modes": {"maintenance": True},
    "put_horde_news": {"newspiece": "The horde moves on Friday.", "importance": "Upcoming"},
    "post_register": {"username": "aida"},
    "post_user_identity": {"provider": "company", "to": "/account"},
}

VALUES: Mapping[str, str] = {
    "user_id": "17",
    "identity_id": "IDENTITY_ID",
    "id": "REQUEST_ID",
    "name": "NAME.webp",
    "worker_name": "attic",
    "model_name": "stable_diffusion",
}


def curl(operation: Operation, base_url: str) -> str:
    """The operation as a curl command, one option a line."""
    method = "" if operation.method == "GET" else f"-X {operation.method} "
    if operation.name in BODIES and operation.method == "POST":
        method = ""  # curl posts when there is a body
    lines = [f"curl {method}{quoted(base_url + path_of(operation) + query_of(operation))}"]
    if operation.key is Key.REQUIRED:
        lines.append('-H "apikey: $ORDU_API_KEY"')
    lines += body_of(operation)
    if operation.produces.startswith("image/"):
        lines.append("-o picture.webp")
    return " \\\n  ".join(lines)


def path_of(operation: Operation) -> str:
    """The path with a word for each parameter."""
    path = operation.path
    for parameter in operation.parameters:
        if parameter.place is Place.PATH:
            value = VALUES.get(parameter.name, parameter.name.upper())
            path = path.replace("{" + parameter.name + "}", value)
    return path


def query_of(operation: Operation) -> str:
    """The parameters behind the question mark that must be there."""
    names = [
        parameter.name
        for parameter in operation.parameters
        if parameter.place is Place.QUERY and parameter.required
    ]
    return "?" + "&".join(f"{name}={name.upper()}" for name in names) if names else ""


def quoted(url: str) -> str:
    """The address, in quotes where the shell needs them."""
    return f'"{url}"' if "&" in url or "?" in url else url


def body_of(operation: Operation) -> Sequence[str]:
    """The options that send the body."""
    if operation.consumes.startswith("image/"):
        return ["--data-binary @picture.webp"]
    if operation.name not in BODIES:
        return []
    return ['-H "Content-Type: application/json"', f"-d '{body(operation, indent=0)}'"]


def body(operation: Operation, indent: int = 2) -> str:
    """The body of the example as JSON; empty where there is none. Without indent it is one line."""
    if operation.name not in BODIES:
        return ""
    return msgspec.json.format(msgspec.json.encode(BODIES[operation.name]), indent=indent).decode()
