"""A person who asks with the public package `horde-sdk`; writes what it got as one line of JSON.

The address comes from AI_HORDE_URL, which the package reads; the key from ORDU_API_KEY.
"""

import asyncio
import json
import os
from typing import Any

import aiohttp
from horde_sdk.ai_horde_api import ai_horde_clients as clients
from horde_sdk.ai_horde_api import apimodels

KEY = os.environ["ORDU_API_KEY"]


def wanted(r2: bool, n: int, **more: Any) -> apimodels.ImageGenerateAsyncRequest:
    return apimodels.ImageGenerateAsyncRequest(
        apikey=KEY,
        prompt="a fox in the snow",
        models=["stable_diffusion"],
        nsfw=False,
        r2=r2,
        params=apimodels.ImageGenerationInputPayload(width=128, height=64, steps=2, n=n, seed="7"),
        **more,
    )


def told(image: apimodels.ImageGeneration, picture: Any) -> dict[str, Any]:
    return {
        "size": picture.size,
        "form": picture.format,
        "link": image.img.startswith("http"),
        "seed": image.seed,
        "worker": image.worker_name,
        "state": str(image.state.value),
    }


def by_link() -> dict[str, Any]:
    """The client that waits: two pictures as links, then everything it offers to read."""
    client = clients.AIHordeAPISimpleClient()
    seen: list[int] = []
    estimate = client.image_generate_request_dry_run(wanted(r2=True, n=2, dry_run=True))
    assert estimate.kudos > 0
    status, _ = client.image_generate_request(
        wanted(r2=True, n=2), check_callback=lambda check: seen.append(check.finished)
    )
    images = [
        told(each, client.download_image_from_generation(each)) for each in status.generations
    ]
    (worker,) = client.workers_all_details().root
    assert client.worker_details(worker.id_).name == worker.name
    assert client.worker_details_by_name(worker.name).id_ == worker.id_
    return {
        "finished": seen[-1],
        "images": images,
        "alive": client.heartbeat_request().message,
        "workers": [worker.name],
        "models": [each.name for each in client.image_status_models_all().root],
        "news": len(client.get_news().root),
    }


def by_hand() -> dict[str, Any]:
    """The client that sends one message and reads one answer."""
    client = clients.AIHordeAPIManualClient()

    def ask(request: Any) -> Any:
        return client.submit_request(request, request.get_default_success_response_type())

    user = ask(apimodels.FindUserRequest(apikey=KEY))
    load = ask(apimodels.HordePerformanceRequest())
    placed = ask(wanted(r2=True, n=1).model_copy(update={"models": ["nobody has it"]}))
    check = client.get_generate_check(placed.id_)
    taken_back = client.delete_pending_image(placed.id_)
    return {
        "user": user.username,
        "worker_count": load.worker_count,
        "is_possible": check.is_possible,
        "taken_back": taken_back.done,
    }


async def by_base64() -> dict[str, Any]:
    """The asynchronous client, pictures inside the answer."""
    async with aiohttp.ClientSession() as session:
        client = clients.AIHordeAPIAsyncSimpleClient(aiohttp_session=session)
        status, _ = await client.image_generate_request(wanted(r2=False, n=1))
        (image,) = status.generations
        picture, _ = await client.download_image_from_generation(image)
        alive = await client.heartbeat_request()
    return {"images": [told(image, picture)], "alive": alive.message}


if __name__ == "__main__":
    print(json.dumps({"link": by_link(), "hand": by_hand(), "base64": asyncio.run(by_base64())}))
