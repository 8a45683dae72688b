"""What must be so when all is quiet: the journal of clients and workers, held against the horde."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from tests.system.chaos.calling import GaveUp
from tests.system.chaos.crowd import SIDE, Crowd, fingerprint
from tests.system.chaos.journal import Journal, Placed
from tests.system.chaos.stage import CONNECTIONS, OURS, Machine, Stage

from ordu.simulation.invariants import wrong_in
from ordu.store.postgres import PostgresDatabase

COUNTED = """
SELECT requests.id, state, waiting, processing, finished, lost, cancelled, charged,
  (SELECT COUNT(*) FROM jobs WHERE request_id = requests.id AND jobs.state = 'done') AS done,
  (SELECT COUNT(*) FROM jobs WHERE request_id = requests.id AND jobs.state = 'running') AS running,
  (SELECT COUNT(DISTINCT ordinal) FROM jobs
    WHERE request_id = requests.id AND jobs.state = 'done') AS pictures
FROM requests
"""
PAID = """
SELECT substr(event, 8, 36) AS job, COUNT(DISTINCT entries.id) AS times,
  COALESCE(SUM(amount) FILTER (WHERE lines.user_id = jobs.owner_id AND amount > 0), 0) AS earned,
  MIN(jobs.owner_id) AS owner, MIN(jobs.state) AS state
FROM entries JOIN lines ON lines.entry_id = entries.id
LEFT JOIN jobs ON jobs.id = substr(event, 8, 36)
WHERE event LIKE 'settle:%' GROUP BY 1
"""
TAX = 0.0  # what a horde is started with unless it is told otherwise


@dataclass
class Verdict:
    """What was found. `lost` and `twice` are the two numbers that must be zero."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    never_acknowledged: int = 0  # requests that are there all the same
    pictures: int = 0  # looked at, byte for byte
    connections: int = 0
    keepers: int = 0


async def judge(stage: Stage, crowd: Crowd) -> Verdict:
    """Everything that can be said of a run."""
    verdict = Verdict()
    await judge_requests(stage, crowd.journal, verdict)
    await judge_jobs(stage, crowd.journal, verdict)
    await judge_gifts(stage, crowd.journal, verdict)
    await judge_books(stage, verdict)
    await judge_pictures(stage, crowd, verdict)
    await judge_processes(stage, verdict)
    verdict.wrong += [f"a server logged: {each}" for each in stage.tracebacks()]
    return verdict


async def judge_requests(stage: Stage, journal: Journal, verdict: Verdict) -> None:
    """All requests are there, and have ended as they should."""
    rows = {row["id"]: row for row in await stage.ask(COUNTED)}
    verdict.never_acknowledged = len(rows.keys() - journal.requests.keys())
    verdict.lost += [f"request {each}" for each in journal.requests.keys() - rows.keys()]
    for row in rows.values():
        said = f"request {row['id']} is {row['state']}: {dict(row)}"
        placed = journal.requests.get(row["id"])
        if row["waiting"] or row["processing"] or row["running"]:
            verdict.wrong.append(said)
        if not row["finished"] == row["done"] == row["pictures"]:
            verdict.wrong.append(said)
        if placed is None:
            continue
        # What a worker had of a cancelled request and did not bring is counted as lost.
        if row["finished"] + row["cancelled"] + row["lost"] != placed.n:
            verdict.wrong.append(f"{said}, of {placed.n}")
        if row["finished"] != placed.n and not placed.is_cancel_asked:
            verdict.wrong.append(f"{said}, and nobody cancelled it")
        if row["state"] == "open" and placed.is_cancelled and row["finished"] < placed.n:
            verdict.lost.append(f"the cancel of request {row['id']}")


async def judge_jobs(stage: Stage, journal: Journal, verdict: Verdict) -> None:
    """Each job that is done was paid once; whatever was accepted is there."""
    states = {row["id"]: row for row in await stage.ask("SELECT id, state, owner_id FROM jobs")}
    paid = {row["job"]: row for row in await stage.ask(PAID)}
    verdict.twice += [
        f"job {row['job']}, {row['times']} times" for row in paid.values() if row["times"] != 1
    ]
    done = {each for each, row in states.items() if row["state"] == "done"}
    verdict.wrong += [f"job {each} is done and not paid" for each in done - paid.keys()]
    verdict.wrong += [f"job {each} is paid and not done" for each in paid.keys() - done]
    for job in journal.jobs.values():
        if job.id not in states:
            verdict.lost.append(f"job {job.id}, which a worker was given")
        elif job.is_known_done and job.id not in done:
            verdict.lost.append(f"the picture of job {job.id}")
        if len(job.rewards) > 1:
            verdict.twice.append(f"job {job.id}, whose worker was thanked {job.rewards}")
    judge_rewards(journal, paid, verdict)


def judge_rewards(journal: Journal, paid: dict[str, object], verdict: Verdict) -> None:
    """What the workers of each owner were promised is what its owner got in the books."""
    promised: Counter[int] = Counter()
    booked: Counter[int] = Counter()
    for job in journal.jobs.values():
        row = paid.get(job.id)
        if row is None or not job.rewards:
            continue
        promised[job.owner] += round(job.rewards[0] * 100)
        booked[job.owner] += row["earned"]  # type: ignore[index] # a row of the database
    if promised != booked:
        verdict.wrong.append(f"owners were promised {promised} and got {booked}")


async def judge_gifts(stage: Stage, journal: Journal, verdict: Verdict) -> None:
    """Each transfer that was acknowledged was made, once, and none twice."""
    rows = await stage.ask("SELECT source_id, target_id, amount FROM transfers")
    made = Counter((row["source_id"], row["target_id"], row["amount"] // 100) for row in rows)
    verdict.twice += [f"transfer {each}" for each, times in made.items() if times > 1]
    for gift in journal.gifts.values():
        key = (gift.giver, gift.taker, gift.amount)
        if gift.is_acknowledged and key not in made:
            verdict.lost.append(f"transfer {key}")


async def judge_books(stage: Stage, verdict: Verdict) -> None:
    """The books are in order, requests cost what was charged, and whatever else SQL alone tells."""
    database = PostgresDatabase(stage.database, connections_max=1)
    await database.start()
    try:
        verdict.wrong += await database.read(lambda tx: wrong_in(tx, TAX))
    finally:
        await database.stop()


async def judge_pictures(stage: Stage, crowd: Crowd, verdict: Verdict) -> None:
    """All pictures can be had, and are those that were accepted."""
    rows = await stage.ask("SELECT id, request_id FROM jobs WHERE state = 'done'")
    jobs: dict[str, list[str]] = {}
    for row in rows:
        jobs.setdefault(row["request_id"], []).append(row["id"])
    bound = asyncio.Semaphore(8)

    async def look(placed: Placed) -> None:
        found: set[str] = set()
        async with bound:
            with suppress(GaveUp):  # which is noted
                found = {fingerprint(each) for each in await crowd.pictures(placed)}
        wanted = [crowd.journal.jobs.get(each) for each in jobs.get(placed.id, [])]
        verdict.pictures += len(found)
        if len(found) != len(wanted):
            verdict.lost.append(f"{len(wanted) - len(found)} pictures of request {placed.id}")
        for job in wanted:
            if job is None:
                verdict.wrong.append(f"request {placed.id} has a picture that nobody brought")
            elif job.accepted is not None and job.accepted not in found:
                verdict.lost.append(f"the picture that was accepted for job {job.id}")
            elif job.sent.isdisjoint(found):
                verdict.lost.append(f"the picture of job {job.id}")

    there = [each for each in crowd.journal.requests.values() if each.id in jobs]
    await asyncio.gather(*(look(each) for each in there))


async def judge_processes(stage: Stage, verdict: Verdict) -> None:
    """One keeper; as many processes and connections as there should be; nobody thinks of more."""
    bound = sum(each.processes for each in stage.machines) * (CONNECTIONS + 1)
    for _ in range(100):
        verdict.keepers = await stage.count(
            "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        verdict.connections = await stage.count(
            f"SELECT COUNT(*) FROM pg_stat_activity WHERE {OURS}"
        )
        if verdict.keepers == 1 and verdict.connections <= bound:
            break
        await asyncio.sleep(0.1)
    if verdict.keepers != 1:
        verdict.wrong.append(f"{verdict.keepers} processes are the keeper")
    if verdict.connections > bound:
        verdict.wrong.append(f"{verdict.connections} connections to the database, not {bound}")
    for machine in stage.machines:
        many = len(machine.children())
        if many != machine.processes:
            verdict.wrong.append(f"{many} processes at {machine.url}")
        verdict.wrong += await judge_maps(machine)


async def judge_maps(machine: Machine) -> list[str]:
    """Whether each process of a server knows that nothing waits."""
    said: dict[str, tuple[int, float]] = {}
    for _ in range(50):
        async with httpx.AsyncClient(base_url=machine.url, timeout=20) as client:
            many = 4 * machine.processes
            answers = await asyncio.gather(
                *(client.get("/api/v2/status/performance") for _ in range(many))
            )
        for answer in answers:
            body = answer.json()
            waits = (body["queued_requests"], body["queued_megapixelsteps"])
            said[answer.headers["x-request-id"][:16]] = waits
        if len(said) >= machine.processes and not any(a or b for a, b in said.values()):
            return []
        await asyncio.sleep(0.2)
    return [f"the processes at {machine.url} say that there waits {said}"]


async def judge_news(crowd: Crowd) -> list[str]:
    """A worker that waits at either address gets at once what is placed at the other."""
    wrong = []
    for here, there in (crowd.addresses.hordes, crowd.addresses.hordes[::-1]):
        owner = crowd.owners[0]
        body = {"name": "last", "models": ["only here"], "max_pixels": SIDE * SIDE}
        pop = asyncio.create_task(
            there.post_job_pop(body | {"bridge_agent": "x:1:y"}, owner.key, prefer="wait=8")
        )
        await asyncio.sleep(0.2)
        asked = {
            "prompt": "the last",
            "models": ["only here"],
            "params": {"width": 64, "height": 64},
        }
        placed = await here.post_async_generate(asked, crowd.payers[0].key)
        found = await pop
        if not found.id:
            wrong.append(f"a worker that waited at {there.url} was not told of a new request")
        await here.delete_async_status(str(placed.id))
    return wrong
