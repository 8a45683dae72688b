"""From nothing to the first picture, as one who lends a machine does it: one command."""

import tomllib

from tests.system.processes import Processes, until

from ordu.client.wire import known

SMALL = {
    "prompt": "dunes",
    "params": {"width": 256, "height": 256, "steps": 5, "n": 1},
    "nsfw": False,
    "r2": True,
}


def test_one_command_joins_and_draws(ordu: Processes):
    server = ordu.server()
    artist = server.register("artist")
    with server.horde(artist) as horde:
        request = known(horde.post_async_generate(SMALL).id, "")
        place = server.url.removeprefix("http://") + "/api/v2"  # as somebody may type it
        worker = ordu.start(
            "join", "worker", "join", place, "--yes", "--no-test", "--with-parent",
            *("--backend", "sketch", "--name", "attic"),
        )  # fmt: skip

        def is_done() -> bool:
            assert worker.process.poll() is None, worker.said()
            return known(horde.get_async_check(request).done, default=False)

        until(is_done, "the picture")
        generations = known(horde.get_async_status(request).generations, [])
        assert [known(each.worker_name, "") for each in generations] == ["attic"]
    path = ordu.folder / "ordu-worker.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    key = tomllib.loads(path.read_text(encoding="utf-8"))["worker"]["api_key"]
    assert key not in worker.said()
    with server.horde(key) as horde:
        until(lambda: known(horde.get_find_user().kudos, 0.0), "the kudos")
    checked = ordu.run("worker", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "attic is yours" in checked.stdout
