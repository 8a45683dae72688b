"""One caller cannot have all there is: waits, streams, calls for pictures, large bodies."""

import contextlib
import json
from typing import Any

from tests.hostile.conftest import Besieged
from tests.hostile.wire import Wire, ask, call
from tests.system.processes import until

WAITS_EACH = 6  # of this server
SYNC_EACH = 2  # a quarter of eight
BODY_ROOM_EACH = 1024 * 1024  # one body of the largest size always fits


def placed(siege: Besieged, model: str) -> str:
    """A request that nobody serves."""
    headers = {"apikey": siege.user_key, "Content-Type": "application/json"}
    body = json.dumps({"prompt": "a fox", "models": [model]}).encode()
    return str(ask(siege.url, call("POST", "/api/v2/generate/async", body, headers)).json()["id"])


def cancel(siege: Besieged, request_id: str) -> None:
    """Drop it again."""
    ask(siege.url, call("DELETE", f"/api/v2/generate/status/{request_id}"))


def test_one_address_may_wait_only_so_often_and_others_still_may(siege: Besieged):
    request_id = placed(siege, "for waits")
    check = call("GET", f"/api/v2/generate/check/{request_id}", headers={"Prefer": "wait=30"})
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(siege.url, "127.6.0.1")) for _ in range(WAITS_EACH)]
        for wire in wires:
            wire.say(check)

        def is_answered_at_once() -> bool:
            answer = ask(siege.url, check.replace(b"wait=30", b"wait=1"), source="127.6.0.1")
            return b"\r\npreference-applied:" not in answer.head.lower()

        until(is_answered_at_once, "all seats to be taken")
        events = call("GET", f"/api/v2/generate/status/{request_id}/events")
        refused = ask(siege.url, events, source="127.6.0.1")
        assert (refused.status, refused.rc) == (429, "TooManyWaiters")
        other = ask(siege.url, check.replace(b"wait=30", b"wait=1"), source="127.6.0.2")
        assert b"\r\npreference-applied: wait=1" in other.head.lower()
    cancel(siege, request_id)


def test_one_key_may_wait_only_so_often_from_many_addresses(siege: Besieged):
    pop = {"name": "many", "models": ["nobody asks for this"], "bridge_agent": "Ordu:1:x"}

    def popping(key: str, wait_s: int) -> bytes:
        headers = {"apikey": key, "Prefer": f"wait={wait_s}"}
        return call("POST", "/api/v2/generate/pop", json.dumps(pop).encode(), headers)

    with contextlib.ExitStack() as stack:
        for _ in range(WAITS_EACH):
            stack.enter_context(Wire(siege.url)).say(popping(siege.owner_key, 30))

        def is_answered_at_once() -> bool:
            answer = ask(siege.url, popping(siege.owner_key, 1))
            return b"\r\npreference-applied:" not in answer.head.lower()

        until(is_answered_at_once, "all seats to be taken")


def test_one_address_may_wait_for_so_many_pictures_of_its_own(siege: Besieged):
    model = "for sync"
    pop = {"name": "attic", "models": [model], "bridge_agent": "Ordu:1:x"}
    headers = {"apikey": siege.owner_key, "Content-Type": "application/json"}
    ask(siege.url, call("POST", "/api/v2/generate/pop", json.dumps(pop).encode(), headers))
    wish = json.dumps({"prompt": "a fox", "models": [model]}).encode()
    raw = call("POST", "/api/v2/generate/sync", wish, {"apikey": "0000000000"})
    with contextlib.ExitStack() as stack:
        for _ in range(SYNC_EACH):
            stack.enter_context(Wire(siege.url, "127.7.0.1")).say(raw)
        until(lambda: waiting(siege, model) == SYNC_EACH, "them to wait")
        refused = ask(siege.url, raw, source="127.7.0.1")
        assert (refused.status, refused.rc) == (429, "TooManyWaiters")
        stack.enter_context(Wire(siege.url, "127.7.0.2")).say(raw)
        until(lambda: waiting(siege, model) == SYNC_EACH + 1, "another to wait")
    until(lambda: waiting(siege, model) == 0, "all to be cancelled")


def waiting(siege: Besieged, model: str) -> int:
    """How many pictures of a model are waited for."""
    models: list[dict[str, Any]] = ask(siege.url, call("GET", "/api/v2/status/models")).json()
    return next((round(each["jobs"]) for each in models if each["name"] == model), 0)


def test_large_bodies_of_one_address_have_a_quarter_of_the_room(siege: Besieged):
    size = 700_000
    head = f"POST /api/v2/generate/async HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    with siege.bounded(), contextlib.ExitStack() as stack:
        first = stack.enter_context(Wire(siege.url, "127.8.0.1"))
        first.say(head.encode() + b" " * (size - 1))

        def is_refused() -> bool:
            with Wire(siege.url, "127.8.0.1") as wire:
                wire.say(head.encode() + b" " * size)
                answer = wire.hear()
                assert answer.rc in {"Unavailable", "MalformedBody"}
                return answer.status == 503

        until(is_refused, "its room to be full", within_s=2.5)
        with Wire(siege.url, "127.8.0.2") as other:
            other.say(head.encode() + b" " * size)
            assert other.hear().status == 400
    until(lambda: not is_refused(), "room again")
