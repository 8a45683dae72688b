"""A stand-in for ComfyUI, built from its published HTTP API: routes, fields, nodes.

    python -m tests.programs.comfyui --port 8188 --seconds 3

It has ComfyUI's queue, history, uploads and checks of a graph, and runs graphs, with colours where
a model would draw. It is stricter than ComfyUI: unknown inputs and sizes that are no multiples of 8
are refused as well.
"""

import argparse
import email.policy
import io
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any, Self

from PIL import Image, ImageChops
from tests.programs.serving import Call, Gone, Reply, Serving, colour_of, frame, png, serve_for_ever

SAMPLERS = [
    *("euler", "euler_ancestral", "heun", "dpm_2", "dpm_2_ancestral", "lms", "dpm_fast"),
    *("dpm_adaptive", "dpmpp_2s_ancestral", "dpmpp_sde", "dpmpp_2m", "dpmpp_2m_sde", "ddpm"),
    *("lcm", "ddim", "uni_pc"),
]
SCHEDULERS = ["normal", "karras", "exponential", "sgm_uniform", "simple", "ddim_uniform"]
STEP = 8  # of sizes

INT, FLOAT, TEXT, BOOL = "INT", "FLOAT", "STRING", "BOOLEAN"
SIDE = (INT, 16, 16384)
SAMPLING = {
    "model": "MODEL",
    "seed": (INT, 0, 2**64 - 1),
    "steps": (INT, 1, 10_000),
    "cfg": (FLOAT, 0.0, 100.0),
    "sampler_name": SAMPLERS,
    "scheduler": SCHEDULERS,
    "positive": "CONDITIONING",
    "negative": "CONDITIONING",
    "latent_image": "LATENT",
    "denoise": (FLOAT, 0.0, 1.0),
}


@dataclass(frozen=True)
class Kind:
    """A kind of node: its inputs with their types, and the types of its outputs."""

    inputs: dict[str, Any]
    outputs: tuple[str, ...]
    optional: dict[str, Any] = field(default_factory=dict)


def kinds_of(checkpoints: list[str], loras: list[str]) -> dict[str, Kind]:
    """The nodes that are there, of those that come with ComfyUI."""
    weight = (FLOAT, -100.0, 100.0)
    return {
        "CheckpointLoaderSimple": Kind({"ckpt_name": checkpoints}, ("MODEL", "CLIP", "VAE")),
        "LoraLoader": Kind(
            {
                "model": "MODEL",
                "clip": "CLIP",
                "lora_name": loras,
                "strength_model": weight,
                "strength_clip": weight,
            },
            ("MODEL", "CLIP"),
        ),
        "CLIPSetLastLayer": Kind({"clip": "CLIP", "stop_at_clip_layer": (INT, -24, -1)}, ("CLIP",)),
        "CLIPTextEncode": Kind({"text": TEXT, "clip": "CLIP"}, ("CONDITIONING",)),
        "EmptyLatentImage": Kind(
            {"width": SIDE, "height": SIDE, "batch_size": (INT, 1, 4096)}, ("LATENT",)
        ),
        "KSampler": Kind(dict(SAMPLING), ("LATENT",)),
        "LatentUpscale": Kind(
            {
                "samples": "LATENT",
                "upscale_method": ["nearest-exact", "bilinear", "area", "bicubic", "bislerp"],
                "width": (INT, 0, 16384),
                "height": (INT, 0, 16384),
                "crop": ["disabled", "center"],
            },
            ("LATENT",),
        ),
        "VAEDecode": Kind({"samples": "LATENT", "vae": "VAE"}, ("IMAGE",)),
        "VAEEncode": Kind({"pixels": "IMAGE", "vae": "VAE"}, ("LATENT",)),
        "VAEEncodeForInpaint": Kind(
            {"pixels": "IMAGE", "vae": "VAE", "mask": "MASK", "grow_mask_by": (INT, 0, 64)},
            ("LATENT",),
        ),
        "SetLatentNoiseMask": Kind({"samples": "LATENT", "mask": "MASK"}, ("LATENT",)),
        "LoadImage": Kind({"image": "UPLOAD"}, ("IMAGE", "MASK")),
        "LoadImageMask": Kind(
            {"image": "UPLOAD", "channel": ["alpha", "red", "green", "blue"]}, ("MASK",)
        ),
        "ImageCompositeMasked": Kind(
            {
                "destination": "IMAGE",
                "source": "IMAGE",
                "x": (INT, 0, 16384),
                "y": (INT, 0, 16384),
                "resize_source": BOOL,
            },
            ("IMAGE",),
            {"mask": "MASK"},
        ),
        "PreviewImage": Kind({"images": "IMAGE"}, ()),
        "SaveImage": Kind({"images": "IMAGE", "filename_prefix": TEXT}, ()),
    }


OUTPUT_KINDS = {"PreviewImage": "temp", "SaveImage": "output"}


@dataclass
class Job:
    """A graph in the queue."""

    number: int
    id: str
    graph: dict[str, Any]
    client_id: str = ""
    is_interrupted: bool = False

    def as_item(self) -> list[Any]:
        outputs = [name for name, node in self.graph.items() if node["class_type"] in OUTPUT_KINDS]
        return [self.number, self.id, self.graph, {"client_id": self.client_id}, outputs]


class ComfyUI(Serving):
    """One ComfyUI. While `is_held`, what runs does not come to an end unless it is interrupted."""

    def __init__(
        self,
        port: int = 0,
        *,
        checkpoints: tuple[str, ...] = ("dream.safetensors", "xl/juggernaut.safetensors"),
        loras: tuple[str, ...] = ("ink.safetensors", "sub\\Moon Light.safetensors"),
        seconds: float = 0.0,
    ) -> None:
        super().__init__(port)
        self.kinds = kinds_of(list(checkpoints), list(loras))
        self.seconds = seconds
        self.is_held = False
        self.is_old = False  # takes no ids from outside, and interrupts whatever runs
        self.says_combo = False  # lists choices as new versions do
        self.fails_with: tuple[str, str] | None = None  # the next one, with kind and words
        self.files: dict[tuple[str, str, str], bytes] = {}  # by type, subfolder, name
        self.running: Job | None = None
        self.pending: list[Job] = []
        self.history: dict[str, Any] = {}
        self.has_sockets = True
        self.told: dict[str, list[bytes]] = {}  # by client: frames for its WebSocket
        self._number = 0

    def start(self) -> Self:
        super().start()
        self._runner = threading.Thread(target=self._run)
        self._runner.start()
        return self

    def stop(self) -> None:
        super().stop()
        self._runner.join()

    def restart(self) -> None:
        """Lose what is only in memory."""
        with self.changed:
            self.running = None
            self.pending.clear()
            self.history.clear()
            self.changed.notify_all()

    def hold(self, *, is_held: bool = True) -> None:
        with self.changed:
            self.is_held = is_held
            self.changed.notify_all()

    def add_of_owner(self) -> str:
        """Something of the owner's in the queue; its id."""
        with self.changed:
            return self._add({"1": {"class_type": "PreviewImage", "inputs": {}}}, "owner", None)

    # -- routes --------------------------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        with self.changed:
            if self.is_stopped:
                raise Gone
            first, _, rest = call.path.strip("/").partition("/")
            route = getattr(self, f"_{call.method.lower()}_{first}", None)
            return route(call, rest) if route else Reply(b"404: Not Found", 404, "text/plain")

    def _get_system_stats(self, call: Call, rest: str) -> Reply:
        return Reply({"system": {"comfyui_version": "stand-in"}, "devices": []})

    def _get_object_info(self, call: Call, rest: str) -> Reply:
        return Reply({rest: self._info(rest)} if rest in self.kinds else {})

    def _get_queue(self, call: Call, rest: str) -> Reply:
        running = [self.running.as_item()] if self.running else []
        pending = [job.as_item() for job in self.pending]
        return Reply({"queue_running": running, "queue_pending": pending})

    def _post_queue(self, call: Call, rest: str) -> Reply:
        gone = set(call.body.get("delete", ()))
        self.pending = [job for job in self.pending if job.id not in gone]
        self.changed.notify_all()
        return Reply()

    def _get_history(self, call: Call, rest: str) -> Reply:
        entry = self.history.get(rest)
        return Reply({rest: entry} if entry else {})

    def _post_history(self, call: Call, rest: str) -> Reply:
        for prompt_id in call.body.get("delete", ()):
            self.history.pop(prompt_id, None)
        return Reply()

    def _post_interrupt(self, call: Call, rest: str) -> Reply:
        prompt_id = (call.body or {}).get("prompt_id")
        is_meant = self.is_old or prompt_id is None
        if self.running and (is_meant or self.running.id == prompt_id):
            self.running.is_interrupted = True
            self.changed.notify_all()
        return Reply()

    def _get_view(self, call: Call, rest: str) -> Reply:
        where = (call.params["type"], call.params.get("subfolder", ""), call.params["filename"])
        data = self.files.get(where)
        return Reply(data, type="image/png") if data else Reply(status=404)

    def _info(self, name: str) -> dict[str, Any]:
        kind = self.kinds[name]
        return {
            "input": {
                "required": {key: self._described(spec) for key, spec in kind.inputs.items()},
                "optional": {key: self._described(spec) for key, spec in kind.optional.items()},
            },
            "output": list(kind.outputs),
            "name": name,
            "output_node": name in OUTPUT_KINDS,
        }

    def _described(self, spec: Any) -> list[Any]:
        if isinstance(spec, list):
            return ["COMBO", {"options": spec}] if self.says_combo else [spec, {"tooltip": "One."}]
        if isinstance(spec, tuple):
            return [spec[0], {"min": spec[1], "max": spec[2]}]
        return [spec]

    def _post_upload(self, call: Call, rest: str) -> Reply:
        head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
        form = message_from_bytes(head + call.data, policy=email.policy.HTTP)
        values: dict[str, Any] = {}
        name = ""
        for part in form.iter_parts():
            key = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            values[key] = data if key == "image" else data.decode()
            name = part.get_filename() or name
        if unknown := values.keys() - {"image", "type", "subfolder", "overwrite"}:
            return Reply(f"unknown fields {unknown}".encode(), 400)
        where = (values["type"], values["subfolder"], name)
        if where in self.files and values.get("overwrite") != "true":
            return Reply(b"the stand-in has a file of this name", 400)
        Image.open(io.BytesIO(values["image"])).load()
        self.files[where] = values["image"]
        return Reply({"name": name, "subfolder": where[1], "type": where[0]})

    def _post_prompt(self, call: Call, rest: str) -> Reply:
        body = call.body
        if unknown := body.keys() - {"prompt", "client_id", "prompt_id", "extra_data", "front"}:
            return _refused("invalid_prompt", f"unknown fields {unknown}")
        refusal = self._check(body["prompt"])
        if refusal is not None:
            return refusal
        asked_id = None if self.is_old else body.get("prompt_id")
        prompt_id = self._add(body["prompt"], body.get("client_id", ""), asked_id)
        return Reply({"prompt_id": prompt_id, "number": self._number, "node_errors": {}})

    def _add(self, graph: dict[str, Any], client_id: str, prompt_id: str | None) -> str:
        self._number += 1
        job = Job(self._number, prompt_id or str(uuid.uuid4()), graph, client_id)
        self.pending.append(job)
        self.changed.notify_all()
        return job.id

    # -- checking ------------------------------------------------------------------------------

    def _check(self, graph: dict[str, Any]) -> Reply | None:
        for name, node in graph.items():
            if node.get("class_type") not in self.kinds:
                words = f"Node '{node.get('class_type')}' not found."
                return _refused("missing_node_type", words, f"Node ID '#{name}'")
        if not any(node["class_type"] in OUTPUT_KINDS for node in graph.values()):
            return _refused("prompt_no_outputs", "Prompt has no outputs")
        faults = {}
        for name, node in graph.items():
            kind = self.kinds[node["class_type"]]
            found = list(self._faults(graph, kind, node["inputs"]))
            if found:
                faults[name] = {
                    "errors": found,
                    "dependent_outputs": [],
                    "class_type": node["class_type"],
                }
        if not faults:
            return None
        return _refused(
            "prompt_outputs_failed_validation", "Prompt outputs failed validation", faults=faults
        )

    def _faults(self, graph: dict[str, Any], kind: Kind, inputs: dict[str, Any]) -> Any:
        for key in kind.inputs.keys() - inputs.keys():
            yield _fault("required_input_missing", "Required input is missing", key)
        for key, value in inputs.items():
            spec = kind.inputs.get(key, kind.optional.get(key))
            if spec is None:
                yield _fault("unknown_input", "Unknown input", key)
            elif isinstance(value, list):
                yield from self._link_faults(graph, key, value, spec)
            else:
                yield from self._value_faults(key, value, spec)

    def _link_faults(self, graph: dict[str, Any], key: str, link: list[Any], spec: Any) -> Any:
        is_link = len(link) == 2 and isinstance(link[0], str) and isinstance(link[1], int)
        if not is_link or link[0] not in graph:
            yield _fault("bad_linked_input", "Bad linked input, must be [node, output]", key)
            return
        outputs = self.kinds[graph[link[0]]["class_type"]].outputs
        given = outputs[link[1]] if link[1] < len(outputs) else "nothing"
        if given != spec:
            details = f"{key}, received_type({given}) mismatch input_type({spec})"
            yield _fault(
                "return_type_mismatch", "Return type mismatch between linked nodes", details
            )

    def _value_faults(self, key: str, value: Any, spec: Any) -> Any:
        if isinstance(spec, list):
            if value not in spec:
                details = f"{key}: '{value}' not in {spec}"
                yield _fault("value_not_in_list", "Value not in list", details)
            return
        if spec == "UPLOAD":
            folder, _, name = str(value).rpartition("/")
            if ("input", folder, name) not in self.files:
                details = f"{key} - Invalid image file: {value}"
                yield _fault("custom_validation_failed", "Custom validation failed", details)
            return
        kind, low, high = spec if isinstance(spec, tuple) else (spec, None, None)
        types = {INT: (int,), FLOAT: (int, float), TEXT: (str,), BOOL: (bool,)}.get(kind, ())
        if not isinstance(value, types) or (isinstance(value, bool) and kind != BOOL):
            yield _fault("invalid_input_type", f"Failed to convert an input value to {kind}", key)
        elif low is not None and value < low:
            yield _fault("value_smaller_than_min", f"Value {value} smaller than min of {low}", key)
        elif high is not None and value > high:
            yield _fault("value_bigger_than_max", f"Value {value} bigger than max of {high}", key)
        elif key in {"width", "height"} and value % STEP:
            yield _fault("value_no_multiple", f"Value {value} no multiple of {STEP}", key)

    # -- telling -------------------------------------------------------------------------------

    def frames(self, call: Call) -> Iterator[bytes]:
        client_id = call.params["clientId"]
        with self.changed:
            frames = self.told[client_id] = []
            info = {"status": {"exec_info": {"queue_remaining": 0}}, "sid": client_id}
            self._tell(client_id, "status", info)
            if self.running is not None and self.running.client_id == client_id:
                # Who listens too late hears how far it is now.
                self._tell_progress(self.running, 0.5 if self.is_held else 0.0)
            while True:
                self.changed.wait_for(lambda: frames or self.is_stopped)
                if self.is_stopped:
                    return
                yield frames.pop(0)

    def _tell(self, client_id: str, kind: str, data: dict[str, Any]) -> None:
        if client_id in self.told:
            self.told[client_id].append(frame(json.dumps({"type": kind, "data": data}).encode()))
            self.changed.notify_all()

    def _tell_progress(self, job: Job, share: float) -> None:
        """How far each node is that samples, and a preview."""
        samplers = [
            (name, node["inputs"]["steps"])
            for name, node in job.graph.items()
            if node["class_type"] == "KSampler"
        ]
        for index, (name, steps) in enumerate(samplers):
            value = int(min(1.0, max(0.0, share * len(samplers) - index)) * steps)
            data = {"value": value, "max": steps, "prompt_id": job.id, "node": name}
            self._tell(job.client_id, "progress", data)
        if job.client_id in self.told:
            self.told[job.client_id].append(frame(bytes(70_000), 2))

    # -- running -------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.pending or self.is_stopped)
                if self.is_stopped:
                    return
                job = self.running = self.pending.pop(0)
                self.changed.notify_all()
                entry = self._finish(job)
                if entry is not None and self.running is job:
                    self.history[job.id] = entry
                    self.running = None
                    self.changed.notify_all()

    def _finish(self, job: Job) -> dict[str, Any] | None:
        """What the history will say, as soon as it is done."""
        ends = time.monotonic() + self.seconds

        def is_over() -> bool:
            is_done = not self.is_held and time.monotonic() >= ends
            return is_done or job.is_interrupted or self.is_stopped or self.running is not job

        self._tell(job.client_id, "execution_start", {"prompt_id": job.id})
        self._tell_progress(job, 0.5 if self.is_held else 0.0)
        while not is_over():
            left = max(0.01, ends - time.monotonic())
            self.changed.wait(None if self.is_held else min(left, 0.25))
            if self.seconds:
                self._tell_progress(job, 1 - left / self.seconds)
        if self.is_stopped or self.running is not job:
            return None
        about = {"prompt_id": job.id, "node_id": "7", "node_type": "KSampler", "executed": []}
        start = ["execution_start", {"prompt_id": job.id}]
        if job.is_interrupted:
            return _entry(job, {}, "error", [start, ["execution_interrupted", about]])
        if self.fails_with is not None:
            kind, words = self.fails_with
            self.fails_with = None
            error = {**about, "exception_type": kind, "exception_message": words, "traceback": []}
            return _entry(job, {}, "error", [start, ["execution_error", error]])
        outputs = self._outputs(job)
        return _entry(
            job, outputs, "success", [start, ["execution_success", {"prompt_id": job.id}]]
        )

    def _outputs(self, job: Job) -> dict[str, Any]:
        outputs = {}
        for name, node in job.graph.items():
            folder = OUTPUT_KINDS.get(node["class_type"])
            if folder is None or "images" not in node["inputs"]:
                continue
            image = Running(self, job.graph).value(node["inputs"]["images"])
            file = f"ComfyUI_{job.number:05}_.png"
            self.files[folder, "", file] = png(image)
            outputs[name] = {"images": [{"filename": file, "subfolder": "", "type": folder}]}
        return outputs


class Running:
    """Runs a graph: models and texts are words, latents and images are pictures."""

    def __init__(self, program: ComfyUI, graph: dict[str, Any]) -> None:
        self.program = program
        self.graph = graph

    def value(self, link: Any) -> Any:
        node = self.graph[link[0]]
        inputs = {
            key: self.value(value) if isinstance(value, list) else value
            for key, value in node["inputs"].items()
        }
        return getattr(self, node["class_type"])(link[1], **inputs)

    def CheckpointLoaderSimple(self, output: int, ckpt_name: str) -> Any:  # noqa: N802
        return (ckpt_name, output)

    def LoraLoader(self, output: int, **inputs: Any) -> Any:  # noqa: N802
        return (output, *sorted(inputs.items()))

    def CLIPSetLastLayer(self, output: int, **inputs: Any) -> Any:  # noqa: N802
        return tuple(sorted(inputs.items()))

    CLIPTextEncode = CLIPSetLastLayer

    def EmptyLatentImage(self, output: int, width: int, height: int, batch_size: int) -> Any:  # noqa: N802
        return Image.new("RGB", (width, height)), None

    def KSampler(self, output: int, latent_image: Any, denoise: float, **inputs: Any) -> Any:  # noqa: N802
        image, mask = latent_image
        ink = Image.new("RGB", image.size, colour_of(sorted(inputs.items())))
        drawn = Image.blend(image, ink, denoise)
        return (Image.composite(drawn, image, mask) if mask else drawn), mask

    def LatentUpscale(self, output: int, samples: Any, width: int, height: int, **_: Any) -> Any:  # noqa: N802
        return samples[0].resize((width, height)), None

    def VAEDecode(self, output: int, samples: Any, vae: Any) -> Any:  # noqa: N802
        return samples[0]

    def VAEEncode(self, output: int, pixels: Any, vae: Any) -> Any:  # noqa: N802
        return pixels, None

    def VAEEncodeForInpaint(self, output: int, pixels: Any, mask: Any, **_: Any) -> Any:  # noqa: N802
        return Image.composite(Image.new("RGB", pixels.size, "grey"), pixels, mask), mask

    def SetLatentNoiseMask(self, output: int, samples: Any, mask: Any) -> Any:  # noqa: N802
        return samples[0], mask

    def LoadImage(self, output: int, image: str) -> Any:  # noqa: N802
        folder, _, name = image.rpartition("/")
        with Image.open(io.BytesIO(self.program.files["input", folder, name])) as opened:
            return opened.convert("RGB")

    def LoadImageMask(self, output: int, image: str, channel: str) -> Any:  # noqa: N802
        return self.LoadImage(0, image).getchannel(channel[0].upper())

    def ImageCompositeMasked(  # noqa: N802
        self, output: int, destination: Any, source: Any, mask: Any = None, **_: Any
    ) -> Any:
        return Image.composite(source, destination, mask or ImageChops.constant(source, 255))


def _entry(job: Job, outputs: dict[str, Any], status: str, messages: list[Any]) -> dict[str, Any]:
    is_done = status == "success"
    said = {"status_str": status, "completed": is_done, "messages": messages}
    return {"prompt": job.as_item(), "outputs": outputs, "status": said, "meta": {}}


def _fault(kind: str, message: str, details: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": {}}


def _refused(
    kind: str, message: str, details: str = "", faults: dict[str, Any] | None = None
) -> Reply:
    return Reply({"error": _fault(kind, message, details), "node_errors": faults or {}}, 400)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8188)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a picture takes")
    given = parser.parse_args()
    serve_for_ever(ComfyUI(given.port, seconds=given.seconds), "ComfyUI")


if __name__ == "__main__":
    main()
