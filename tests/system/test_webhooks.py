"""The page about webhooks is true: its receivers, as they stand, hear of a picture."""

import base64
import re
import shutil
import socket
import sys
from pathlib import Path

import pytest
from tests.builders import a_picture
from tests.system.processes import Processes, until

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "webhooks.md"
RECEIVERS = dict(
    re.findall(r"^```(\w+) receiver\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
)
POP = {"name": "attic", "models": ["stable_diffusion"], "bridge_agent": "Ordu:1:x"}


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def is_open(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def test_the_page_has_two_receivers():
    assert set(RECEIVERS) == {"python", "javascript"}


@pytest.mark.parametrize(
    ("language", "program", "name"),
    [("python", sys.executable, "receiver.py"), ("javascript", "node", "receiver.mjs")],
)
def test_a_receiver_of_the_page(ordu: Processes, language: str, program: str, name: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    server = ordu.server("--webhook-hosts", "127.0.0.1")
    (ordu.folder / name).write_text(RECEIVERS[language], encoding="utf-8")
    port = a_free_port()
    url = f"http://127.0.0.1:{port}/pictures"
    with server.horde(server.admin_key) as horde:
        secret = str(horde.get_webhook_secret().secret)
        receiver = ordu.program("receiver", program, name, str(port), WEBHOOK_SECRET=secret)
        until(lambda: is_open(port), "the receiver")
        placed = horde.post_async_generate({"prompt": "a", "webhook": url, "webhook_end": True})
        job = horde.post_job_pop(POP)
        picture = base64.b64encode(a_picture(64, 64)).decode()
        horde.post_job_submit({"id": job.id, "generation": picture, "seed": 1})
        until(lambda: f"request.done {placed.id}" in receiver.said(), "the end")
        until(lambda: f"generation {picture}" in receiver.said(), "the picture")

        horde.post_webhook_secret()
        horde.post_webhook_replay(job.id)
        until(lambda: receiver.said().count("generation ") == 2, "the replay, signed with both")
        until(lambda: is_delivered(horde, job.id), "the log")
        log = horde.get_webhook_delivery(job.id).log
        assert [attempt.status for attempt in log] == [204, 204]


def is_delivered(horde, delivery_id) -> bool:
    return horde.get_webhook_delivery(delivery_id).state == "delivered"


def test_a_receiver_that_was_away_hears_after_the_servers_restart(ordu: Processes) -> None:
    server = ordu.server("--webhook-hosts", "127.0.0.1", data="horde")
    key = server.admin_key
    port = a_free_port()
    with server.horde(key) as horde:
        secret = str(horde.get_webhook_secret().secret)
        url = f"http://127.0.0.1:{port}/"
        horde.post_async_generate({"prompt": "a", "webhook": url})
        job = horde.post_job_pop(POP)
        picture = base64.b64encode(a_picture(64, 64)).decode()
        horde.post_job_submit({"id": job.id, "generation": picture, "seed": 1})
        until(lambda: horde.get_webhook_delivery(job.id).log, "the first attempt")
    server.kill()
    (ordu.folder / "receiver.py").write_text(RECEIVERS["python"], encoding="utf-8")
    receiver = ordu.program(
        "receiver", sys.executable, "receiver.py", str(port), WEBHOOK_SECRET=secret
    )
    until(lambda: is_open(port), "the receiver")
    ordu.server("--webhook-hosts", "127.0.0.1", data="horde")
    until(lambda: f"generation {picture}" in receiver.said(), "the second attempt, 5 s later")
