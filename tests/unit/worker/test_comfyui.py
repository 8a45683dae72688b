"""The backend `comfyui` against a ComfyUI that checks what it is sent and behaves in time."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.programs.comfyui import ComfyUI
from tests.programs.serving import Call, Reply, png

from ordu.protocol.params import Lora, TextualInversion
from ordu.settings import SettingError, read
from ordu.worker.backends import BackendError, Cancelled, Drawing, OutOfMemoryError, load
from ordu.worker.backends.comfyui import ComfyUIBackend, ComfyUISettings
from ordu.worker.backends.comfyui.graphs import SAMPLERS
from ordu.worker.backends.comfyui.workflow import PLACEHOLDERS
from ordu.worker.backends.programs import in_background

RED = (200, 10, 10)


@pytest.fixture
def program() -> Iterator[ComfyUI]:
    with ComfyUI() as program:
        yield program


def a_backend(program: ComfyUI, **settings: Any) -> ComfyUIBackend:
    given = ComfyUISettings(**{"url": (program.url,), "loras": True, **settings})
    backend = ComfyUIBackend(given, program.url)
    backend.queue.poll_s = 0.01
    return backend


def a_drawing(**changes: Any) -> Drawing:
    return Drawing(**{"prompt": "a fox", "model": "dream", "steps": 4, "seed": 7, **changes})


def a_picture(colour: Any = RED, size: tuple[int, int] = (64, 64)) -> bytes:
    return png(Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour))


def make(program: ComfyUI, settings: dict[str, Any] | None = None, **changes: Any) -> Image.Image:
    data = a_backend(program, **(settings or {})).make(a_drawing(**changes), ignore).data
    return Image.open(io.BytesIO(data)).convert("RGB")


def ignore(share: float) -> None:
    """Nobody looks."""


def graph_sent(program: ComfyUI) -> dict[str, Any]:
    return program.calls("POST", "/prompt")[-1].body["prompt"]


def nodes(program: ComfyUI, kind: str) -> list[dict[str, Any]]:
    """The inputs of the nodes of a kind in what was sent last."""
    found = graph_sent(program).values()
    return [node["inputs"] for node in found if node["class_type"] == kind]


def cancelling(is_time: Callable[[], bool]) -> Callable[[float], None]:
    def progress(share: float) -> None:
        if is_time():
            raise Cancelled

    return progress


# -- what is offered ---------------------------------------------------------------------------


def test_it_offers_what_comfyui_has(program):
    offer = a_backend(program).offer()
    assert offer.models == ("dream", "juggernaut")
    assert set(offer.samplers) == set(SAMPLERS)
    assert (offer.karras, offer.img2img, offer.inpainting, offer.lora) == (True, True, True, True)
    assert (offer.post_processing, offer.controlnet) == ((), False)
    assert offer.features == {"hires_fix", "clip_skip"}
    assert offer.max_pixels == 1024 * 1024


def test_new_versions_list_their_choices_otherwise(program):
    before = a_backend(program).offer()
    program.says_combo = True
    assert a_backend(program).offer() == before


def test_only_samplers_and_schedules_that_it_has_are_offered(program):
    program.kinds["KSampler"].inputs["sampler_name"] = ["euler", "ddim", "res_multistep"]
    program.kinds["KSampler"].inputs["scheduler"] = ["normal", "simple"]
    offer = a_backend(program).offer()
    assert offer.samplers == ("k_euler", "DDIM")
    assert offer.karras is False


def test_without_a_sampler_that_hordes_know_nothing_is_offered(program):
    program.kinds["KSampler"].inputs["sampler_name"] = ["res_multistep"]
    with pytest.raises(BackendError, match="no sampler that hordes know"):
        a_backend(program).offer()


def test_loras_are_offered_when_the_owner_wants_that(program):
    assert a_backend(program, loras=False).offer().lora is False
    assert not program.calls("GET", "/object_info/LoraLoader")


def test_the_answer_is_remembered_for_half_a_minute(program):
    backend = a_backend(program)
    now = [0.0]
    backend.known.clock = lambda: now[0]
    backend.offer()
    asked = len(program.asked)
    now[0] = 29.0
    backend.offer()
    assert len(program.asked) == asked
    now[0] = 30.0
    backend.offer()
    assert len(program.asked) > asked


def test_the_model_that_was_drawn_with_is_ready(program):
    backend = a_backend(program)
    assert backend.offer().ready == set()
    backend.make(a_drawing(model="juggernaut"), ignore)
    assert backend.offer().ready == {"juggernaut"}


def test_without_an_answer_it_says_how_to_mend_that(program):
    backend = a_backend(program)
    program.stop()
    words = f"ComfyUI does not answer at {program.url}; start it, or set .backends.comfyui. url."
    with pytest.raises(BackendError, match=words):
        backend.offer()
    program.start()
    assert backend.offer().models


def test_something_else_at_the_address_is_said(program):
    program.overrides["GET /object_info/CheckpointLoaderSimple"] = lambda call: Reply(b"<html>")
    with pytest.raises(BackendError, match="is no ComfyUI"):
        a_backend(program).offer()


def test_without_a_model_it_says_where_they_belong():
    with ComfyUI(checkpoints=()) as program, pytest.raises(BackendError, match="models/checkp"):
        a_backend(program).offer()


def test_it_is_found_at_its_usual_address(program, monkeypatch):
    monkeypatch.setattr("ordu.worker.backends.comfyui.ADDRESS", program.url)
    (found,) = ComfyUIBackend.find()
    assert (found.words, found.rank) == (f"ComfyUI at {program.url}, 2 models", 60)
    program.kinds["CheckpointLoaderSimple"].inputs["ckpt_name"] = ["dream.safetensors"]
    assert ComfyUIBackend.find()[0].words.endswith(", 1 model")
    program.kinds["CheckpointLoaderSimple"].inputs["ckpt_name"] = []
    assert ComfyUIBackend.find() == ()
    program.stop()
    assert ComfyUIBackend.find() == ()


def test_several_addresses_are_several_devices(program):
    with ComfyUI(checkpoints=("other.ckpt",)) as second:
        settings = ComfyUISettings(url=(program.url, second.url + "/", second.url))
        devices = ComfyUIBackend.devices(settings)
        assert devices == (program.url, second.url)
        first, other = (ComfyUIBackend(settings, device) for device in devices)
        assert (first.offer().models, other.offer().models) == (("dream", "juggernaut"), ("other",))
        other.queue.poll_s = 0.01
        other.make(a_drawing(model="other"), ignore)
        assert second.calls("POST", "/prompt")
        assert not program.calls("POST", "/prompt")
        for backend in (first, other):
            backend.close()


def test_it_is_found_by_its_name():
    assert load("comfyui") is ComfyUIBackend
    with pytest.raises(BackendError, match=r"set \[backends.comfyui\] url"):
        ComfyUIBackend.devices(ComfyUISettings(url=()))


# -- settings ----------------------------------------------------------------------------------


def test_settings_are_read_from_text():
    text = "http://127.0.0.1:8188,http://attic:8188/comfy"
    values = read(ComfyUISettings, {"url": text, "loras": "on"}, {}, backend="comfyui").values
    assert values.url == ("http://127.0.0.1:8188", "http://attic:8188/comfy")
    assert values.loras is True


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("url", "127.0.0.1:8188", "addresses such as"),
        ("url", "http://me:secret-word@attic:8188", "addresses such as"),
        ("url", "http://attic:port", "addresses such as"),
        ("url", "http://attic/?a=b", "addresses such as"),
        ("url", "ws://attic", "addresses such as"),
        ("censor", "perhaps", "one of"),
        ("timeout_s", "0", "a number from 1"),
        ("max_pixels", "7", "a whole number from 4096"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(name, value, words):
    with pytest.raises(SettingError, match=words) as refusal:
        read(ComfyUISettings, {name: value}, {}, backend="comfyui")
    assert "secret-word" not in str(refusal.value)


# -- drawing -----------------------------------------------------------------------------------


def test_a_picture_is_drawn(program):
    shares: list[float] = []
    data = a_backend(program).make(a_drawing(width=640, height=448), shares.append).data
    assert Image.open(io.BytesIO(data)).size == (640, 448)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert nodes(program, "CheckpointLoaderSimple") == [{"ckpt_name": "dream.safetensors"}]
    assert [each["text"] for each in nodes(program, "CLIPTextEncode")] == ["a fox", ""]
    (sampling,) = nodes(program, "KSampler")
    values = {"seed": 7, "steps": 4, "cfg": 5.0, "denoise": 1.0}
    values |= {"sampler_name": "euler_ancestral", "scheduler": "karras"}
    assert sampling.items() >= values.items()


def test_nothing_of_the_job_stays_in_the_history(program):
    make(program)
    assert program.history == {}
    assert nodes(program, "SaveImage") == []


def test_the_same_drawing_gives_the_same_picture_and_another_seed_another(program):
    assert make(program).tobytes() == make(program).tobytes()
    assert make(program).tobytes() != make(program, seed=8).tobytes()


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_every_sampler_that_is_offered_is_taken(program, sampler):
    make(program, sampler=sampler)
    assert nodes(program, "KSampler")[0]["sampler_name"] == SAMPLERS[sampler]


@pytest.mark.parametrize(
    ("change", "kind", "inputs"),
    [
        pytest.param(
            {"negative_prompt": "rain"}, "CLIPTextEncode", {"text": "rain"}, id="negative"
        ),
        pytest.param({"cfg_scale": 7.5}, "KSampler", {"cfg": 7.5}, id="scale"),
        pytest.param({"cfg_scale": -3.0}, "KSampler", {"cfg": 0.0}, id="scale below what it takes"),
        pytest.param({"karras": False}, "KSampler", {"scheduler": "normal"}, id="no karras"),
        pytest.param({"sampler": "DDIM"}, "KSampler", {"scheduler": "normal"}, id="DDIM has none"),
        pytest.param({"seed": 2**32 - 1}, "KSampler", {"seed": 2**32 - 1}, id="largest seed"),
        pytest.param(
            {"clip_skip": 2}, "CLIPSetLastLayer", {"stop_at_clip_layer": -2}, id="clip skip"
        ),
        pytest.param(
            {"model": "juggernaut"},
            "CheckpointLoaderSimple",
            {"ckpt_name": "xl/juggernaut.safetensors"},
            id="a model in a folder",
        ),
    ],
)
def test_what_a_job_says_arrives(program, change, kind, inputs):
    make(program, **change)
    assert nodes(program, kind)[-1].items() >= inputs.items()


def test_loras_are_put_in_one_after_the_other(program):
    loras = (Lora(name="ink", model=0.5, clip=0.25), Lora(name="moon light.safetensors"))
    make(program, loras=loras)
    first, second = nodes(program, "LoraLoader")
    assert (first["lora_name"], second["lora_name"]) == (
        "ink.safetensors",
        "sub\\Moon Light.safetensors",
    )
    assert (first["strength_model"], first["strength_clip"]) == (0.5, 0.25)
    graph = graph_sent(program)
    (loader,) = (name for name, node in graph.items() if node["inputs"] is not None
                 and node["inputs"].get("lora_name") == second["lora_name"])  # fmt: skip
    assert nodes(program, "KSampler")[0]["model"] == [loader, 0]
    assert {tuple(each["clip"]) for each in nodes(program, "CLIPTextEncode")} == {(loader, 1)}


@pytest.mark.parametrize(
    ("size", "small"),
    [
        pytest.param((1024, 1024), (512, 512), id="square"),
        pytest.param((1536, 768), (1024, 512), id="the shorter side is not below 512"),
        pytest.param((2048, 1536), (1024, 768), id="half at most"),
        pytest.param((512, 1024), None, id="small enough at once"),
    ],
)
def test_hires_fix_draws_small_first(program, size, small):
    width, height = size
    picture = make(
        program, width=width, height=height, hires_fix=True, hires_fix_denoising_strength=0.4
    )
    assert picture.size == size
    (latent,) = nodes(program, "EmptyLatentImage")
    assert (latent["width"], latent["height"]) == (small or size)
    strengths = [each["denoise"] for each in nodes(program, "KSampler")]
    assert strengths == ([1.0, 0.4] if small else [1.0])


# -- from a source image -----------------------------------------------------------------------


def test_a_picture_is_drawn_from_another(program):
    kept = make(program, source_image=a_picture(), denoising_strength=0.0)
    assert (kept.size, kept.getpixel((5, 5))) == ((512, 512), RED)
    assert make(program, source_image=a_picture(), denoising_strength=0.6).getpixel((5, 5)) != RED
    assert nodes(program, "KSampler")[0]["denoise"] == 0.6


def a_mask() -> bytes:
    """The left half is to be painted anew."""
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 32, 64))
    return png(mask)


def test_inpainting_paints_where_the_mask_is_white(program):
    picture = make(
        program,
        source_image=a_picture(),
        source_mask=a_mask(),
        source_processing="inpainting",
        denoising_strength=0.8,
    )
    assert picture.getpixel((480, 200)) == RED
    assert picture.getpixel((30, 200)) != RED
    assert nodes(program, "SetLatentNoiseMask")
    assert nodes(program, "KSampler")[0]["denoise"] == 0.8


def test_outpainting_paints_what_is_transparent_from_nothing(program):
    image = Image.new("RGBA", (64, 64), (*RED, 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 64))
    picture = make(program, source_image=png(image), source_processing="outpainting")
    assert picture.getpixel((480, 200)) == RED
    assert picture.getpixel((30, 200)) not in {RED, (255, 255, 255)}
    assert nodes(program, "KSampler")[0]["denoise"] == 1.0
    assert nodes(program, "VAEEncodeForInpaint")


def test_uploads_have_few_names(program):
    backend = a_backend(program)
    for _ in range(3):
        backend.make(
            a_drawing(
                source_image=a_picture(), source_mask=a_mask(), source_processing="inpainting"
            ),
            ignore,
        )
    folders = [folder for kind, folder, _ in program.files if kind == "input"]
    assert folders == ["ordu", "ordu"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"source_image": b"text"}, "source image cannot be read", id="no picture"),
        pytest.param(
            {"source_image": a_picture(), "source_processing": "inpainting"},
            "There is no mask",
            id="no mask",
        ),
        pytest.param(
            {"source_image": a_picture(), "source_processing": "remix"}, "remix", id="remix"
        ),
    ],
)
def test_a_source_that_cannot_be_used_is_refused_before_anything_is_sent(program, change, words):
    with pytest.raises(BackendError, match=words):
        make(program, **change)
    assert not program.calls("POST", "/prompt")
    assert not program.calls("POST", "/upload/image")


def test_two_jobs_at_once_do_not_share_their_source_images(program):
    backend = a_backend(program)
    program.hold()
    red, blue = (
        a_drawing(source_image=a_picture(colour), denoising_strength=0.0)
        for colour in (RED, (10, 10, 200))
    )
    jobs = [in_background(lambda d=d: backend.make(d, ignore), "test") for d in (red, blue)]
    program.wait_until(lambda: program.running is not None and len(program.pending) == 1)
    program.hold(is_held=False)
    drawn = [Image.open(io.BytesIO(job.result(20).data)).convert("RGB") for job in jobs]
    assert [each.getpixel((5, 5)) for each in drawn] == [RED, (10, 10, 200)]


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"control_type": "canny"}, "ControlNet, which was not offered", id="control"),
        pytest.param({"return_control_map": True}, "control map", id="control map"),
        pytest.param({"tis": (TextualInversion(name="x"),)}, "textual inversions", id="embedding"),
        pytest.param({"width": 500}, "multiple of 8", id="size"),
        pytest.param({"model": "other"}, "no model other", id="model"),
        pytest.param({"sampler": "PLMS"}, "no sampler PLMS", id="sampler"),
        pytest.param({"loras": (Lora(name="x"),)}, "LoRA x is not in the folder", id="LoRA"),
        pytest.param({"censor_nsfw": True}, "censor = ignore", id="censoring"),
    ],
)
def test_what_it_cannot_do_is_refused(program, change, words):
    with pytest.raises(BackendError, match=words):
        make(program, **change)
    assert not program.calls("POST", "/prompt")


def test_the_owner_may_ignore_the_wish_to_censor(program):
    make(program, {"censor": "ignore"}, censor_nsfw=True)


def test_loras_are_refused_when_they_are_switched_off(program):
    with pytest.raises(BackendError, match="LoRAs, which was not offered"):
        make(program, {"loras": False}, loras=(Lora(name="ink"),))


# -- the queue ---------------------------------------------------------------------------------


def test_a_job_cancelled_while_it_runs_is_interrupted(program):
    program.hold()
    with pytest.raises(Cancelled):
        a_backend(program).make(a_drawing(), cancelling(lambda: program.running is not None))
    program.wait_until(lambda: program.running is None)
    (entry,) = program.history.values()
    assert entry["status"]["messages"][-1][0] == "execution_interrupted"


@pytest.mark.parametrize("is_old", [False, True], ids=["new ComfyUI", "old ComfyUI"])
def test_a_job_cancelled_while_it_waits_is_deleted_and_the_owners_goes_on(program, is_old):
    program.is_old = is_old
    program.hold()
    owners = program.add_of_owner()
    program.wait_until(lambda: program.running is not None)
    with pytest.raises(Cancelled):
        a_backend(program).make(a_drawing(), cancelling(lambda: bool(program.pending)))
    assert program.pending == []
    assert not program.calls("POST", "/interrupt")
    program.hold(is_held=False)
    program.wait_until(lambda: owners in program.history)
    assert program.history[owners]["status"]["completed"] is True


def test_a_job_waits_for_the_owners(program):
    program.hold()
    program.add_of_owner()
    program.wait_until(lambda: program.running is not None)
    shares = []

    def progress(share: float) -> None:
        shares.append(share)
        if program.pending:
            program.hold(is_held=False)

    assert a_backend(program).make(a_drawing(), progress).data
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("hires_fix", "share"), [(False, 0.475), (True, 0.475)], ids=["one pass", "two passes"]
)
def test_how_far_it_is_comes_from_comfyui(program, hires_fix, share):
    program.hold()
    shares = []

    def progress(done: float) -> None:
        shares.append(done)
        if done == pytest.approx(share):
            program.hold(is_held=False)

    drawing = a_drawing(hires_fix=hires_fix, width=1024, height=1024)
    a_backend(program).make(drawing, progress)
    assert share in shares
    assert shares == sorted(shares)


def test_without_a_websocket_pictures_are_drawn_all_the_same(program):
    program.has_sockets = False
    program.hold()
    shares = []

    def progress(done: float) -> None:
        shares.append(done)
        program.hold(is_held=len(shares) < 5)

    assert a_backend(program).make(a_drawing(), progress).data
    assert set(shares[:-1]) == {0.0}


def test_a_picture_that_takes_too_long_is_interrupted(program):
    backend = a_backend(program, timeout_s=60.0)
    now = [0.0]
    backend.queue.clock = lambda: now[0]
    program.hold()

    def progress(share: float) -> None:
        now[0] += 50.0 * (program.running is not None)

    with pytest.raises(BackendError, match="longer than 60 s"):
        backend.make(a_drawing(), progress)
    program.wait_until(lambda: program.running is None)


def test_a_program_that_dies_is_said_and_nothing_is_offered_until_it_is_back(program):
    backend = a_backend(program)
    backend.offer()
    program.hold()

    def progress(share: float) -> None:
        if program.running is not None:
            program.stop()

    with pytest.raises(BackendError, match="does not answer"):
        backend.make(a_drawing(), progress)
    with pytest.raises(BackendError, match="does not answer"):
        backend.offer()
    program.hold(is_held=False)
    program.restart()
    program.start()
    assert backend.offer().models
    assert backend.make(a_drawing(), ignore).data


def test_a_restart_in_the_middle_is_said(program):
    program.hold()

    def progress(share: float) -> None:
        if program.running is not None:
            program.restart()

    with pytest.raises(BackendError, match="lost the picture: it was restarted"):
        a_backend(program).make(a_drawing(), progress)


def test_an_interrupt_by_its_owner_is_said(program):
    program.hold()

    def progress(share: float) -> None:
        if program.running is not None:
            program.running.is_interrupted = True
            program.hold()

    with pytest.raises(BackendError, match="Somebody interrupted"):
        a_backend(program).make(a_drawing(), progress)


@pytest.mark.parametrize(
    ("kind", "words", "error"),
    [
        ("torch.OutOfMemoryError", "Allocation on device", OutOfMemoryError),
        ("torch.cuda.OutOfMemoryError", "Allocation on device 0 would exceed", OutOfMemoryError),
        ("RuntimeError", "MPS backend out of memory (MPS allocated: 8 GB)", OutOfMemoryError),
        ("RuntimeError", "[enforce fail] not enough memory: you tried", OutOfMemoryError),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied", BackendError),
    ],
)
def test_what_comfyui_says_of_a_failure_becomes_the_error(program, kind, words, error):
    program.fails_with = (kind, words)
    with pytest.raises(BackendError, match="ComfyUI failed at KSampler") as raised:
        make(program)
    assert type(raised.value) is error
    assert kind in str(raised.value)


def test_a_graph_that_comfyui_refuses_is_said_in_its_words(program):
    backend = a_backend(program)
    backend.offer()
    program.kinds["KSampler"].inputs["sampler_name"] = ["euler"]
    program.kinds["KSampler"].inputs["scheduler"] = ["normal"]
    with pytest.raises(BackendError, match=r"KSampler: Value not in list .*euler_ancestral"):
        backend.make(a_drawing(), ignore)
    assert backend.offer().samplers == ("k_euler",)  # asked for anew


def test_a_node_that_is_not_there_is_said(program):
    del program.kinds["CLIPSetLastLayer"]
    with pytest.raises(BackendError, match="Node 'CLIPSetLastLayer' not found"):
        make(program, clip_skip=2)


def html(call: Call) -> Reply:
    return Reply(b"<html>Bad gateway", 502)


def test_answers_that_are_none_are_said(program):
    backend = a_backend(program)
    program.overrides["POST /prompt"] = html
    with pytest.raises(BackendError, match="answers /prompt with 502: <html>Bad gateway"):
        backend.make(a_drawing(), ignore)
    program.overrides["POST /prompt"] = lambda call: Reply(b"what?", 400)
    with pytest.raises(BackendError, match="cannot run the graph: what"):
        backend.make(a_drawing(), ignore)
    program.overrides["POST /prompt"] = lambda call: Reply({"error": "no", "node_errors": []}, 400)
    with pytest.raises(BackendError, match="cannot run the graph: no"):
        backend.make(a_drawing(), ignore)
    program.overrides["POST /prompt"] = lambda call: Reply({}, 401)
    with pytest.raises(BackendError, match=r"does not let this worker in \(401\)"):
        backend.make(a_drawing(), ignore)


def test_a_graph_without_a_picture_is_said(program):
    program.overrides["GET /view"] = html
    with pytest.raises(BackendError, match="answers /view with 502"):
        make(program)


# -- a workflow of the owner's own -------------------------------------------------------------


def a_workflow(**changes: Any) -> dict[str, Any]:
    """A graph as ComfyUI exports it, with placeholders."""
    sampling = {
        "model": ["1", 0],
        "positive": ["2", 0],
        "negative": ["3", 0],
        "latent_image": ["4", 0],
        "seed": "{seed}",
        "steps": "{steps}",
        "cfg": "{cfg_scale}",
        "sampler_name": "{sampler}",
        "scheduler": "{scheduler}",
        "denoise": "{denoising_strength}",
    }
    kinds = {
        "1": ("CheckpointLoaderSimple", {"ckpt_name": "{model}"}),
        "2": ("CLIPTextEncode", {"text": "{prompt}, in {red|green} ink", "clip": ["1", 1]}),
        "3": ("CLIPTextEncode", {"text": "{negative_prompt}", "clip": ["1", 1]}),
        "4": ("EmptyLatentImage", {"width": "{width}", "height": "{height}", "batch_size": 1}),
        "5": ("KSampler", sampling),
        "6": ("VAEDecode", {"samples": ["5", 0], "vae": ["1", 2]}),
        "7": ("SaveImage", {"images": ["6", 0], "filename_prefix": "horde-{seed}"}),
    }
    graph = {
        name: {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}
        for name, (kind, inputs) in kinds.items()
    }
    for path, value in changes.items():
        name, _, key = path.partition("_")
        graph[name.removeprefix("n")]["inputs"][key] = value
    return graph


Workflow = Callable[..., str]


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    def written(content: Any = None, **changes: Any) -> str:
        path = tmp_path / "ink drawing.json"
        path.write_text(json.dumps(content or a_workflow(**changes)), encoding="utf-8")
        return str(path)

    return written


def test_a_workflow_is_filled_in(program, workflow):
    drawing = {"prompt": "a {seed} fox", "width": 256, "cfg_scale": 6.5}
    assert make(program, {"workflow": workflow()}, **drawing).size == (256, 512)
    sent = {node["class_type"]: node["inputs"] for node in graph_sent(program).values()}
    assert nodes(program, "CLIPTextEncode")[0]["text"] == "a {seed} fox, in {red|green} ink"
    assert sent["SaveImage"]["filename_prefix"] == "horde-7"
    assert sent["KSampler"]["cfg"] == 6.5
    assert sent["CheckpointLoaderSimple"] == {"ckpt_name": "dream.safetensors"}


def test_the_workflow_in_the_documentation_draws(program, workflow):
    page = Path(__file__).parents[3] / "docs" / "reference" / "backends" / "comfyui.md"
    text = page.read_text(encoding="utf-8").partition("```json")[2].partition("```")[0]
    assert make(program, {"workflow": workflow(json.loads(text))}, width=256).size == (256, 512)
    assert all(f"{{{name}}}" in page.read_text(encoding="utf-8") for name in PLACEHOLDERS)


def test_of_several_pictures_of_a_workflow_the_one_that_is_saved_is_sent(program, workflow):
    graph = {"0": {"class_type": "LoadImage", "inputs": {"image": "{source_image}"}}}
    graph["00"] = {"class_type": "PreviewImage", "inputs": {"images": ["0", 0]}}
    path = workflow({**graph, **a_workflow()})
    picture = make(program, {"workflow": path}, source_image=a_picture())
    assert picture.getpixel((5, 5)) != RED
    assert {kind for kind, _, _ in program.files} == {"input", "temp", "output"}


def test_a_workflow_says_what_is_offered(program, workflow):
    offer = a_backend(program, workflow=workflow()).offer()
    assert offer.models == ("dream", "juggernaut")
    assert set(offer.samplers) == set(SAMPLERS)
    assert (offer.karras, offer.img2img, offer.inpainting, offer.lora) == (
        True,
        False,
        False,
        False,
    )
    assert offer.features == frozenset()


def test_a_workflow_with_things_of_its_own_is_a_model_itself(program, workflow):
    own = {
        "n1_ckpt_name": "dream.safetensors",
        "n5_sampler_name": "euler",
        "n5_scheduler": "simple",
    }
    path = workflow(**own)
    offer = a_backend(program, workflow=path).offer()
    assert (offer.models, offer.samplers) == (("ink drawing",), ())
    make(program, {"workflow": path}, model="ink drawing", sampler="PLMS")
    assert nodes(program, "KSampler")[0]["sampler_name"] == "euler"


def test_a_workflow_draws_from_pictures(program, workflow):
    graph = a_workflow()
    graph["8"] = {"class_type": "LoadImage", "inputs": {"image": "{source_image}"}}
    mask = {"image": "{source_mask}", "channel": "red"}
    graph["9"] = {"class_type": "LoadImageMask", "inputs": mask}
    skip = {"clip": ["1", 1], "stop_at_clip_layer": "{clip_layer}"}
    graph["10"] = {"class_type": "CLIPSetLastLayer", "inputs": skip}
    graph["11"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["1", 2]}}
    both = {"samples": ["11", 0], "mask": ["9", 0]}
    graph["12"] = {"class_type": "SetLatentNoiseMask", "inputs": both}
    graph["5"]["inputs"]["latent_image"] = ["12", 0]
    path = workflow(graph)
    offer = a_backend(program, workflow=path).offer()
    assert (offer.img2img, offer.inpainting, offer.features) == (True, True, {"clip_skip"})
    source = {"source_image": a_picture(), "source_mask": a_mask()}
    picture = make(program, {"workflow": path}, source_processing="inpainting", **source)
    assert picture.getpixel((480, 200)) == RED
    assert picture.getpixel((30, 200)) != RED
    assert nodes(program, "CLIPSetLastLayer")[0]["stop_at_clip_layer"] == -1
    anew = make(program, {"workflow": path}, denoising_strength=0.1)  # without a source image
    assert nodes(program, "KSampler")[0]["denoise"] == 1.0
    assert anew.getcolors() == [(512 * 512, anew.getpixel((0, 0)))]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param({"nodes": [], "links": []}, r"Workflow > Export \(API\)", id="of the editor"),
        pytest.param([1], r"Workflow > Export \(API\)", id="a list"),
        pytest.param(
            a_workflow(n5_seed=7, n7_filename_prefix="x"), "says {seed} nowhere", id="no seed"
        ),
        pytest.param(
            a_workflow(n5_seed=7), "{seed} has to be a value of its own", id="seed in a name only"
        ),
        pytest.param(
            a_workflow(n5_seed=7, n2_text="a", n7_filename_prefix="x"),
            "says {prompt} and {seed}",
            id="neither",
        ),
        pytest.param(a_workflow(n5_cfg="{cfg}"), "cfg = {cfg} is unknown; known are", id="unknown"),
        pytest.param(
            a_workflow(n1_ckpt_name="{model}.safetensors"), "value of its own", id="inside a text"
        ),
        pytest.param(
            a_workflow(n7_filename_prefix="{source_mask}"), "{source_image} nowhere", id="mask only"
        ),
    ],
)
def test_a_workflow_that_cannot_be_used_is_refused_at_the_start(workflow, content, words):
    with pytest.raises(BackendError, match=words) as raised:
        ComfyUIBackend(ComfyUISettings(workflow=workflow(content)))
    assert str(raised.value).startswith("In [backends.comfyui] workflow: ")


def test_a_workflow_that_cannot_be_read_is_refused(tmp_path):
    for path, words in ((tmp_path / "none.json", "No such file"), (tmp_path, "s a directory")):
        with pytest.raises(BackendError, match=words):
            ComfyUIBackend(ComfyUISettings(workflow=str(path)))
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (4 * 1024 * 1024 + 1))
    with pytest.raises(BackendError, match="more than 4 MiB"):
        ComfyUIBackend(ComfyUISettings(workflow=str(large)))
