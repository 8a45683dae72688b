"""Stand-ins for other people's hordes: the public server as it is today, and that of 2022.

They hand out given jobs to one worker and refuse whatever those servers would refuse. They are made
from the facts of the protocol sheets 01 §4 and 11 (not from anybody's code); the numbers in the
comments are theirs. Waiting pops, versions and the other additions of Ordu do not exist here.
"""

import base64
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "abcdefghijklmnopqrstuv"
TEXTS = ("name", "bridge_agent")
WHOLE_NUMBERS = ("max_pixels", "threads", "amount", "bridge_version")
SWITCHES = (
    *("nsfw", "allow_img2img", "allow_painting", "allow_unsafe_ipaddr", "allow_post_processing"),
    *("allow_controlnet", "allow_sdxl_controlnet", "allow_lora", "limit_max_steps"),
    *("extra_slow_worker", "require_upfront_kudos"),
)
LISTS = ("models", "blacklist", "priority_usernames")
KNOWN_PROGRAMS = ("AI Horde Worker reGen", "AI Horde Worker")  # that can upload (11 §1.2)
DEFAULTS = {
    "ddim_steps": 30,
    "n_iter": 1,
    "sampler_name": "k_euler_a",
    "cfg_scale": 7.5,
    "height": 512,
    "width": 512,
    "image_is_control": False,
    "return_control_map": False,
    "karras": False,
    "tiling": False,
    "hires_fix": False,
    "transparent": False,
}
NONE_SKIPPED = {
    **dict.fromkeys(("worker_id", "performance", "nsfw", "untrusted", "models"), 0),
    **dict.fromkeys(("bridge_version", "unsafe_ip", "img2img", "painting"), 0),
    **dict.fromkeys(("post-processing", "lora", "controlnet"), 0),
}


@dataclass
class Answer:
    """What is answered: a status and a body that becomes JSON."""

    body: Any
    status: int = 200


@dataclass
class Horde:
    """One horde and all that was said to it; `url` is where it listens while it is open."""

    is_of_2022: bool = False
    jobs: deque[dict[str, Any]] = field(default_factory=deque)  # payloads, `r2` says how
    refusals: deque[Answer] = field(default_factory=deque)  # of the next pops
    pops: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)  # of these
    uploaded: dict[str, bytes] = field(default_factory=dict)
    submitted: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)  # what those servers would not have understood
    done: threading.Event = field(default_factory=threading.Event)  # all jobs are settled

    def __post_init__(self) -> None:
        self._handed: dict[str, dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Horde":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- its operations ------------------------------------------------------------------------

    def post_job_pop(self, body: dict[str, Any]) -> Answer:
        if errors := _breaks_the_schema(body):
            self.wrong.append(f"pop: {errors}")
            return Answer({"errors": errors, "message": "Input payload validation failed"}, 400)
        self.pops.append(body)
        if self.refusals:
            return self.refusals.popleft()
        job = next((each for each in self.jobs if self._may_have(body, each)), None)
        if job is None:
            return Answer(self._nothing())
        self.jobs.remove(job)
        job_id = f"00000000-0000-4000-8000-{len(self._handed):012}"
        self._handed[job_id] = job
        return Answer(self._job(job_id, job))

    def post_job_submit(self, body: dict[str, Any]) -> Answer:
        job = self._handed.get(body.get("id", ""))
        if job is None:
            return Answer(
                {"message": "Processing Job with ID x does not exist.", "rc": "InvalidJobID"}, 404
            )
        if not self.is_of_2022 and not isinstance(body.get("seed"), int):
            self.wrong.append("submit: the seed of today is a number")
        if not isinstance(body.get("generation"), str):
            self.wrong.append("submit: there is no generation")
        if body["id"] in self.submitted:
            return Answer({"message": "already submitted", "rc": "DuplicateGen"}, 400)
        if body["generation"] == "R2" and body["id"] not in self.uploaded:
            self.wrong.append("submit: nothing was uploaded")  # they pay it all the same
        self.submitted[body["id"]] = body
        if not self.jobs and len(self.submitted) == len(self._handed):
            self.done.set()
        return Answer({"reward": 0.0 if body.get("state") == "faulted" else 7.61})

    def picture(self, job_id: str) -> bytes:
        """What was delivered, in whichever way."""
        said = self.submitted[job_id]["generation"]
        return self.uploaded[job_id] if said == "R2" else base64.b64decode(said)

    def _may_have(self, body: dict[str, Any], job: dict[str, Any]) -> bool:
        if self.is_of_2022:
            return True
        program = body.get("bridge_agent", "unknown:0:unknown").partition(":")[0]
        return program in KNOWN_PROGRAMS or not job.get("r2", False)

    def _job(self, job_id: str, job: dict[str, Any]) -> dict[str, Any]:
        payload = {"prompt": "a fox", "seed": "12", **job.get("payload", {})}
        if self.is_of_2022:
            return {"payload": payload, "id": job_id, "skipped": {}, "model": "stable_diffusion"}
        upload = f"{self.url}/upload/{job_id}?signature=x%2Fy"
        return {
            "payload": {**DEFAULTS, **payload},
            "id": job_id,
            "ids": [job_id],
            "messages": [],
            "ttl": 150,
            "skipped": {},
            "model": "stable_diffusion",
            "source_image": None,
            "source_processing": "img2img",
            "source_mask": None,
            "extra_source_images": None,
            "r2_upload": upload,
            "r2_uploads": [upload],
        }

    def _nothing(self) -> dict[str, Any]:
        if self.is_of_2022:
            return {"payload": {}, "id": None, "skipped": {"models": 1}}
        empty = dict.fromkeys(("ttl", "model", "source_image", "source_mask", "r2_upload"))
        return {
            "payload": DEFAULTS,
            "id": None,
            "ids": [],
            "messages": [],
            "skipped": {**NONE_SKIPPED, "models": 1},
            "source_processing": "img2img",
            **empty,
            "extra_source_images": None,
            "r2_uploads": None,
        }


def _breaks_the_schema(body: dict[str, Any]) -> dict[str, str]:
    kinds = {
        **dict.fromkeys(TEXTS, str),
        **dict.fromkeys(WHOLE_NUMBERS, int),
        **dict.fromkeys(SWITCHES, bool),
        **dict.fromkeys(LISTS, list),
    }
    errors = {
        name: f"{body[name]!r} is not of type {kind.__name__}"
        for name, kind in kinds.items()
        if name in body and not isinstance(body[name], kind)
    }
    if "name" not in body:
        errors["name"] = "'name' is a required property"
    return errors


def _handler(horde: Horde) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            operation = {
                "/api/v2/generate/pop": horde.post_job_pop,
                "/api/v2/generate/submit": horde.post_job_submit,
            }.get(self.path)
            if operation is None:
                horde.wrong.append(f"there is no POST {self.path}")
                return self.answer(404, b"<!doctype html>", "text/html")
            if self.headers.get("apikey") != KEY:
                return self.say(Answer({"message": "No user", "rc": "InvalidAPIKey"}, 401))
            if self.headers.get("Content-Type") != "application/json":
                horde.wrong.append("a body without its content type")
            if operation == horde.post_job_pop:
                horde.headers.append(dict(self.headers))
            return self.say(operation(json.loads(data)))

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            path, _, signature = self.path.partition("?")
            if signature != "signature=x%2Fy" or "Content-Type" in self.headers:
                return self.answer(403, b"<Error>SignatureDoesNotMatch</Error>", "text/xml")
            horde.uploaded[path.removeprefix("/upload/")] = data
            return self.answer(200, b"", "text/xml")

        def say(self, answer: Answer) -> None:
            self.answer(answer.status, json.dumps(answer.body).encode() + b"\n", "application/json")

        def answer(self, status: int, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
