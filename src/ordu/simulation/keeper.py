"""The keeper: whoever runs the horde changes workers, users and modes while everything goes on."""

from collections.abc import Sequence

from ordu.engine import acts, editing, keepers, rewards, transfer
from ordu.engine.acts import By
from ordu.engine.editing import UserChange
from ordu.engine.horde import Horde
from ordu.engine.keepers import WorkerChange
from ordu.rules.money import ADMINISTRATOR, UserId
from ordu.simulation.network import Network
from ordu.simulation.people import caller
from ordu.simulation.server import Verb
from ordu.simulation.stage import Stage

PAUSE_MS_MAX = 60_000


def act(horde: Horde) -> By:
    """What the keeper does, for the log of acts."""
    return acts.by(horde, ADMINISTRATOR, "keeper")


class Keeper:
    """The administrator."""

    def __init__(
        self, user_ids: Sequence[UserId], workers: Sequence[str], stage: Stage, network: Network
    ) -> None:
        self.user_ids = user_ids
        self.workers = list(workers)
        self.network = network
        self.agenda = stage.agenda
        self.chance = stage.chance
        self.pause_ms_max = PAUSE_MS_MAX * stage.pace
        self.is_content = False
        self.next()

    def next(self) -> None:
        """Do something in a while."""
        self.agenda.after(self.chance.randrange(1, self.pause_ms_max), self.act)

    def act(self) -> None:
        """Do one of the things keepers do."""
        if self.is_content:
            return
        acts = (self.award, self.change_user, self.change_worker, self.remove_worker, self.switch)
        what, verb = self.chance.choice(acts)()
        self.network.call("the keeper", what, verb, lambda _: None)
        self.next()

    def award(self) -> tuple[str, Verb]:
        """Give kudos, or take some."""
        user_id, amount = self.chance.choice(self.user_ids), self.chance.choice((-20, 5, 50))

        async def verb(horde: Horde) -> object:
            me = await caller(horde, ADMINISTRATOR)
            return (await transfer.award(horde, me, f"x#{user_id}", amount, act(horde))).reply

        return f"awards user {user_id} {amount} kudos", verb

    def change_user(self) -> tuple[str, Verb]:
        """Change something of a user."""
        user_id = self.chance.choice(self.user_ids)
        change = UserChange(
            self.chance.choice(
                (
                    {"trusted": True},
                    {"trusted": False},
                    {"monthly_kudos": 500},
                    {"kudos": -300},
                    {"reset_suspicion": True},
                    {"usage_multiplier": 1.5},
                )
            )
        )

        async def verb(horde: Horde) -> object:
            return (await editing.edit(horde, user_id, change, act(horde))).id

        return f"changes user {user_id}: {dict(change.fields)}", verb

    def change_worker(self) -> tuple[str, Verb]:
        """Change something of a worker."""
        name = self.chance.choice(self.workers)
        change = self.chance.choice(
            (
                WorkerChange(paused=True),
                WorkerChange(paused=False),
                WorkerChange(maintenance=True),
                WorkerChange(maintenance=False),
                WorkerChange(name=f"{name}*" if len(name) < 20 else name),
            )
        )

        async def verb(horde: Horde) -> None:
            worker = await keepers.find_by_name(horde, name)
            await keepers.edit_worker(horde, worker, change, act(horde))

        return f"changes worker {name}: {sorted(change.named)}", verb

    def remove_worker(self) -> tuple[str, Verb]:
        """Delete a worker; when its program asks again, it is a new one."""
        name = self.chance.choice(self.workers)

        async def verb(horde: Horde) -> None:
            worker = await keepers.find_by_name(horde, name)
            await keepers.remove_worker(horde, worker, act(horde))

        return f"removes worker {name}", verb

    def switch(self) -> tuple[str, Verb]:
        """Switch a mode, or have monthly kudos paid now."""
        if self.chance.random() < 0.3:
            return "has monthly kudos paid", rewards.pay_monthly
        modes = {
            self.chance.choice(("maintenance_mode", "invite_only_mode", "raid_mode")): (
                self.chance.random() < 0.3
            )
        }

        async def verb(horde: Horde) -> None:
            me = await caller(horde, ADMINISTRATOR)
            await keepers.set_modes(horde, me, modes, act(horde))

        return f"switches {modes}", verb
