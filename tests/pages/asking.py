"""Requests that a page follows: placed by the API from the page, made by machines moved by hand."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page
from tests.builders import a_picture
from tests.system.processes import Server

from ordu.client import Horde
from ordu.protocol.jobs import GenerationPayload, PopInputStable, PostJobSubmitRequest
from ordu.protocol.requests import GenerationMetadata

PLACE = """async ({body, key, source}) => {
    const headers = {apikey: key, "Content-Type": "application/json"};
    const sent = source ? {...body, source_image: source} : body;
    const answer = await fetch("/api/v2/generate/async",
        {method: "POST", headers, body: JSON.stringify(sent)});
    const {id, kudos_exact: kudos, message} = await answer.json();
    if (!answer.ok) throw new Error(message);
    const bytes = source && Uint8Array.from(atob(source), (letter) => letter.charCodeAt(0));
    const picture = source && new Blob([bytes], {type: "image/webp"});
    const detail = {id, body, kudos, source: source ? {picture, mask: null} : null};
    document.dispatchEvent(new CustomEvent("ordu:asked", {detail}));
    return id;
}"""
NOTE_FILLS = """() => {
    window.fills = [];
    document.addEventListener("ordu:fill", ({detail: {body, source}}) =>
        window.fills.push({body, source: source && source.picture.size}));
}"""


def a_body(prompt: str = "a fox in the snow", **more: Any) -> dict[str, Any]:
    """What a composer sends."""
    params = {"n": 1, "width": 192, "height": 128, "steps": 10, "cfg_scale": 5}
    names = params.keys() | {"seed", "denoising_strength", "sampler_name"}
    params |= {name: value for name, value in more.items() if name in names}
    rest = {name: value for name, value in more.items() if name not in names}
    return {"prompt": prompt, "models": ["stable_diffusion"], "r2": True, "params": params, **rest}


def ask(
    page: Page, key: str, body: Mapping[str, Any] | None = None, source: bytes | None = None
) -> str:
    """Place a request as the composer does; its id."""
    encoded = None if source is None else base64.b64encode(source).decode()
    given = {"body": body or a_body(), "key": key, "source": encoded}
    return str(page.evaluate(PLACE, given))


def note_fills(page: Page) -> None:
    """Note what is handed to the composer from now on."""
    page.evaluate(NOTE_FILLS)


def fills(page: Page) -> list[dict[str, Any]]:
    """What was handed to it."""
    noted: list[dict[str, Any]] = page.evaluate("() => window.fills")
    return noted


@dataclass
class Machine:
    """A worker that does what a test says; it has a model of its own, so it gets its jobs only."""

    horde: Horde
    model: str
    name: str
    jobs: list[GenerationPayload] = field(default_factory=list)

    def take(self) -> GenerationPayload:
        """Take a job; without one only be there."""
        wanted = PopInputStable(
            name=self.name, models=[self.model], bridge_agent="Ordu:1:x", max_pixels=2**20
        )
        job = self.horde.post_job_pop(wanted)
        if job.id:
            self.jobs.append(job)
        return job

    def deliver(self, colour: str = "teal", *, censored: bool = False) -> None:
        """Send the picture of the job taken first."""
        job = self.jobs.pop(0)
        payload = job.payload
        picture = a_picture(int(str(payload.width)), int(str(payload.height)), colour)
        remarks = [GenerationMetadata(type="censorship", value="csam")] if censored else []
        encoded = base64.b64encode(picture).decode()
        self.horde.post_job_submit(
            PostJobSubmitRequest(
                id=str(job.id), generation=encoded, seed=int(payload.seed), gen_metadata=remarks
            )  # type: ignore[arg-type]
        )

    def make(self, colour: str = "teal") -> None:
        """Take a job and deliver it at once."""
        self.take()
        self.deliver(colour)

    def fail(self) -> None:
        """Give up the job taken first."""
        job = self.jobs.pop(0)
        self.horde.post_job_submit(
            PostJobSubmitRequest(id=str(job.id), generation="", state="faulted", seed=0)
        )


@dataclass
class Machines:
    """Makes machines of a server."""

    server: Server
    made: list[Machine] = field(default_factory=list)

    def come(self, name: str = "tulpar", model: str | None = None) -> Machine:
        """A machine that is here."""
        tail = uuid.uuid4().hex[:6]
        horde = self.server.horde(self.server.register(f"owner-{tail}"))
        machine = Machine(horde, model or f"model-{tail}", f"{name}-{tail}")
        self.made.append(machine)
        machine.take()
        return machine

    def close(self) -> None:
        """Close their connections."""
        for machine in self.made:
            machine.horde.close()
