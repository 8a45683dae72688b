"""What owners and operators do to workers and to the horde: maintenance, pause, names, modes."""

from dataclasses import dataclass

from ordu.engine import acts
from ordu.engine.acts import By, Target
from ordu.engine.horde import Horde, worker_from
from ordu.engine.presence import Worker
from ordu.engine.tidings import Edited, Switched
from ordu.protocol.errors import Refused
from ordu.rules import names, rights
from ordu.rules.money import ADMINISTRATOR
from ordu.store import facts, workers
from ordu.store.acts import Change
from ordu.store.database import Transaction
from ordu.store.users import User

MAINTENANCE_TEXT = "Its owner has put it into maintenance."
INFO_LENGTH_MAX = 1000
# What the columns of a worker are called on the wire; without a text there is no maintenance.
NAMED = {
    "maintenance_text": "maintenance_msg",
    "is_paused": "paused",
    "info": "info",
    "name": "name",
}


@dataclass(frozen=True)
class WorkerChange:
    """What is to be changed of a worker; None leaves it."""

    maintenance: bool | None = None
    maintenance_text: str | None = None
    paused: bool | None = None
    info: str | None = None
    name: str | None = None
    team: str | None = None

    @property
    def named(self) -> frozenset[str]:
        """The fields of the wire that are to be changed."""
        return frozenset(name for name in rights.WORKER_CHANGED if getattr(self, name) is not None)

    def columns(self) -> dict[str, object]:
        """The columns that change."""
        changes: dict[str, object] = {}
        if self.maintenance is not None:
            text = self.maintenance_text or MAINTENANCE_TEXT
            changes["maintenance_text"] = text if self.maintenance else None
        if self.paused is not None:
            changes["is_paused"] = self.paused
        if self.info is not None:
            changes["info"] = self.info
        if self.name is not None:
            changes["name"] = names.worker_name(self.name)
        return changes


async def find(horde: Horde, worker_id: str) -> Worker:
    """A worker, here or away.

    Raises:
        Refused: WorkerNotFound.
    """
    worker = await horde.find_worker(worker_id)
    if worker is None:
        raise Refused("WorkerNotFound", f"There is no worker with the id {worker_id[:64]!r}.")
    return worker


async def find_by_name(horde: Horde, name: str) -> Worker:
    """A worker by its name, here or away.

    Raises:
        Refused: WorkerNotFound.
    """
    worker = horde.presence.by_name.get(name)
    if worker is not None:
        return worker
    row = await horde.read(lambda tx: workers.by_name(tx, name))
    if row is None:
        raise Refused("WorkerNotFound", f"There is no worker with the name {name[:64]!r}.")
    return worker_from(row)


def check_may_change(caller: User, worker: Worker, change: WorkerChange) -> None:
    """Refuse a change that this caller may not make, or that nobody can.

    Raises:
        Refused: NoWorkerModSelected, AnonForbiddenWorker, NotOwner, NotModerator, NotImplemented.
    """
    if not change.named:
        raise Refused(
            "NoWorkerModSelected", "Nothing to change: the body names no field that can be changed."
        )
    rights.check_not_anonymous(caller.id, "AnonForbiddenWorker")
    stands = rights.standing(caller.id, worker.user_id, is_moderator=caller.is_moderator)
    rights.check_changes(rights.WORKER_CHANGED, change.named, stands)
    if change.team is not None:
        raise Refused("NotImplemented", "This horde has no teams yet. Leave `team` out.")


async def edit_worker(horde: Horde, worker: Worker, change: WorkerChange, by: By) -> None:
    """Change a worker: everything, or nothing."""
    columns = change.columns()
    is_act = rights.is_act(by.actor_id, worker.user_id, rights.WORKER_CHANGED, change.named)

    def edit(tx: Transaction) -> None:
        name = columns.get("name")
        if isinstance(name, str):
            holder = workers.by_name(tx, name)
            if holder is not None and holder.id != worker.id:
                raise Refused("WorkerNameAlreadyExists", f"The name {name!r} is taken.")
        before = workers.locked(tx, worker.id)
        workers.change(tx, worker.id, columns)
        if is_act and before is not None:
            changes = [
                Change(NAMED[column], getattr(before, column), value)
                for column, value in columns.items()
                if value != getattr(before, column)
            ]
            if changes:
                acts.note(tx, by, on_worker(worker), [*changes, acts.owned_by(worker.user_id)])

    def publish(_: None) -> None:
        known = horde.presence.by_id.get(worker.id, worker)
        if "maintenance_text" in columns:
            text = columns["maintenance_text"]
            known.maintenance_text = None if text is None else str(text)
        horde.presence.changed()
        known.is_paused = bool(columns.get("is_paused", known.is_paused))
        known.info = str(columns["info"]) if "info" in columns else known.info
        if "name" in columns and known.id in horde.presence.by_id:
            horde.presence.rename(known, str(columns["name"]))
        horde.tell(Edited(worker.id))

    await horde.write(edit, publish)


def on_worker(worker: Worker) -> Target:
    """A worker, as the target of an act."""
    return Target("worker", worker.id, worker.name)


async def remove_worker(horde: Horde, worker: Worker, by: By) -> None:
    """Forget a worker; what it earned stays with its owner."""

    now = horde.now()

    def remove(tx: Transaction) -> None:
        workers.remove(tx, worker.id, now)
        if by.actor_id != worker.user_id:
            acts.note(tx, by, on_worker(worker), [acts.owned_by(worker.user_id)])

    await horde.write(remove, lambda _: horde.remove_worker(worker.id))


def check_may_remove(caller: User, worker: Worker) -> None:
    """Refuse everybody but the worker's owner and moderators.

    Raises:
        Refused: AnonForbiddenWorker, NotModerator.
    """
    rights.check_not_anonymous(caller.id, "AnonForbiddenWorker")
    stands = rights.standing(caller.id, worker.user_id, is_moderator=caller.is_moderator)
    rights.check(rights.DELETE_WORKER, stands, "delete this worker")


async def set_modes(horde: Horde, caller: User, changes: dict[str, bool], by: By) -> None:
    """Switch modes of the horde.

    Raises:
        Refused: NoHordeModSelected, NotAdmin, NotModerator.
    """
    if not changes:
        raise Refused("NoHordeModSelected", "Nothing to change: the body names no mode.")
    stands = rights.standing(caller.id, ADMINISTRATOR, is_moderator=caller.is_moderator)
    rights.check_changes(rights.MODES_CHANGED, changes, stands)

    def publish(_: None) -> None:
        horde.modes.update(changes)
        horde.tell(Switched())

    def switch(tx: Transaction) -> None:
        differences = acts.differences(facts.modes(tx), facts.modes(tx) | changes)
        facts.set_modes(tx, changes)
        if differences:
            acts.note(tx, by, acts.MODES, differences)

    await horde.write(switch, publish)
