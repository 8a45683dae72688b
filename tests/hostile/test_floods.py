"""Floods of one and of many addresses, while somebody honest has a picture made."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator

import pytest
from tests.hostile.conftest import Besieged
from tests.hostile.wire import NOTHING, Wire, call

CONNECTIONS = 15
TIMES = 3  # a picture is made meanwhile
PLACE = json.dumps({"prompt": "a fox", "models": ["of the flood"]}).encode()
POP = json.dumps({"name": "of the flood", "models": ["x"], "bridge_agent": "Ordu:1:x"}).encode()
JSON = {"Content-Type": "application/json"}


def flood(url: str, raw: bytes, source: str | None, stop: threading.Event) -> None:
    """Send this again and again; where it is hung up on, come back."""
    while not stop.is_set():
        with contextlib.suppress(OSError), Wire(url, source, 2) as wire:
            while not stop.is_set() and wire.say(raw):
                if wire.hear() == NOTHING:
                    break


@contextlib.contextmanager
def flooded(siege: Besieged, raw: bytes, source: Callable[[int], str | None]) -> Iterator[None]:
    """Have a flood meanwhile."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=flood, args=(siege.url, raw, source(number), stop))
        for number in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def raws(siege: Besieged) -> dict[str, bytes]:
    """What is sent again and again."""
    stranger = JSON | {"apikey": siege.stranger_key}
    return {
        "requests": call("POST", "/api/v2/generate/async", PLACE, stranger),
        "polls": call("GET", "/api/v2/generate/check/00000000-0000-0000-0000-000000000000"),
        "pops": call("POST", "/api/v2/generate/pop", POP, stranger),
        "pages": call("GET", "/horde"),
        "nonsense": b"\x16\x03\x01" * 100,
        "large bodies": call("POST", "/api/v2/generate/async", b" " * 900_000, stranger),
    }


@pytest.mark.parametrize("what", ["requests", "polls", "pops", "pages", "nonsense", "large bodies"])
@pytest.mark.parametrize("of", ["one address", "many addresses"])
def test_others_are_served_beside_a_flood(siege: Besieged, what, of):
    source = (lambda _: "127.9.0.1") if of == "one address" else (lambda _: None)
    with siege.bounded(), flooded(siege, raws(siege)[what], source):
        for _ in range(TIMES):
            siege.is_serving()
