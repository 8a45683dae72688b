"""Workers: `/workers/…`."""

from ordu.engine import keepers
from ordu.engine.explaining_worker import explain_worker
from ordu.engine.keepers import WorkerChange
from ordu.protocol import operations
from ordu.protocol.explanations import WorkerExplanation
from ordu.protocol.workers import (
    DeletedWorker,
    ModifyWorker,
    PutWorkerSingleRequest,
    WorkerDetailsStable,
)
from ordu.rules.rights import Standing
from ordu.server.acts import by, reason_in_query
from ordu.server.call import Call, handles
from ordu.server.explanations import worker_explanation
from ordu.server.views import worker_view


@handles(operations.get_workers)
async def get_workers(call: Call[None]) -> list[WorkerDetailsStable]:
    """The workers that are here."""
    horde = call.horde
    kind, name = call.query.get("type"), call.query.get("name")
    here = [
        worker
        for worker in horde.presence.here(horde.now())
        if (kind is None or worker.kind == kind)
        and (name is None or worker.name.casefold() == name.casefold())
    ]
    return await horde.read(
        lambda tx: [worker_view(tx, horde, each, call.stands(each.user_id)) for each in here]
    )


@handles(operations.get_worker_single)
async def get_worker_single(call: Call[None]) -> WorkerDetailsStable:
    """One worker, also one that is away."""
    horde = call.horde
    worker = await keepers.find(horde, call.path["worker_id"])
    stands = call.stands(worker.user_id)
    return await horde.read(lambda tx: worker_view(tx, horde, worker, stands))


@handles(operations.get_worker_single_name)
async def get_worker_single_name(call: Call[None]) -> WorkerDetailsStable:
    """One worker by its name, also one that is away."""
    horde = call.horde
    worker = await keepers.find_by_name(horde, call.path["worker_name"])
    stands = call.stands(worker.user_id)
    return await horde.read(lambda tx: worker_view(tx, horde, worker, stands))


@handles(operations.put_worker_single)
async def put_worker_single(call: Call[PutWorkerSingleRequest]) -> ModifyWorker:
    """Change a worker: everything that was asked for, or nothing."""
    body = call.body
    worker = await keepers.find(call.horde, call.path["worker_id"])
    change = WorkerChange(
        maintenance=body.maintenance,
        maintenance_text=body.maintenance_msg,
        paused=body.paused,
        info=body.info,
        name=body.name,
        team=body.team,
    )
    keepers.check_may_change(call.user, worker, change)
    await keepers.edit_worker(call.horde, worker, change, by(call, body.reason))
    return ModifyWorker(
        maintenance=body.maintenance,
        paused=body.paused,
        info=body.info,
        name=None if body.name is None else str(change.columns()["name"]),
    )


@handles(operations.delete_worker_single)
async def delete_worker_single(call: Call[None]) -> DeletedWorker:
    """Forget a worker."""
    worker = await keepers.find(call.horde, call.path["worker_id"])
    keepers.check_may_remove(call.user, worker)
    await keepers.remove_worker(call.horde, worker, by(call, reason_in_query(call)))
    return DeletedWorker(deleted_id=worker.id, deleted_name=worker.name)


@handles(operations.get_worker_explain)
async def get_worker_explain(call: Call[None]) -> WorkerExplanation:
    """Say why a worker gets no work, and what is in demand."""
    worker = await keepers.find(call.horde, call.path["worker_id"])
    stands = call.stands(worker.user_id)
    found = explain_worker(call.horde, worker, for_owner=stands >= Standing.OWNER)
    return worker_explanation(worker, found, stands)
