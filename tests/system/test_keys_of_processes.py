"""No log of a real server or a real worker has a key, whatever happens to them."""

import signal

import pytest
from tests.system.processes import until

ADMIN = "canary-key-of-an-admin"


@pytest.mark.slow
def test_no_log_of_a_server_or_a_worker_has_a_key(ordu):
    server = ordu.server("--log-level", "debug", ORDU_ADMIN_KEY=ADMIN)
    worker = ordu.worker(server, ADMIN)
    with server.horde(ADMIN) as horde:
        assert horde.generate("moon over a lake", width=64, height=64)
        registered = horde.post_register({"username": "ferris"})
    server.kill()
    until(lambda: "lost the horde" in worker.said(), "it to notice")
    worker.send(signal.SIGTERM)
    worker.end()
    wrong = ordu.run("status", "--url", server.url, ORDU_API_KEY=f"{ADMIN}\n")
    said = [server.said(), worker.said(), wrong.stdout, wrong.stderr]
    assert all(said[:2])
    for key in (ADMIN, str(registered.api_key)):
        assert [text for text in said if key in text] == []
