"""The examples of the client: each docstring's, and those of the page about it, run as they stand.

A real server and a real worker answer them; only the address is put in.
"""

import ast
import asyncio
import base64
import inspect
import io
import re
import textwrap
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from tests.builders import a_picture
from tests.openid_provider import a_provider, signed_in
from tests.system.processes import Processes, Server

from ordu import client as sdk
from ordu.client import AsyncHorde, AsyncRequest, Horde, HordeError, Outcome, Picture, SyncRequest
from ordu.client.testing import FakeHorde
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-sdk.md"
ADDRESS = "http://127.0.0.1:7001"
DEAF = "http://127.0.0.1:9/hook"  # nobody listens there
BY_HAND = {"name": "cellar", "models": ["by hand"], "bridge_agent": "Mine:1:me"}

# What needs none: it only closes, or is said by the class.
PLAIN = {"aclose", "close", "check_time", "handle_request", "handle_async_request", "draw",
         "looks_of", "takes_fault", "horde", "async_horde", "calls_of"}  # fmt: skip
VALUES: list[Any] = [Picture, Outcome, sdk.Progress, sdk.wish, HordeError, FakeHorde]
FACES = {"sync": [Horde, SyncRequest], "async": [AsyncHorde, AsyncRequest]}


def examples_of(thing: Any) -> Iterator[tuple[str, str]]:
    """Names and examples of a function, or of a class and its methods."""
    yield thing.__qualname__, example_in(thing)
    if not isinstance(thing, type):
        return
    for name, member in inspect.getmembers(thing, lambda each: isinstance(each, FunctionType)):
        if not name.startswith("_") and name not in PLAIN and name not in dir(Exception):
            if thing is Outcome and name == "result":
                continue  # shown by the class
            yield f"{thing.__name__}.{name}", example_in(member)


def example_in(thing: Any) -> str:
    _, _, text = (inspect.getdoc(thing) or "").partition("\nExample:\n")
    return textwrap.dedent(text)


@pytest.mark.parametrize("thing", [*FACES["sync"], *FACES["async"], *VALUES])
def test_everything_public_has_an_example(thing):
    assert [name for name, example in examples_of(thing) if not example.strip()] == []


def test_the_sync_examples_await_nothing():
    for thing in FACES["sync"]:
        for name, example in examples_of(thing):
            assert not re.search(r"\b(await|async|Async\w+)\b", example), name


def prepared(server: Server) -> dict[str, Any]:
    """What the examples speak of: people, a worker, jobs, a finished request."""
    server.register("ada")
    server.register("grace")
    with server.horde(server.admin_key) as horde:
        horde.post_award_kudos({"username": "admin#1", "amount": 10_000})
        params = ModelGenerationInputStable(width=64, height=64, steps=1)
        wanted = GenerationInput(prompt="a fox", params=params, models=["by hand"])
        for _ in range(3):
            horde.post_async_generate(wanted)
        job = horde.post_job_pop(BY_HAND)
        (cellar,) = [each for each in horde.get_workers() if each.name == "cellar"]
        with horde.request("a fox", width=64, height=64, webhook=DEAF) as request:
            (picture,) = request.pictures()
        (delivery,) = horde.get_webhook_deliveries().deliveries
        return {
            "browser_key": signed_in(server.url, "company", "bea"),
            "request_id": request.id, "delivery_id": delivery.id,
            "worker_id": cellar.id, "job": job,
            "data": a_picture(64, 64), "base64": base64, "picture": picture, "fake": FakeHorde(),
            **{name: getattr(sdk, name) for name in sdk.__all__}, "FakeHorde": FakeHorde,
        }  # fmt: skip


async def run(source: str, names: dict[str, Any]) -> None:
    """Run code in which `await` may stand anywhere."""
    code = compile(source, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, names)
    if inspect.isawaitable(running):
        await running


@pytest.mark.timeout(180)
@pytest.mark.parametrize("face", ["sync", "async"])
def test_the_examples_of_the_docstrings(ordu, tmp_path, monkeypatch, face):
    with a_provider() as issuer:
        run_examples(ordu, issuer, tmp_path, monkeypatch, face)


def run_examples(ordu, issuer, tmp_path, monkeypatch, face):
    provider = ("--oidc", f"company={issuer}", "--oidc-client-ids", "company=ordu")
    secret = ("--oidc-client-secrets", "company=secret")
    server = ordu.server("--webhook-hosts", "127.0.0.1", *provider, *secret)
    ordu.worker(server, server.admin_key)
    monkeypatch.chdir(tmp_path)
    names = prepared(server)
    examples = [each for thing in [*FACES[face], *VALUES] for each in examples_of(thing)]
    if face == "async":  # these are written for the sync client
        examples = [
            each for each in examples if "horde.generate" not in each[1] or "await" in each[1]
        ]
    # What is deleted is needed before; a picture is put to its link before its job is done.
    examples.sort(key=lambda each: (".delete_" in each[0], ".upload" not in each[0]))

    async def all_of_them() -> list[str]:
        failed = []
        client = AsyncHorde if face == "async" else Horde
        horde = client(server.url, server.admin_key)
        for name, example in examples:
            try:
                await run(example.replace(ADDRESS, server.url), {**names, "horde": horde})
            except Exception as error:  # noqa: BLE001 - all that fail are shown together
                failed.append(f"{name}: {type(error).__name__}: {error}")
        closed = horde.aclose() if isinstance(horde, AsyncHorde) else horde.close()
        if closed is not None:
            await closed
        return failed

    assert len(examples) > 40
    assert asyncio.run(all_of_them()) == []


@pytest.mark.timeout(180)
def test_the_page_about_the_sdk(ordu: Processes, tmp_path: Path, monkeypatch):
    server = ordu.server()
    assert server.admin_key
    ordu.worker(server, server.admin_key)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert {language for language, _ in blocks} == {"python"}
    said, names = io.StringIO(), {}
    with redirect_stdout(said):
        for _, text in blocks:
            exec(text.replace(ADDRESS, server.url), names)
    with server.horde() as horde:
        for picture in (*tmp_path.glob("*.webp"), *tmp_path.glob("*.png")):
            assert Picture(picture.read_bytes()).suffix in {".webp", ".png"}
        assert horde.get_horde_load().queued_requests == 0
    assert {path.name for path in tmp_path.glob("*.*") if path.suffix in {".webp", ".png"}} >= {
        "lighthouse.webp", "small.png", "sunset-0.webp", "sunset-3.webp",
    }  # fmt: skip
    assert "params.width" in said.getvalue()
    assert "done" in said.getvalue()


def lines_of(block: str) -> int:
    return sum(1 for line in block.splitlines() if line.strip())


def test_a_picture_takes_as_many_lines_as_the_page_says():
    page = PAGE.read_text("utf-8")
    sync, asynchronous = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[:2]
    assert "Four lines:" in page
    assert "in seven:" in page
    assert (lines_of(sync), lines_of(asynchronous)) == (4, 7)
