"""The door of /sdapi/v1 with several processes: what one remembers, the others know."""

import asyncio

import pytest
from tests.api.conftest import ADMIN
from tests.api.test_processes import one, shared, two, until, url

__all__ = ["one", "shared", "two", "url"]  # fixtures

pytestmark = pytest.mark.anyio


async def test_progress_and_interrupt_may_reach_another_process_than_the_call(one, two):
    await one.pop()
    asked = asyncio.create_task(
        one.api.post("/sdapi/v1/txt2img", json={"prompt": "a fox", "steps": 9}, headers=ADMIN)
    )
    told = {"job_count": 0}
    async with asyncio.timeout(20):
        while not told["job_count"]:
            told = (await two.api.get("/sdapi/v1/progress", headers=ADMIN)).json()["state"]
            await asyncio.sleep(0.005)
    assert (told["job"], told["sampling_steps"]) == ("txt2img", 9)
    await two.api.post("/sdapi/v1/interrupt", headers=ADMIN)
    reply = await asked
    assert (reply.status_code, reply.json()["error"]) == (503, "NoValidWorkers")


async def test_options_set_at_one_process_count_at_another(one, two):
    await one.pop()
    await one.api.post("/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 3}, headers=ADMIN)
    async with asyncio.timeout(20):
        while True:
            told = (await two.api.get("/sdapi/v1/options", headers=ADMIN)).json()
            if told["CLIP_stop_at_last_layers"] == 3:
                break
            await asyncio.sleep(0.005)


async def test_the_fixtures_are_two_processes(one, two):
    assert one.horde is not two.horde
    await until(lambda: two.horde.tidings is not None)
