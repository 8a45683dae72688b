"""The whole story with real processes: what is promised holds when any of them is killed."""

import io
import os
import signal
import time

import pytest
from PIL import Image
from tests.builders import a_picture
from tests.system.processes import STOP_S_MAX, Processes, Server, until

from ordu.client import Horde, HordeError, Progress, Stage
from ordu.client.wire import known

SMALL = {
    "prompt": "a fox",
    "params": {"width": 64, "height": 64, "steps": 1, "n": 1},
    "nsfw": False,  # it may be, where nothing is said, and our workers do not take that
    "r2": True,
}
POP = {
    "name": "by hand",
    "models": ["stable_diffusion"],
    "max_pixels": 1024 * 1024,
    "bridge_agent": "Ordu:1:x",
}


def size_of(picture: bytes) -> tuple[int, int]:
    """The size of a picture that was decoded to its end."""
    with Image.open(io.BytesIO(picture)) as image:
        image.load()
        return image.size


def kudos_of(horde: Horde, apikey: str) -> float:
    """All that a user has earned, what is held in escrow included."""
    user = horde.get_find_user(apikey)
    return known(user.kudos, 0.0) + known(user.evaluating_kudos, 0.0)


def assert_books_in_order(ordu: Processes, server: Server) -> None:
    audit = ordu.run("audit", "--data", str(server.data))
    assert (audit.returncode, audit.stderr) == (0, "")
    assert audit.stdout.startswith("The books are in order: ")


def test_two_pictures_from_prompt_to_file(ordu):
    server = ordu.server()
    artist, owner = server.register("artist"), server.register("owner")
    ordu.worker(server, owner)
    seen: list[Progress] = []
    with server.horde(artist) as horde:
        dunes = horde.generate("dunes", width=256, height=192, on_progress=seen.append)
        rug = horde.generate("a red rug", width=128, height=128, n=2, seed=5)
        assert kudos_of(horde, owner) > 0
    assert [size_of(each.data) for each in dunes] == [(256, 192)]
    assert [size_of(each.data) for each in rug] == [(128, 128)] * 2
    assert {each.worker_name for each in (*dunes, *rug)} == {"attic"}
    assert seen[-1].stage is Stage.DONE
    assert_books_in_order(ordu, server)


def test_job_of_a_killed_worker_is_done_by_another(ordu, tmp_path):
    server = ordu.server("--job-ttl-s-min", "10")  # with 64×64 and one step a job has 30 s
    owner = server.register("owner")
    began, never = tmp_path / "began", tmp_path / "never"
    first = ordu.worker(
        server,
        owner,
        *("--backend", "slow_backend:SlowBackend"),
        name="dies",
        SLOW_BEGAN=str(began),
        SLOW_UNTIL=str(never),
    )
    with server.horde(owner) as horde:
        request = known(horde.post_async_generate(SMALL).id, "")
        until(began.exists, "the job to be begun")
        first.kill()
        ordu.worker(server, owner, name="lives")
        until(lambda: horde.get_async_check(request).done, "the second worker", within_s=50)
        generations = known(horde.get_async_status(request).generations, [])
        assert [known(each.worker_name, "") for each in generations] == ["lives"]
        assert size_of(horde.fetch(known(generations[0].img, ""))) == (64, 64)
    assert_books_in_order(ordu, server)


def test_killed_server_keeps_what_it_acknowledged(ordu):
    """Killed right after it said thank you: the picture is there, byte for byte, and paid once."""
    server = ordu.server()
    artist, owner = server.register("artist"), server.register("owner")
    picture = a_picture(64, 64, "crimson")
    with server.horde(owner) as horde:
        request = known(horde.post_async_generate(SMALL, artist).id, "")
        waiting = known(horde.post_async_generate(SMALL, artist).id, "")
        job = horde.post_job_pop(POP)
        horde.upload(known(job.r2_upload, ""), picture)
        submit = {"id": known(job.id, ""), "generation": "R2", "seed": 1, "state": "ok"}
        reward = horde.post_job_submit(submit).reward
    server.kill()

    server = ordu.server()
    with server.horde(owner) as horde:
        status = horde.get_async_status(request)
        assert (status.done, status.finished) == (True, 1)
        assert horde.fetch(known(known(status.generations, [])[0].img, "")) == picture
        assert known(horde.get_async_check(waiting).waiting, 0) == 1
        with pytest.raises(HordeError) as twice:
            horde.post_job_submit(submit)
        assert twice.value.rc == "DuplicateGen"
        assert kudos_of(horde, owner) == reward
    assert_books_in_order(ordu, server)


def test_sigterm_ends_a_server_with_its_worker(ordu):
    server = ordu.server("--with-worker", "--grace-s", "10")
    with server.horde() as horde:
        until(horde.get_workers, "the local worker")
        assert (server.data / "worker-key").stat().st_mode & 0o777 == 0o600
        began = time.monotonic()
        server.send(signal.SIGTERM)
        assert server.end() == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in server.said()
    assert ordu.left() == []


def test_local_worker_comes_back_and_does_not_outlive_a_killed_server(ordu):
    server = ordu.server("--with-worker")

    def workers() -> list[str]:
        return [each.partition(":")[0] for each in ordu.left() if " worker " in each]

    with server.horde() as horde:
        until(horde.get_workers, "the local worker")
        first = workers()
        until(lambda: len(first) == 1, "one worker")
        os.kill(int(first[0]), signal.SIGKILL)
        until(lambda: workers() not in ([], first), "the local worker to be started again")
        assert horde.generate("the sea", width=64, height=64)
    server.kill()
    until(lambda: not ordu.left(), "the local worker to leave", STOP_S_MAX)


def test_worker_asked_to_stop_delivers_first(ordu, tmp_path):
    server = ordu.server()
    owner = server.register("owner")
    began, until_file = tmp_path / "began", tmp_path / "until"
    worker = ordu.worker(
        server,
        owner,
        *("--backend", "slow_backend:SlowBackend"),
        SLOW_BEGAN=str(began),
        SLOW_UNTIL=str(until_file),
    )
    with server.horde(owner) as horde:
        request = known(horde.post_async_generate(SMALL).id, "")
        until(began.exists, "the job to be begun")
        worker.send(signal.SIGTERM)
        until(lambda: "stopping" in worker.said(), "the worker to hear it")
        until_file.touch()
        assert worker.end() == 0
        assert horde.get_async_check(request).done is True
    assert "stopped: 1 picture" in worker.said()


def test_worker_asked_twice_lets_go(ordu, tmp_path):
    server = ordu.server()
    owner = server.register("owner")
    began = tmp_path / "began"
    worker = ordu.worker(
        server,
        owner,
        *("--backend", "slow_backend:SlowBackend"),
        SLOW_BEGAN=str(began),
        SLOW_UNTIL=str(tmp_path / "never"),
    )
    with server.horde(owner) as horde:
        horde.post_async_generate(SMALL)
    until(began.exists, "the job to be begun")
    worker.send(signal.SIGTERM)
    until(lambda: "stopping" in worker.said(), "the worker to hear it")
    worker.send(signal.SIGTERM)
    assert worker.end() == 130
    assert "Traceback" not in worker.said()


def test_ctrl_c_takes_a_request_back(ordu):
    server = ordu.server()
    asking = ordu.start("generate", "generate", "a fox nobody draws", "--url", server.url)
    with server.horde() as horde:
        until(lambda: horde.get_horde_load().queued_requests == 1, "the request")
        asking.send(signal.SIGINT)
        assert asking.end() == 130
        assert horde.get_horde_load().queued_requests == 0
    assert asking.said().endswith("ordu: stopped.\n")


def test_user_made_beside_a_running_server_is_known_at_once(ordu):
    server = ordu.server()
    made = ordu.run("users", "create", "ferris", "--data", str(server.data), "--json")
    assert made.returncode == 0, made.stderr
    key = made.stdout.split('"api_key": "')[1][:22]
    with server.horde(key) as horde:
        assert horde.get_find_user().username == "ferris#2"


def test_demo_leaves_two_pictures_and_nothing_else(ordu, tmp_path):
    demo = ordu.run("demo", "--out", "pictures", ORDU_PORT="nonsense")
    assert demo.returncode == 0, demo.stderr
    sizes = {each.name: size_of(each.read_bytes()) for each in (tmp_path / "pictures").iterdir()}
    assert sizes == {
        "dunes-at-sunset.webp": (768, 512),
        "island-map-red-and-blue.webp": (640, 640),
    }
    assert "http://127.0.0.1:7001/" in demo.stdout
    assert ordu.left() == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_demo_stopped_with_ctrl_c_leaves_nothing(ordu, tmp_path):
    demo = ordu.start("demo", "demo", "--out", "pictures")
    until(lambda: "server up" in demo.said(), "the demo's server")
    demo.send(signal.SIGINT)
    assert demo.end() == 130
    assert ordu.left() == []
    assert list((tmp_path / "temporary").iterdir()) == []
