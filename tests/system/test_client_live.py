"""Every method of the client, in both faces, against a real server."""

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from msgspec import UNSET
from tests.builders import a_picture
from tests.system.processes import POLL_S, START_S_MAX, Processes, until

from ordu.client import (
    AsyncHorde,
    Ended,
    Horde,
    Outcome,
    PictureReady,
    Progress,
    RequestEvent,
    Stage,
    TookTooLong,
)
from ordu.client.errors import HordeError
from ordu.client.wire import known
from ordu.protocol.jobs import PopInputStable, PostJobSubmitRequest
from ordu.protocol.kudos import PostAwardKudosRequest, PostTransferKudosRequest
from ordu.protocol.operations import TABLE, Era
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput
from ordu.protocol.status import PutHordeModesRequest
from ordu.protocol.users import PutUserSingleRequest
from ordu.protocol.workers import PutWorkerSingleRequest

Ask = Callable[..., Any]
SMALL = ModelGenerationInputStable(width=64, height=64, steps=1)
POP = PopInputStable(name="attic", models=["stable_diffusion"], bridge_agent="Ordu:1:x")


class Face:
    """A client whose methods are called alike, whichever face it has; notes which were called."""

    def __init__(self, call: Ask, client: Horde | AsyncHorde) -> None:
        self.call = call
        self.client = client
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Ask:
        self.called.add(name)
        return lambda *given, **named: self.call(getattr(self.client, name), *given, **named)


@contextmanager
def sync_face(url: str, key: str) -> Iterator[Face]:
    with Horde(url, key) as client:
        yield Face(lambda method, *given, **named: method(*given, **named), client)


@contextmanager
def async_face(url: str, key: str) -> Iterator[Face]:
    with start_blocking_portal() as portal:
        client = AsyncHorde(url, key)

        def call(method: Ask, *given: Any, **named: Any) -> Any:
            async def run() -> Any:
                return await method(*given, **named)

            return portal.call(run)

        yield Face(call, client)
        portal.call(client.aclose)


@pytest.mark.parametrize("face", [sync_face, async_face])
def test_every_method_of_the_client(ordu: Processes, face: Any) -> None:
    server = ordu.server()
    assert server.admin_key
    with face(server.url, server.admin_key) as horde:
        people(horde)
        kudos(horde)
        a_picture_by_hand(horde)
        the_worker(horde)
        the_horde(horde)
        a_sync_request_nobody_can_serve(horde)
    missing = {row.name for row in TABLE if row.era is not Era.ORDU} - horde.called
    assert missing == set()


def refused(rc: str, method: Ask, *given: Any, **named: Any) -> None:
    with pytest.raises(HordeError) as caught:
        method(*given, **named)
    assert caught.value.rc == rc


def people(horde: Face) -> None:
    ferris = horde.post_register({"username": "ferris"})
    assert (ferris.username, len(ferris.api_key)) == ("ferris#2", 22)
    assert [each.id for each in horde.get_users(sort="age")] == [0, 1, 2]
    assert horde.get_users(page=2) == []
    assert horde.get_find_user(ferris.api_key).username == "ferris#2"
    assert horde.get_user_single(2, ferris.api_key).active_generations.image == []
    assert horde.get_user_single(2, ferris.api_key).suspicious is UNSET
    changed = horde.put_user_single(2, PutUserSingleRequest(kudos=100, trusted=True))
    assert (changed.new_kudos, changed.trusted, changed.flagged) == (100.0, True, UNSET)
    refused("NotAdmin", horde.put_user_single, 2, {"kudos": 1}, ferris.api_key)
    refused("UserNotFound", horde.get_user_single, 99)
    assert horde.delete_user_single(2, ferris.api_key).message == "OK"
    refused("CannotWipeActiveUser", horde.delete_user_single, 2)
    assert horde.put_user_single(2, {"undelete": True}, ferris.api_key).undeleted is True


def kudos(horde: Face) -> None:
    gift = PostTransferKudosRequest(username="ferris#2", amount=5)
    refused("KudosTransferNotEnough", horde.post_transfer_kudos, gift)
    horde.post_award_kudos(PostAwardKudosRequest(username="1", amount=20), idempotency_key="a")
    horde.post_award_kudos(PostAwardKudosRequest(username="1", amount=20), idempotency_key="a")
    assert horde.post_transfer_kudos(gift).transferred == 5
    assert horde.get_find_user(x_fields="kudos").kudos == 15.0


def a_picture_by_hand(horde: Face) -> None:
    placed = horde.post_async_generate(GenerationInput(prompt="a fox", params=SMALL))
    assert horde.get_async_check(placed.id).waiting == 1
    assert horde.get_async_explain(placed.id).state == "waiting"
    job = horde.post_job_pop(POP)
    picture = a_picture(64, 64)
    done = horde.post_job_submit(
        PostJobSubmitRequest(id=job.id, generation=base64.b64encode(picture).decode(), seed=1)
    )
    assert done.reward == 0.01
    (generation,) = horde.get_async_status(placed.id).generations
    assert horde.fetch(generation.img) == picture
    cancelled = horde.post_async_generate(GenerationInput(prompt="a fox", params=SMALL))
    assert horde.delete_async_status(cancelled.id).done is True
    refused("RequestNotFound", horde.get_async_check, "00000000-0000-0000-0000-000000000000")


def the_worker(horde: Face) -> None:
    (listed,) = horde.get_workers(name="ATTIC")
    assert horde.get_worker_single(listed.id).name == "attic"
    assert horde.get_worker_single_name("attic").id == listed.id
    assert horde.get_worker_explain(listed.id).text == "Nothing waits on this horde."
    told = PutWorkerSingleRequest(maintenance=True, maintenance_msg="back on Monday", info="loft")
    changed = horde.put_worker_single(listed.id, told)
    assert (changed.maintenance, changed.info, changed.paused) == (True, "loft", UNSET)
    with pytest.raises(HordeError, match="back on Monday"):
        horde.post_job_pop(POP)
    assert horde.delete_worker_single(listed.id).deleted_name == "attic"
    refused("WorkerNotFound", horde.get_worker_single, listed.id)


def the_horde(horde: Face) -> None:
    assert horde.get_horde_load().queued_requests == 0
    horde.post_job_pop(POP)
    assert horde.get_models(min_count=1)[0].name == "stable_diffusion"
    assert horde.get_model_single("stable_diffusion")[0].count == 1
    assert horde.get_horde_news() == []
    assert horde.get_heartbeat().message == "OK"
    until(lambda: horde.get_image_horde_stats_totals().total.images == 1, "statistics")
    assert horde.get_image_horde_stats_models().total == {"stable_diffusion": 1}
    assert horde.get_text_horde_stats_totals().total.requests == 0
    assert horde.get_text_horde_stats_models().total == {}
    for document in (horde.get_docs_terms, horde.get_docs_privacy, horde.get_docs_sponsors):
        assert document(format="markdown").markdown
    assert horde.put_horde_modes(PutHordeModesRequest(maintenance=True)).maintenance_mode is True
    assert horde.get_horde_modes().maintenance_mode is True
    refused("MaintenanceMode", horde.post_async_generate, GenerationInput(prompt="a fox"))
    horde.put_horde_modes(PutHordeModesRequest(maintenance_mode=False))


def a_sync_request_nobody_can_serve(horde: Face) -> None:
    wanted = GenerationInput(prompt="a fox", models=["nobody has it"], params=SMALL)
    refused("NoValidWorkers", horde.post_sync_generate, wanted)


class Losing(httpx.BaseTransport):
    """A connection that breaks after the server has done what it was asked, when told to."""

    def __init__(self) -> None:
        self.line = httpx.HTTPTransport()
        self.loses_next = False
        self.lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.line.handle_request(request)
        if self.loses_next:
            response.read()
            response.close()
            self.loses_next = False
            self.lost += 1
            raise httpx.ReadError("cut", request=request)
        return response

    def close(self) -> None:
        self.line.close()


def test_a_lost_answer_costs_neither_a_request_nor_an_account_nor_kudos(ordu: Processes) -> None:
    server = ordu.server()
    assert server.admin_key
    wanted = GenerationInput(prompt="a fox", params=SMALL)
    transport = Losing()
    with Horde(server.url, server.admin_key, transport=transport) as horde:
        horde.post_async_generate(wanted)  # from here on it is known that keys are honoured
        transport.loses_next = True
        again = horde.post_async_generate(wanted)
        assert known(horde.get_async_check(known(again.id, "")).waiting, 0) == 1
        assert known(horde.get_horde_load().queued_requests, 0) == 2
        transport.loses_next = True
        horde.post_award_kudos(PostAwardKudosRequest(username="1", amount=20))
        assert known(horde.get_find_user().kudos, 0.0) == 20.0
        transport.loses_next = True
        assert known(horde.post_register({"username": "ferris"}).id, 0) == 2
        assert [each.id for each in horde.get_users(sort="age")] == [0, 1, 2]
    assert transport.lost == 3


@pytest.mark.parametrize("face", ["sync", "async"])
def test_events_go_on_over_a_restart(ordu: Processes, face: str) -> None:
    server = ordu.server()
    assert server.admin_key
    seen: list[RequestEvent] = []

    def listen(url: str, request_id: str) -> None:
        with Horde(url) as horde:
            seen.extend(horde.events(request_id))

    async def listen_async(url: str, request_id: str) -> None:
        async with AsyncHorde(url) as horde:
            seen.extend([event async for event in horde.events(request_id)])

    with server.horde(server.admin_key) as horde:
        wanted = GenerationInput(prompt="a fox", params=a_pair())
        request_id = known(horde.post_async_generate(wanted).id, "")
        listener = threading.Thread(
            target=lambda: (
                listen(server.url, request_id)
                if face == "sync"
                else asyncio.run(listen_async(server.url, request_id))
            )
        )
        listener.start()
        first = horde.post_job_pop(POP)
        submit(horde, known(first.id, ""))
        second = horde.post_job_pop(POP)
        server.kill()
        ordu.server("--port", server.url.rpartition(":")[2])
        submit(horde, known(second.id, ""))
        listener.join(START_S_MAX)
    pictures = [each.picture_id for each in seen if isinstance(each, PictureReady)]
    assert pictures == [first.id, second.id]
    last = seen[-1]
    assert isinstance(last, Ended)
    assert (last.state, last.progress.finished) == ("done", 2)
    assert len({each.id for each in seen}) == len(seen)


def a_pair() -> ModelGenerationInputStable:
    return ModelGenerationInputStable(width=64, height=64, steps=1, n=2)


def submit(horde: Horde, job_id: str) -> None:
    picture = base64.b64encode(a_picture(64, 64)).decode()
    horde.post_job_submit(PostJobSubmitRequest(id=job_id, generation=picture, seed=1))


@pytest.mark.parametrize("face", [sync_face, async_face])
def test_generate_is_told_what_happens(ordu: Processes, face: Any) -> None:
    server = ordu.server()
    assert server.admin_key
    ordu.worker(server, server.admin_key)
    told: list[Progress] = []
    with face(server.url, server.admin_key) as horde:
        pictures = horde.generate("a fox", width=64, height=64, n=2, on_progress=told.append)
    assert len(pictures) == 2
    assert told[-1].is_over
    assert [each.finished for each in told] == sorted(each.finished for each in told)


@pytest.mark.parametrize("face", ["sync", "async"])
def test_many_are_made_and_progress_is_iterated_over(ordu: Processes, face: str) -> None:
    server = ordu.server()
    assert server.admin_key
    ordu.worker(server, server.admin_key)
    small = {"width": 64, "height": 64, "steps": 1}
    prompts = [f"fox {number}" for number in range(8)]
    stages: list[Stage] = []

    def sync_story(horde: Horde) -> list[Outcome]:
        with horde.request("a fox", **small) as request:
            stages.extend(progress.stage for progress in request)
            assert len(request.pictures()) == 1
        return list(horde.generate_many(prompts, at_once=3, **small))

    async def async_story(horde: AsyncHorde) -> list[Outcome]:
        async with horde:
            async with horde.request("a fox", **small) as request:
                stages.extend([progress.stage async for progress in request])
                assert len(await request.pictures()) == 1
            return [each async for each in horde.generate_many(prompts, at_once=3, **small)]

    if face == "sync":
        with Horde(server.url) as horde:
            outcomes = sync_story(horde)
    else:
        outcomes = asyncio.run(async_story(AsyncHorde(server.url)))
    assert stages[-1] is Stage.DONE
    assert sorted((each.number, each.asked) for each in outcomes) == list(enumerate(prompts))
    assert [each.error for each in outcomes] == [None] * 8


@pytest.mark.parametrize("face", ["sync", "async"])
def test_who_leaves_early_leaves_nothing_waiting_at_the_horde(ordu: Processes, face: str) -> None:
    server = ordu.server()

    def waiting() -> int:
        with server.horde() as horde:
            return known(horde.get_horde_load().queued_requests, 0)

    def leave(horde: Horde) -> None:
        with horde.request("a fox") as request:
            for _ in request:
                assert waiting() == 1
                break
        assert waiting() == 0
        for outcome in horde.generate_many(["a fox"] * 9, at_once=3, timeout_s=3):
            assert isinstance(outcome.error, TookTooLong)
            break

    async def leave_async(horde: AsyncHorde) -> None:
        async with horde:
            async with horde.request("a fox") as request:
                async for _ in request:
                    assert await asyncio.to_thread(waiting) == 1
                    break
            assert await asyncio.to_thread(waiting) == 0
            many = asyncio.create_task(all_of(horde))
            while await asyncio.to_thread(waiting) < 3:
                await asyncio.sleep(POLL_S)
            many.cancel()
            with pytest.raises(asyncio.CancelledError):
                await many

    async def all_of(horde: AsyncHorde) -> list[Outcome]:
        return [each async for each in horde.generate_many(["a fox"] * 9, at_once=3)]

    if face == "sync":
        with Horde(server.url) as horde:
            leave(horde)
    else:
        asyncio.run(leave_async(AsyncHorde(server.url)))
    assert waiting() == 0
