"""A stand-in for AUTOMATIC1111's web UI, built from its published API /sdapi/v1.

    python -m tests.programs.automatic1111 --port 7860 --seconds 3

It draws for one caller after the other, colours where a model would draw. It is stricter than the
web UI: unknown fields, wrong types and sizes that are no multiples of 8 are answered with 422.
"""

import argparse
import base64
import itertools
import time
from dataclasses import dataclass
from typing import Any

from PIL import Image
from tests.programs.serving import (
    Call,
    Gone,
    Reply,
    Serving,
    as_text,
    colour_of,
    picture_in,
    serve_for_ever,
)

PLAIN_SAMPLERS = {
    "Euler a": ["k_euler_a", "k_euler_ancestral"],
    "Euler": ["k_euler"],
    "LMS": ["k_lms"],
    "Heun": ["k_heun"],
    "DPM2": ["k_dpm_2"],
    "DPM2 a": ["k_dpm_2_a"],
    "DPM++ 2S a": ["k_dpmpp_2s_a"],
    "DPM++ 2M": ["k_dpmpp_2m"],
    "DPM++ SDE": ["k_dpmpp_sde"],
    "DPM fast": ["k_dpm_fast"],
    "DPM adaptive": ["k_dpm_ad"],
    "DDIM": ["ddim"],
    "PLMS": ["plms"],
    "LCM": ["lcm"],
}
OLD_SAMPLERS = {**PLAIN_SAMPLERS, "DPM++ 2M Karras": ["k_dpmpp_2m_ka"], "LMS Karras": ["k_lms_ka"]}
SCHEDULERS = {
    "automatic": "Automatic",
    "uniform": "Uniform",
    "karras": "Karras",
    "exponential": "Exponential",
    "polyexponential": "Polyexponential",
    "sgm_uniform": "SGM Uniform",
}
UPSCALERS = [
    "None",
    "Lanczos",
    "ESRGAN_4x",
    "R-ESRGAN 4x+",
    "R-ESRGAN 4x+ Anime6B",
    "4x-AnimeSharp",
]
FACE_RESTORERS = ["CodeFormer", "GFPGAN"]
OPTIONS = {"sd_model_checkpoint": str, "CLIP_stop_at_last_layers": int, "samples_format": str}

NUMBER = (int, float)
TEXT_TO_IMAGE: dict[str, Any] = {
    **dict.fromkeys(("prompt", "negative_prompt", "sampler_name", "scheduler"), str),
    **dict.fromkeys(("sampler_index", "hr_upscaler", "hr_prompt", "force_task_id"), str),
    **dict.fromkeys(("seed", "steps", "width", "height", "batch_size", "n_iter"), int),
    **dict.fromkeys(("hr_second_pass_steps", "hr_resize_x", "hr_resize_y"), int),
    **dict.fromkeys(("cfg_scale", "denoising_strength", "hr_scale", "eta"), NUMBER),
    **dict.fromkeys(("tiling", "enable_hr", "restore_faces", "do_not_save_samples"), bool),
    **dict.fromkeys(("do_not_save_grid", "save_images", "send_images"), bool),
    "override_settings": dict,
    "override_settings_restore_afterwards": bool,
}
IMAGE_TO_IMAGE: dict[str, Any] = {
    **{name: kind for name, kind in TEXT_TO_IMAGE.items() if not name.startswith("hr_")},
    "init_images": list,
    "mask": str,
    "include_init_images": bool,
    **dict.fromkeys(("resize_mode", "mask_blur", "inpainting_fill"), int),
    **dict.fromkeys(("inpaint_full_res_padding", "inpainting_mask_invert"), int),
    "inpaint_full_res": bool,
}
del IMAGE_TO_IMAGE["enable_hr"]
EXTRAS: dict[str, Any] = {
    "image": str,
    "resize_mode": int,
    **dict.fromkeys(("show_extras_results", "upscaling_crop", "upscale_first"), bool),
    **dict.fromkeys(("upscaling_resize_w", "upscaling_resize_h"), int),
    **dict.fromkeys(("upscaler_1", "upscaler_2"), str),
    **dict.fromkeys(("gfpgan_visibility", "codeformer_visibility", "codeformer_weight"), NUMBER),
    **dict.fromkeys(("upscaling_resize", "extras_upscaler_2_visibility"), NUMBER),
}


@dataclass
class Task:
    """Something that is drawn, or waits for it."""

    id: str
    steps: int = 20
    done: int = 0
    is_interrupted: bool = False


class Automatic1111(Serving):
    """One web UI. While `is_held`, what is drawn stops halfway, unless it is interrupted."""

    def __init__(
        self,
        port: int = 0,
        *,
        checkpoints: tuple[str, ...] = ("dream.safetensors", "juggernaut.safetensors"),
        loras: tuple[str, ...] = ("ink", "Moon Light"),
        login: tuple[str, str] | None = None,
        is_old: bool = False,
        seconds: float = 0.0,
    ) -> None:
        super().__init__(port)
        self.titles = {f"{name} [{index:010x}]": name for index, name in enumerate(checkpoints, 1)}
        self.loras = loras
        self.login = login
        self.is_old = is_old  # no noise schedules apart, no ids of tasks
        self.seconds = seconds
        self.is_held = False
        self.fails_with: tuple[str, str] | None = None  # the next one, with kind and words
        self.options: dict[str, Any] = {"sd_model_checkpoint": next(iter(self.titles), None)}
        self.tasks: list[Task] = []  # the first is drawn
        self.last: Task | None = None
        self.finished: set[str] = set()
        self._numbers = itertools.count(1)

    @property
    def samplers(self) -> dict[str, list[str]]:
        return OLD_SAMPLERS if self.is_old else PLAIN_SAMPLERS

    def hold(self, *, is_held: bool = True) -> None:
        with self.changed:
            self.is_held = is_held
            self.changed.notify_all()

    def begin_of_owner(self) -> Task:
        """The owner has something drawn; `end` ends it."""
        with self.changed:
            task = Task("task(owner)")
            self.tasks.append(task)
            self.changed.notify_all()
            return task

    def end(self, task: Task) -> None:
        with self.changed:
            self.tasks.remove(task)
            self.changed.notify_all()

    # -- routes --------------------------------------------------------------------------------

    def answer(self, call: Call) -> Reply:
        if self.login is not None:
            right = base64.b64encode(":".join(self.login).encode()).decode()
            if call.headers.get("authorization") != f"Basic {right}":
                return Reply({"detail": "Incorrect username or password"}, 401)
        with self.changed:
            if self.is_stopped:
                raise Gone
            name = call.path.removeprefix("/sdapi/v1/").strip("/").replace("/", "_")
            route = getattr(self, f"_{call.method.lower()}_{name.replace('-', '_')}", None)
            is_missing = self.is_old and name in {"schedulers", "internal_progress"}
            if route is None or is_missing:
                return Reply({"detail": "Not Found"}, 404)
            return route(call)

    def _get_sd_models(self, call: Call) -> Reply:
        return Reply(
            [
                {
                    "title": title,
                    "model_name": file.partition(".")[0],
                    "hash": title[-11:-1],
                    "sha256": None,
                    "filename": f"C:\\models\\Stable-diffusion\\{file}",
                    "config": None,
                }
                for title, file in self.titles.items()
            ]
        )

    def _get_samplers(self, call: Call) -> Reply:
        named = self.samplers.items()
        return Reply([{"name": name, "aliases": also, "options": {}} for name, also in named])

    def _get_schedulers(self, call: Call) -> Reply:
        named = SCHEDULERS.items()
        return Reply([{"name": name, "label": label, "aliases": None} for name, label in named])

    def _get_loras(self, call: Call) -> Reply:
        return Reply([{"name": n, "alias": n, "path": f"/{n}", "metadata": {}} for n in self.loras])

    def _get_upscalers(self, call: Call) -> Reply:
        return Reply([{"name": name, "model_name": None, "scale": 4} for name in UPSCALERS])

    def _get_face_restorers(self, call: Call) -> Reply:
        return Reply([{"name": name, "cmd_dir": None} for name in FACE_RESTORERS])

    def _get_options(self, call: Call) -> Reply:
        return Reply(self.options)

    def _get_progress(self, call: Call) -> Reply:
        task = self.tasks[0] if self.tasks else None
        last = task or self.last
        state = {
            "skipped": False,
            "interrupted": bool(last and last.is_interrupted),
            "job": "scripts_txt2img" if task else "",
            "job_count": 1 if task else 0,
            "job_timestamp": "20260101000000",
            "job_no": 0,
            "sampling_step": task.done if task else 0,
            "sampling_steps": task.steps if task else 0,
        }
        share = task.done / task.steps if task else 0.0
        return Reply({"progress": share, "eta_relative": 0.0, "state": state, "textinfo": None})

    def _post_internal_progress(self, call: Call) -> Reply:
        faults = _faults(call.body, {"id_task": str, "id_live_preview": int, "live_preview": bool})
        if faults:
            return Reply({"detail": faults}, 422)
        asked = call.body["id_task"]
        places = [index for index, task in enumerate(self.tasks) if task.id == asked]
        is_active = places[:1] == [0]
        task = self.tasks[0] if is_active else None
        return Reply(
            {
                "active": is_active,
                "queued": bool(places) and not is_active,
                "completed": asked in self.finished,
                "progress": task.done / task.steps if task else None,
                "eta": None,
                "textinfo": None,
            }
        )

    def _post_interrupt(self, call: Call) -> Reply:
        if self.tasks:
            self.tasks[0].is_interrupted = True
            self.changed.notify_all()
        return Reply({})

    def _post_txt2img(self, call: Call) -> Reply:
        return self._drawn(call.body, TEXT_TO_IMAGE, None)

    def _post_img2img(self, call: Call) -> Reply:
        images = call.body.get("init_images") or []
        if not images:
            return Reply({"detail": "Init image not found"}, 404)
        return self._drawn(call.body, IMAGE_TO_IMAGE, picture_in(images[0]))

    def _post_extra_single_image(self, call: Call) -> Reply:
        body = call.body
        if faults := _faults(body, EXTRAS):
            return Reply({"detail": faults}, 422)
        if body.get("upscaler_1", "None") not in UPSCALERS:
            return Reply({"detail": "Invalid upscaler"}, 422)
        if failed := self._failure():
            return failed
        image = picture_in(body["image"])
        factor = body.get("upscaling_resize", 2)
        if body.get("upscaler_1", "None") != "None":
            image = image.resize((int(image.width * factor), int(image.height * factor)))
        for name in ("gfpgan_visibility", "codeformer_visibility"):
            ink = Image.new("RGB", image.size, colour_of(name))
            image = Image.blend(image, ink, body.get(name, 0))
        return Reply({"html_info": "", "image": as_text(image)})

    # -- drawing -------------------------------------------------------------------------------

    def _drawn(self, body: dict[str, Any], fields: Any, source: Image.Image | None) -> Reply:
        if faults := _faults(body, fields) or _faults(body["override_settings"], OPTIONS):
            return Reply({"detail": faults}, 422)
        if body["sampler_name"] not in self.samplers:
            return Reply({"detail": "Sampler not found"}, 404)
        if body.get("scheduler", "Automatic") not in SCHEDULERS.values():
            return Reply({"detail": "Scheduler not found"}, 404)
        checkpoint = body["override_settings"].get("sd_model_checkpoint")
        if checkpoint not in self.titles:
            words = f"Unknown checkpoint: {checkpoint}"
            return Reply({"error": "RuntimeError", "detail": "", "errors": words}, 500)
        given = None if self.is_old else body.get("force_task_id")
        task = Task(given or f"task({next(self._numbers)})", body["steps"])
        self._draw(task)
        if failed := self._failure():
            return failed
        self.options.update(body["override_settings"])
        image = self._picture(body, task, source)
        return Reply({"images": [as_text(image)], "parameters": body, "info": "{}"})

    def _draw(self, task: Task) -> None:
        """Wait for those before it, then take the time that drawing takes."""
        self.tasks.append(task)
        self.changed.notify_all()
        self.changed.wait_for(lambda: self.tasks[0] is task or self.is_stopped)
        task.done = task.steps // 2
        self.changed.notify_all()
        ends = time.monotonic() + self.seconds
        while not (task.is_interrupted or self.is_stopped):
            left = ends - time.monotonic()
            if left <= 0 and not self.is_held:
                task.done = task.steps
                break
            self.changed.wait(None if self.is_held else left)
        self.tasks.remove(task)
        self.last = task
        self.finished.add(task.id)
        self.changed.notify_all()
        if self.is_stopped:
            raise Gone

    def _failure(self) -> Reply | None:
        if self.fails_with is None:
            return None
        kind, words = self.fails_with
        self.fails_with = None
        return Reply({"error": kind, "detail": "", "body": "", "errors": words}, 500)

    def _picture(self, body: dict[str, Any], task: Task, source: Image.Image | None) -> Image.Image:
        size = body["width"], body["height"]
        told = ("prompt", "negative_prompt", "seed", "steps", "cfg_scale", "sampler_name")
        colour = colour_of([body[name] for name in told], body.get("scheduler"))
        drawn = Image.new("RGB", size, colour if not task.is_interrupted else "grey")
        if body.get("enable_hr"):
            drawn = drawn.resize((body["hr_resize_x"], body["hr_resize_y"]))
        if source is None:
            return drawn
        image = Image.blend(source.resize(size), drawn, body["denoising_strength"])
        if "mask" in body:
            image = Image.composite(image, source, picture_in(body["mask"]).convert("L"))
        return image


def _faults(body: Any, fields: dict[str, Any]) -> list[dict[str, Any]]:
    """What is wrong with the fields of a body."""
    found = []
    for name, value in body.items():
        kind = fields.get(name)
        is_right = kind is not None and isinstance(value, kind)
        if not is_right or (isinstance(value, bool) and kind is not bool):
            found.append({"loc": ["body", name], "msg": f"not allowed: {value!r:.80}"})
        elif name in {"width", "height", "hr_resize_x", "hr_resize_y"} and value % 8:
            found.append({"loc": ["body", name], "msg": "no multiple of 8"})
        elif name in {"denoising_strength", "gfpgan_visibility"} and not 0 <= value <= 1:
            found.append({"loc": ["body", name], "msg": "not between 0 and 1"})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a picture takes")
    parser.add_argument("--old", action="store_true", help="as before noise schedules and ids")
    given = parser.parse_args()
    program = Automatic1111(given.port, seconds=given.seconds, is_old=given.old)
    serve_for_ever(program, "AUTOMATIC1111")


if __name__ == "__main__":
    main()
