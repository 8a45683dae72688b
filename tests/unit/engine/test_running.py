"""Running jobs, and who is here: what is heard of in another order than it happened."""

import msgspec
from tests.builders import an_offer

from ordu.engine.presence import Presence, Worker
from ordu.engine.running import RunningJobs
from ordu.rules.lifecycle import JobState
from ordu.store.jobs import Job

JOB = Job(
    id="j", request_id="r", worker_id="w", worker_name="attic", owner_id=1, ordinal=0,
    state=JobState.RUNNING, model="dunes", seed=1, started_at=0, due_at=1, has_agent=True,
)  # fmt: skip


def test_a_job_whose_end_was_heard_of_first_does_not_begin():
    running = RunningJobs()
    running.end("w", "j")
    running.begin(JOB, 5)
    assert not running.by_id
    running.begin(msgspec.structs.replace(JOB, id="k"), 5)
    assert set(running.by_id) == {"k"}


def test_ends_are_remembered_for_so_many_jobs_only(monkeypatch):
    monkeypatch.setattr("ordu.engine.running.ENDED_MAX", 2)
    running = RunningJobs()
    for number in range(5):
        running.end("w", f"j{number}")
    assert list(running.ended) == ["j3", "j4"]


def a_worker(worker_id, name):
    return Worker(worker_id, 1, name, "image", an_offer(), created_at=0, seen_at=0)


def test_a_name_that_has_a_new_owner_stays_with_it_when_the_old_one_is_renamed_or_removed():
    presence = Presence(300)
    old = presence.add(a_worker("1", "attic"))
    presence.add(a_worker("2", "loft"))
    new = presence.add(a_worker("3", "attic"))
    presence.rename(old, "cellar")
    assert presence.by_name["attic"] is new
    presence.rename(old, "loft")
    presence.remove("2")
    assert presence.by_name == {"attic": new, "loft": old}
