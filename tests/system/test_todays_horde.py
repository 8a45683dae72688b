"""Ordu's worker, as a process, for other hordes: today's public one and that of 2022."""

import io
import signal

import pytest
from PIL import Image
from tests.programs.todays_horde import KEY, Answer, Horde
from tests.system.processes import Processes, Running, until

SMALL = {"width": 64, "height": 64, "ddim_steps": 1}
WAIT_S_MAX = 30.0


def start(ordu: Processes, horde: Horde, *arguments: str, key: str = KEY) -> Running:
    return ordu.start(
        "worker",
        *("worker", "--url", horde.url, "--name", "attic", "--poll-interval-s", "0.1"),
        *arguments,
        ORDU_API_KEY=key,
    )


def size_and_format(picture: bytes) -> tuple[tuple[int, int], str | None]:
    with Image.open(io.BytesIO(picture)) as image:
        image.load()
        return image.size, image.format


@pytest.mark.parametrize("is_of_2022", [False, True], ids=["of today", "of 2022"])
def test_jobs_are_taken_and_pictures_delivered(ordu, is_of_2022):
    with Horde(is_of_2022=is_of_2022) as horde:
        horde.jobs.extend([{"payload": {**SMALL, "seed": "7"}}, {"payload": SMALL}])
        worker = start(ordu, horde)
        assert horde.done.wait(WAIT_S_MAX), worker.said()
        worker.send(signal.SIGTERM)
        assert worker.end() == 0
    assert horde.wrong == []
    for job_id, submitted in horde.submitted.items():
        assert size_and_format(horde.picture(job_id)) == ((64, 64), "WEBP")
        assert submitted.get("state", "ok") == "ok"
        assert (submitted["generation"] == "R2") is not is_of_2022
    assert horde.headers[0]["apikey"] == KEY
    assert "+7.61 kudos" in worker.said()


def test_requests_with_links_need_a_program_that_todays_horde_knows(ordu):
    with Horde() as horde:
        horde.jobs.append({"payload": SMALL, "r2": True})
        worker = start(ordu, horde, "--bridge-agent", "AI Horde Worker reGen:9.0.0:x")
        assert horde.done.wait(WAIT_S_MAX), worker.said()
    assert horde.wrong == []
    assert list(horde.uploaded) == list(horde.submitted)


def test_under_its_own_name_the_worker_says_why_it_gets_none_of_them(ordu):
    with Horde() as horde:
        horde.jobs.extend([{"payload": SMALL, "r2": True}, {"payload": SMALL}])
        worker = start(ordu, horde)
        until(lambda: "passed over: 1 for other models" in worker.said(), "the reason")
        worker.send(signal.SIGTERM)
        assert worker.end() == 0
    assert len(horde.submitted) == 1
    assert len(horde.jobs) == 1


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        pytest.param(
            Answer({"message": "attic is in maintenance mode.", "rc": "WorkerMaintenance"}, 403),
            "no new work for 30 s: attic is in maintenance mode.",
            id="maintenance",
        ),
        pytest.param(Answer({"message": "60 per 1 second"}, 429), "60 per 1 second", id="limit"),
        pytest.param(
            Answer({"message": "Worker is in maintenance mode."}, 403),
            "no new work for 30 s: Worker is in maintenance mode.",
            id="maintenance of 2022",
        ),
    ],
)
def test_what_passes_is_shown_and_waited_for(ordu, refusal, words):
    with Horde() as horde:
        horde.refusals.append(refusal)
        worker = start(ordu, horde)
        until(lambda: words in worker.said(), "the words")
        worker.send(signal.SIGTERM)
        assert worker.end() == 0


@pytest.mark.parametrize(
    ("refusal", "key", "words"),
    [
        pytest.param(None, "x" * 22, "No user (rc InvalidAPIKey)", id="unknown key"),
        pytest.param(
            Answer({"message": "Wrong credentials.", "rc": "WrongCredentials"}, 403),
            KEY, "Wrong credentials", id="somebody else's name",
        ),
        pytest.param(
            Answer({"message": "Anonymous cannot lend.", "rc": "AnonForbiddenWorker"}, 403),
            KEY, "Anonymous cannot lend", id="anonymous",
        ),
    ],
)  # fmt: skip
def test_what_does_not_pass_ends_the_worker_with_a_line(ordu, refusal, key, words):
    with Horde() as horde:
        if refusal is not None:
            horde.refusals.append(refusal)
        worker = start(ordu, horde, key=key)
        assert worker.end(WAIT_S_MAX) == 1
    assert words in worker.said()


def test_a_job_that_cannot_be_made_is_said_to_be_faulted(ordu):
    with Horde() as horde:
        horde.jobs.append({"payload": {**SMALL, "width": 6400}})
        worker = start(ordu, horde)
        assert horde.done.wait(WAIT_S_MAX), worker.said()
        (submitted,) = horde.submitted.values()
    assert horde.wrong == []
    assert submitted["state"] == "faulted"
    assert "A side has 1 to 3072 pixels" in worker.said()
