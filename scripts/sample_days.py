"""Live some days of a horde within a minute: for pictures of pages, and to look at pages with.

python scripts/sample_days.py FOLDER [--days 14]     then: ordu serve --data FOLDER

The server is the real one, called in this process through its API, with a clock that is moved from
one moment to the next until it shows the present. So every number on its pages was counted by the
horde itself; only the people, their machines and their wishes are made up. The keys of the people
are written into FOLDER/people.json.
"""

import argparse
import asyncio
import base64
import io
import json
import math
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from ordu.engine.sweeper import RARELY, Sweeper
from ordu.rules.lifecycle import Millis
from ordu.server.app import make_app
from ordu.server.run import Opened, open_horde
from ordu.settings import ServerSettings

URL = "http://127.0.0.1:7001"
ADMIN_KEY = "administrator-key-0022"
MINUTE_S = 60
SLOW_S = 15 * MINUTE_S  # a step while nobody will look closely
CLOSE_S = 2 * 3600  # the time before now in which each minute is lived
PEOPLE = ("aida", "otuken", "milan", "jörg", "Bozkır Atölyesi", "hasty_hans", "classroom-pi")
# Name, owner, models, megapixelsteps a second, largest picture's pixels.
MACHINES = (
    ("tulpar-4090", "aida", ("Albedo XL", "Photon"), 26.0, 2048 * 1536),
    ("attic-3060", "aida", ("Deliberate",), 5.0, 512 * 512),
    ("studio-mac", "aida", ("Inkwell", "Deliberate"), 3.0, 768 * 768),
    ("ulus-a100-1", "otuken", ("Albedo XL", "Photon", "Deliberate"), 38.0, 2048 * 2048),
    ("ulus-a100-2", "otuken", ("Albedo XL", "Inkwell"), 37.0, 2048 * 2048),
    ("milan-3090", "milan", ("Deliberate", "Photon"), 18.0, 1536 * 1536),
    ("gobi-02", "milan", ("Photon",), 11.0, 1024 * 1024),
    ("khans-rtx", "Bozkır Atölyesi", ("Albedo XL", "Deliberate"), 16.0, 1536 * 1024),
    ("felt-box", "jörg", ("Inkwell",), 7.0, 1024 * 1024),
    ("grey-pc", "hasty_hans", ("Deliberate",), 9.0, 768 * 768),
)
SIZES = ((512, 512), (768, 512), (512, 768), (1024, 1024), (832, 1216), (640, 640))
NEWS = {  # by how many days ago
    9: "Two A100 joined us from the university. Pictures above one megapixel now wait less than a "
    "minute most evenings. Thank you, Ötüken!",
    2: "Short break on Sunday, 06:00 to 06:20, for a new disk. Requests already placed are kept.",
}


@dataclass
class MovedClock:
    """A clock that stands where it was put."""

    moment: Millis

    def now(self) -> Millis:
        """The present moment, as this horde has it."""
        return self.moment


@dataclass
class Machine:
    """A machine, and the jobs it has in hand with the moments they are done."""

    name: str
    key: str
    models: tuple[str, ...]
    speed: float
    pixels_max: int
    busy_until: int = 0
    job: dict[str, Any] | None = None


@dataclass
class Days:
    """The horde while it is lived."""

    opened: Opened | None  # None where the server is another process
    clock: MovedClock
    api: httpx.AsyncClient
    chance: random.Random
    keys: dict[str, str] = field(default_factory=dict)
    machines: list[Machine] = field(default_factory=list)

    async def call(self, method: str, path: str, key: str, body: Any = None) -> dict[str, Any]:
        """A call that has to work."""
        reply = await self.api.request(method, path, json=body, headers={"apikey": key})
        assert reply.status_code < 300, f"{method} {path}: {reply.text}"
        answer: dict[str, Any] = reply.json()
        return answer

    async def people_come(self) -> None:
        """Everybody registers, is given something, and some are trusted."""
        for number, name in enumerate(PEOPLE, start=2):
            reply = await self.api.post("/register", json={"username": name})
            self.keys[name] = reply.json()["api_key"]
            change = {"kudos": 4000, "trusted": name not in {"hasty_hans", "classroom-pi"}}
            if name == "otuken":
                change["moderator"] = True
            await self.call("PUT", f"/api/v2/users/{number}", ADMIN_KEY, change)
        self.machines = [
            Machine(name, self.keys[owner], models, speed, pixels)
            for name, owner, models, speed, pixels in MACHINES
        ]

    async def live(self, until: Millis) -> None:
        """Go on until then: in long steps first, minute by minute at the end."""
        assert self.opened is not None
        sweeper = Sweeper(self.opened.horde)
        while self.clock.moment < until:
            is_close = until - self.clock.moment <= CLOSE_S * 1000
            step_s, look_s = (MINUTE_S, 10) if is_close else (SLOW_S, MINUTE_S)
            await self.wishes(step_s)
            end = Millis(min(until, self.clock.moment + step_s * 1000))
            while self.clock.moment < end:
                self.clock.moment = Millis(min(end, self.clock.moment + look_s * 1000))
                await self.machines_work()
            sweeper.rounds += RARELY - 1 - sweeper.rounds % RARELY if not is_close else 0
            await sweeper.sweep()

    async def wishes(self, step_s: int) -> None:
        """What people ask for in a step: more in the evening than in the morning."""
        hour = self.clock.moment / 3_600_000 % 24
        evening = 0.25 + 0.75 * (1 + math.sin((hour - 14) / 24 * 2 * math.pi)) / 2
        for _ in range(round(evening * step_s / MINUTE_S * self.chance.uniform(0.4, 1.6))):
            width, height = self.chance.choice(SIZES)
            params = {
                "width": width,
                "height": height,
                "steps": 28,
                "n": self.chance.choice((1, 1, 2, 4)),
            }
            model = self.chance.choice(
                ("Albedo XL", "Albedo XL", "Deliberate", "Photon", "Inkwell")
            )
            body = {"prompt": "dunes at sunset", "models": [model], "params": params}
            key = self.keys[self.chance.choice(PEOPLE)]
            await self.api.post("/api/v2/generate/async", json=body, headers={"apikey": key})

    async def machines_work(self) -> None:
        """Each machine that has nothing to do asks; each that is done delivers."""
        for machine in self.machines:
            if machine.job is not None and machine.busy_until <= self.clock.moment:
                await self.deliver(machine)
            if machine.job is None and self.chance.random() < 0.9:
                await self.pop(machine)

    async def pop(self, machine: Machine) -> None:
        """Ask for a job, and begin it when there is one."""
        body = {
            "name": machine.name,
            "models": list(machine.models),
            "max_pixels": machine.pixels_max,
            "bridge_agent": "Ordu:0.1.0:https://example.org",
        }
        reply = await self.api.post(
            "/api/v2/generate/pop", json=body, headers={"apikey": machine.key}
        )
        job = reply.json()
        if reply.status_code == 200 and job.get("id"):
            payload = job["payload"]
            work = payload["width"] * payload["height"] * payload["ddim_steps"] / 1e6
            machine.job = job
            machine.busy_until = int(self.clock.moment + work / machine.speed * 1000)

    async def deliver(self, machine: Machine) -> None:
        """Send the picture; who is hasty now and then gives up."""
        job, machine.job = machine.job, None
        assert job is not None
        body: dict[str, Any] = {"id": job["id"], "generation": a_picture(self.chance), "seed": "1"}
        if machine.name == "grey-pc" and self.chance.random() < 0.05:
            body["state"] = "faulted"
        await self.api.post("/api/v2/generate/submit", json=body, headers={"apikey": machine.key})


def a_picture(chance: random.Random) -> str:
    """A small picture, another one each time."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), tuple(chance.randrange(256) for _ in range(3))).save(file, "WEBP")
    return base64.b64encode(file.getvalue()).decode()


async def main(folder: Path, days: int) -> None:
    """Live so many days, up to now."""
    settings = ServerSettings(data=str(folder), admin_key=ADMIN_KEY, rate_limits=False)
    now = Millis(time.time_ns() // 1_000_000)
    clock = MovedClock(Millis(now - days * 86_400_000))
    async with open_horde(settings, URL, clock=clock) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url=URL, timeout=60) as api:
            lived = Days(opened, clock, api, random.Random(7))  # noqa: S311 - the same days each time
            await lived.people_come()
            for days_ago, text in NEWS.items():
                await lived.live(Millis(now - days_ago * 86_400_000))
                await lived.call("PUT", "/api/v2/status/news", ADMIN_KEY, {"newspiece": text})
            await lived.live(now)
    keys = {"admin": ADMIN_KEY, **lived.keys}
    (folder / "people.json").write_text(json.dumps(keys, ensure_ascii=False), encoding="utf-8")


async def go_on(url: str, keys: dict[str, str]) -> None:
    """Go on living at a server that runs, in its own time, until cancelled."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as api:
        clock = MovedClock(Millis(0))
        chance = random.Random(8)  # noqa: S311 - as above
        lived = Days(None, clock, api, chance, keys)
        lived.machines = [
            Machine(name, keys[owner], models, speed, pixels)
            for name, owner, models, speed, pixels in MACHINES
        ]
        while True:
            clock.moment = Millis(time.time_ns() // 1_000_000)
            if chance.random() < 0.5:
                await lived.wishes(2 * MINUTE_S)
            await lived.machines_work()
            await asyncio.sleep(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", type=int, default=14)
    given = parser.parse_args()
    asyncio.run(main(given.folder, given.days))
