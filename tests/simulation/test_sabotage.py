"""Sabotage: the engine is broken on purpose, and the simulation says which promise it broke.

A check that was never seen to fail proves nothing. Here each one fails, for a mistake that somebody
could make.
"""

import asyncio
from itertools import count

import msgspec

from ordu.engine import claim, end, settle, sweeper
from ordu.engine.horde import Horde
from ordu.rules import money
from ordu.rules.lifecycle import RequestState
from ordu.rules.money import Kudos
from ordu.simulation.invariants import Invariant
from ordu.simulation.run import run_seeds
from ordu.store import answers, jobs, ledger, requests
from ordu.store.groups import Groups

SEEDS_MAX = 150


def broken_by(report):
    """The promise that the simulation says is broken."""
    assert report.failures, f"{report.seeds} seeds, and nobody noticed"
    failure = report.failures[0]
    assert failure.wrong
    assert failure.story
    return failure.invariant


def notices(invariant, seeds=SEEDS_MAX):
    found = broken_by(run_seeds(range(seeds)))
    assert found is invariant


def test_a_chore_that_fails(monkeypatch):
    def fold(tx):
        raise ZeroDivisionError

    monkeypatch.setattr("ordu.store.stats.fold", fold)
    notices(Invariant.ANSWERS)


def test_a_payment_that_nobody_is_debited_for(monkeypatch):
    change = ledger.change_balances

    def only_credit(tx, user_id, changes, movements):
        gains = {account: amount for account, amount in changes.items() if amount > 0}
        return change(tx, user_id, gains or {ledger.Account.USER: 0}, movements)

    monkeypatch.setattr(ledger, "change_balances", only_credit)
    notices(Invariant.BOOKS)


def test_an_entry_that_makes_kudos_of_nothing(monkeypatch):
    def unbalanced(event, lines, about=None):
        entry = money.Entry(event, (), about)
        return (
            msgspec.structs.force_setattr(
                entry, "lines", tuple(line for line in lines if line.amount)
            )
            or entry
        )

    monkeypatch.setattr(money, "entry", unbalanced)
    notices(Invariant.BOOKS)


def test_a_job_that_is_settled_twice(monkeypatch):
    """Whoever brings a picture again is paid again: no condition, and a new event each time."""
    finish, numbers = jobs.finish, count()

    def finish_always(tx, job_id, now, **result):
        return finish(tx, job_id, now, **result) or jobs.by_id(tx, job_id)

    def settlement(event, **terms):
        number = next(numbers)
        return money.settlement(f"{event}{'' if number == 0 else f':{number}'}", **terms)

    def find_any(horde, job_id, user):
        return horde.read(lambda tx: jobs.by_id(tx, job_id))

    monkeypatch.setattr(jobs, "finish", finish_always)
    monkeypatch.setattr(settle, "settlement", settlement)
    monkeypatch.setattr(settle, "find_running", find_any)
    notices(Invariant.SETTLED_ONCE)


def test_a_reward_that_is_not_the_price(monkeypatch):
    monkeypatch.setattr(
        settle,
        "settlement",
        lambda event, *, reward, **terms: money.settlement(
            event, reward=Kudos(reward * 2), **terms
        ),
    )
    notices(Invariant.SETTLED_ONCE)


def test_a_payer_who_is_let_off(monkeypatch):
    monkeypatch.setattr(settle, "available_for", lambda tx, payer, request: Kudos(0))
    notices(Invariant.SETTLED_ONCE)


def test_a_count_that_is_forgotten(monkeypatch):
    monkeypatch.setattr(requests, "return_one", lambda tx, request_id: None)
    notices(Invariant.COUNTS)


def test_a_picture_that_gets_lost_in_a_fault(monkeypatch):
    def forgetful(counts, state):
        return msgspec.structs.replace(counts, processing=counts.processing - 1)

    monkeypatch.setattr(end, "without_job", forgetful)
    monkeypatch.setattr(
        end,
        "ended_with",
        lambda tx, request, state, counts, faults, now: (
            requests.set_counts(tx, request.id, state, counts, faults)
            or end.ended_as_is(
                tx, msgspec.structs.replace(request, state=state, counts=counts, faults=faults)
            )
        ),
    )
    notices(Invariant.COUNTS)


def test_two_jobs_for_one_picture(monkeypatch):
    monkeypatch.setattr(jobs, "free_ordinal", lambda tx, request_id: 0)
    add = jobs.add

    def unguarded(tx, job):
        tx.run("DROP INDEX IF EXISTS jobs_live")
        add(tx, job)

    monkeypatch.setattr(jobs, "add", unguarded)
    notices(Invariant.ONE_ASSIGNMENT)


def test_a_second_job_for_a_picture_is_stopped_by_the_database(monkeypatch):
    monkeypatch.setattr(jobs, "free_ordinal", lambda tx, request_id: 0)
    notices(Invariant.ANSWERS)


def test_a_job_that_fails_after_it_was_finished(monkeypatch):
    def fault_always(tx, job_id, now):
        tx.run("UPDATE jobs SET state = 'faulted' WHERE id = :id", id=job_id)
        return False

    async def find_any(horde, job_id, user):
        return await horde.read(lambda tx: jobs.by_id(tx, job_id))

    monkeypatch.setattr(jobs, "fault", fault_always)
    monkeypatch.setattr(settle, "find_running", find_any)
    found = broken_by(run_seeds(range(SEEDS_MAX)))
    assert found in {Invariant.FORWARD, Invariant.COUNTS, Invariant.RESULTS}


def test_a_request_that_comes_back_to_life(monkeypatch):
    set_counts = requests.set_counts

    def reopen(tx, request_id, state, counts, faults):
        if requests.by_id(tx, request_id).state is not RequestState.OPEN:
            state = RequestState.OPEN
            tx.run("UPDATE requests SET state = 'open' WHERE id = :id", id=request_id)
        set_counts(tx, request_id, state, counts, faults)

    monkeypatch.setattr(requests, "set_counts", reopen)
    notices(Invariant.FORWARD)


def test_a_request_that_is_to_come_back_to_life_is_stopped_at_once(monkeypatch):
    set_counts = requests.set_counts

    def reopen(tx, request_id, state, counts, faults):
        set_counts(tx, request_id, RequestState.OPEN, counts, faults)

    monkeypatch.setattr(requests, "set_counts", reopen)
    found = broken_by(run_seeds(range(SEEDS_MAX)))
    assert found in {Invariant.ANSWERS, Invariant.DURABLE}  # whoever cancels it gets no answer


def test_a_payer_who_pays_what_is_not_there(monkeypatch):
    def careless(tx, user_id, changes, movements):
        for account, amount in changes.items():
            column = ledger.BALANCE_COLUMNS[account]
            tx.run(
                f"UPDATE users SET {column} = {column} + :amount WHERE id = :id",
                amount=amount,
                id=user_id,
            )
        return change(tx, user_id, {ledger.Account.USER: 0}, movements)

    change = ledger.change_balances
    monkeypatch.setattr(ledger, "change_balances", careless)
    monkeypatch.setattr(settle, "available_for", lambda tx, payer, request: request.bill)
    notices(Invariant.FLOOR)


def test_a_payer_who_pays_what_is_held_for_another_request(monkeypatch):
    monkeypatch.setattr(settle, "available_for", lambda tx, payer, request: payer.kudos)
    notices(Invariant.FLOOR, seeds=1_200)  # one life in 150 is as poor as that


def test_a_failed_commit_that_is_answered_as_if_it_went_well(monkeypatch):
    give_up = Groups.give_up

    def unmoved(self, writer, group, error):
        give_up(self, writer, group, error)
        for item in group.items:
            if isinstance(item.result, requests.Request):
                item.error = item.publish = None

    monkeypatch.setattr(Groups, "give_up", unmoved)
    notices(Invariant.DURABLE)


def test_requests_that_nobody_removes(monkeypatch):
    monkeypatch.setattr(requests, "expired", lambda tx, now, most: [])
    notices(Invariant.ENDS)


def test_jobs_that_nobody_fails(monkeypatch):
    monkeypatch.setattr(jobs, "overdue", lambda tx, now, most: [])
    notices(Invariant.ENDS)


def test_a_repeated_call_that_is_done_again(monkeypatch):
    monkeypatch.setattr(answers, "begin", lambda tx, scope, key_hash, fingerprint, until: True)
    notices(Invariant.IDEMPOTENT)


def test_a_repeated_call_that_is_answered_otherwise(monkeypatch):
    kept = answers.kept

    def wrong(tx, scope, key_hash):
        found = kept(tx, scope, key_hash)
        return found and msgspec.structs.replace(found, reply=b"0")

    monkeypatch.setattr(answers, "kept", wrong)
    notices(Invariant.IDEMPOTENT)


def test_pictures_that_are_swept_too_early(monkeypatch):
    def unwanted(tx, name):
        return False

    monkeypatch.setattr(sweeper, "is_wanted", unwanted)
    monkeypatch.setattr(sweeper, "ORPHAN_AGE_MS", 0)
    monkeypatch.setattr(sweeper, "RARELY", 1)
    notices(Invariant.RESULTS)


def test_pictures_that_are_left_over(monkeypatch):
    async def lazy(horde):
        pass

    monkeypatch.setattr(sweeper, "remove_orphans", lazy)
    notices(Invariant.RESULTS)


def test_a_lane_that_is_not_released(monkeypatch):
    def publish(horde, request, requirement, changed=None):
        if request.counts.waiting:
            told(horde, request, requirement, changed)

    told = Horde.publish_request
    monkeypatch.setattr(Horde, "publish_request", publish)
    notices(Invariant.MAP)


def test_a_fault_that_is_remembered_for_ever(monkeypatch):
    class Hoard(dict):
        def pop(self, key, default=None):
            return self.get(key, default)

    monkeypatch.setattr(Horde, "__init__", with_failures(Horde.__init__, Hoard))
    notices(Invariant.MAP)


def with_failures(make, failures):
    def made(self, *args, **values):
        make(self, *args, **values)
        self.failures = failures()

    return made


def test_a_reservation_that_is_not_given_back(monkeypatch):
    take = claim.take

    async def forgetful(horde, worker, waiting, batch):
        waiting.reserved += 1
        return await take(horde, worker, waiting, batch)

    monkeypatch.setattr(claim, "take", forgetful)
    notices(Invariant.MAP)


def test_a_picture_that_takes_the_place_of_one_that_was_paid_for(monkeypatch):
    monkeypatch.setattr(Horde, "one_hand", lambda horde, job_id: asyncio.Lock())
    notices(Invariant.RESULTS)


def test_a_picture_that_is_not_flushed_before_its_job_is_settled(monkeypatch):
    monkeypatch.setattr("ordu.simulation.disk.MemoryPictures.flush", lambda _: None)
    notices(Invariant.RESULTS)


def test_a_job_that_memory_thinks_runs_for_ever(monkeypatch):
    monkeypatch.setattr("ordu.engine.running.RunningJobs.end", lambda *_: None)
    notices(Invariant.MAP)


def test_progress_that_is_remembered_when_it_has_changed(monkeypatch):
    monkeypatch.setattr("ordu.engine.known.Memory.forget", lambda *_: None)
    notices(Invariant.MAP)
