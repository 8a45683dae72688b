"""The backend `automatic1111` against a web UI that checks what it is sent and behaves in time."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from tests.programs.automatic1111 import Automatic1111
from tests.programs.serving import Reply, picture_in, png

from ordu.protocol.automatic1111 import SAMPLERS
from ordu.protocol.params import WITHOUT_KARRAS, Lora, TextualInversion
from ordu.settings import read
from ordu.worker.backends import BackendError, Cancelled, Drawing, OutOfMemoryError, load
from ordu.worker.backends.automatic1111 import Automatic1111Backend, Automatic1111Settings
from ordu.worker.backends.automatic1111.names import upscalers
from ordu.worker.backends.programs import in_background

RED = (200, 10, 10)
TXT2IMG = "/sdapi/v1/txt2img"
IMG2IMG = "/sdapi/v1/img2img"
EXTRAS = "/sdapi/v1/extra-single-image"


@pytest.fixture
def program() -> Iterator[Automatic1111]:
    with Automatic1111() as program:
        yield program


@pytest.fixture
def old() -> Iterator[Automatic1111]:
    """One that has no noise schedules apart and knows no ids of tasks."""
    with Automatic1111(is_old=True) as program:
        yield program


def a_backend(program: Automatic1111, **settings: Any) -> Automatic1111Backend:
    given = Automatic1111Settings(**{"url": (program.url,), "loras": True, **settings})
    backend = Automatic1111Backend(given, program.url)
    backend.tasks.poll_s = 0.01
    return backend


def a_drawing(**changes: Any) -> Drawing:
    return Drawing(**{"prompt": "a fox", "model": "dream", "steps": 4, "seed": 7, **changes})


def a_picture(colour: Any = RED, size: tuple[int, int] = (64, 64)) -> bytes:
    return png(Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour))


def make(program: Automatic1111, settings: Any = None, **changes: Any) -> Image.Image:
    data = a_backend(program, **(settings or {})).make(a_drawing(**changes), ignore).data
    return Image.open(io.BytesIO(data)).convert("RGB")


def ignore(share: float) -> None:
    """Nobody looks."""


def sent(program: Automatic1111, path: str = TXT2IMG) -> dict[str, Any]:
    body: dict[str, Any] = program.calls("POST", path)[-1].body
    return body


def cancelling(is_time: Callable[[], bool]) -> Callable[[float], None]:
    def progress(share: float) -> None:
        if is_time():
            raise Cancelled

    return progress


# -- what is offered ---------------------------------------------------------------------------


def test_it_offers_what_the_program_has(program):
    offer = a_backend(program).offer()
    assert offer.models == ("dream", "juggernaut")
    assert set(offer.samplers) == set(SAMPLERS)
    assert (offer.karras, offer.img2img, offer.inpainting, offer.lora) == (True, True, True, True)
    assert offer.features == {"tiling", "hires_fix", "clip_skip"}
    assert offer.ready == {"dream"}
    assert offer.post_processing == (
        *("GFPGAN", "CodeFormers", "RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B"),
        "4x_AnimeSharp",
    )


def test_old_versions_have_the_schedule_in_the_samplers_name(old):
    offer = a_backend(old).offer()
    assert offer.karras is False
    assert {each for each in offer.features if "karras" in each} == {
        "sampler:k_dpmpp_2m+karras",
        "sampler:k_lms+karras",
    }
    make(old, sampler="k_dpmpp_2m")
    assert (sent(old)["sampler_name"], sent(old).get("scheduler")) == ("DPM++ 2M Karras", None)
    make(old, sampler="k_dpmpp_2m", karras=False)
    assert sent(old)["sampler_name"] == "DPM++ 2M"
    make(old, sampler="k_heun")
    assert sent(old)["sampler_name"] == "Heun"


def test_a_sampler_of_another_name_is_known_by_its_alias(program):
    listed = [{"name": "Euler ancestral", "aliases": ["k_euler_a"]}, {"name": "UniPC"}]
    program.overrides["GET /sdapi/v1/samplers"] = lambda call: Reply(listed)
    assert a_backend(program).offer().samplers == ("k_euler_a",)


def test_without_a_sampler_that_hordes_know_nothing_is_offered(program):
    program.overrides["GET /sdapi/v1/samplers"] = lambda call: Reply([{"name": "UniPC"}])
    with pytest.raises(BackendError, match="no sampler that hordes know"):
        a_backend(program).offer()


def test_upscalers_are_known_by_their_files_names():
    listed = ["4x_NMKD-Siax_200k", "4xNomos8kSC", "2xModernSpanimationV1", "R-ESRGAN 2x+", "None"]
    found = {ours: (each.name, each.factor) for ours, each in upscalers(listed).items()}
    assert found == {
        "RealESRGAN_x2plus": ("R-ESRGAN 2x+", 2),
        "NMKD_Siax": ("4x_NMKD-Siax_200k", 4),
        "4xNomos8kSC": ("4xNomos8kSC", 4),
        "2xModernSpanimationV1": ("2xModernSpanimationV1", 2),
    }


def test_programs_with_less_are_offered_for_less(program):
    for name in ("schedulers", "upscalers", "face-restorers", "options", "loras"):
        program.overrides[f"GET /sdapi/v1/{name}"] = lambda call: Reply({"detail": "?"}, 404)
    offer = a_backend(program).offer()
    assert (offer.karras, offer.post_processing, offer.ready) == (False, (), frozenset())
    program.overrides["GET /sdapi/v1/schedulers"] = lambda call: Reply({"in": "another form"})
    assert a_backend(program).offer().karras is False


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


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(Reply({"detail": "Not Found"}, 404), "start it with --api", id="no API"),
        pytest.param(Reply(b"<html>"), "is no AUTOMATIC1111", id="something else"),
        pytest.param(Reply([]), "has no model", id="no model"),
        pytest.param(Reply(b"", 500), "with 500: without a word", id="broken"),
    ],
)
def test_why_nothing_is_offered(program, answer, words):
    program.overrides["GET /sdapi/v1/sd-models"] = lambda call: answer
    with pytest.raises(BackendError, match=words):
        a_backend(program).offer()


def test_without_an_answer_it_says_how_to_mend_that(program):
    backend = a_backend(program)
    program.stop()
    words = f"AUTOMATIC1111 does not answer at {program.url}; start it, or set"
    with pytest.raises(BackendError, match=words):
        backend.offer()
    program.start()
    assert backend.offer().models


def test_it_is_found_at_its_usual_address(program, monkeypatch):
    monkeypatch.setattr("ordu.worker.backends.automatic1111.ADDRESS", program.url)
    (found,) = Automatic1111Backend.find()
    assert (found.words, found.rank) == (f"AUTOMATIC1111 at {program.url}, 2 models", 60)
    title = next(iter(program.titles))
    program.titles = {title: program.titles[title]}
    assert Automatic1111Backend.find()[0].words.endswith(", 1 model")
    program.titles = {}
    assert Automatic1111Backend.find() == ()
    program.stop()
    assert Automatic1111Backend.find() == ()


def test_several_addresses_are_several_devices(program):
    with Automatic1111(checkpoints=("other.ckpt",)) as second:
        settings = Automatic1111Settings(url=(program.url, second.url))
        devices = Automatic1111Backend.devices(settings)
        first, other = (Automatic1111Backend(settings, device) for device in devices)
        assert (first.offer().models, other.offer().models) == (("dream", "juggernaut"), ("other",))
        other.make(a_drawing(model="other"), ignore)
        assert second.calls("POST", TXT2IMG)
        assert not program.calls("POST", TXT2IMG)
        for backend in (first, other):
            backend.close()


def test_it_is_found_by_its_name():
    assert load("automatic1111") is Automatic1111Backend
    with pytest.raises(BackendError, match=r"set \[backends.automatic1111\] url"):
        Automatic1111Backend.devices(Automatic1111Settings(url=()))


# -- who may ask -------------------------------------------------------------------------------

PASSWORD = "open-sesame"


def test_a_program_with_a_password_is_asked_with_it():
    with Automatic1111(login=("ada", PASSWORD)) as program:
        assert a_backend(program, user="ada", password=PASSWORD).offer().models
        make(program, {"user": "ada", "password": PASSWORD})


def test_a_wrong_password_is_said_and_shown_nowhere():
    with Automatic1111(login=("ada", "another")) as program:
        backend = a_backend(program, user="ada", password=PASSWORD)
        with pytest.raises(BackendError, match=r"password, set them in \[backends") as raised:
            backend.offer()
        assert PASSWORD not in f"{raised.value!r} {raised.value} {raised.value.__cause__!r}"
        assert PASSWORD not in repr(backend.settings)
        assert "password=(set)" in repr(backend.settings)


def test_settings_are_read_from_the_environment():
    environ = {"ORDU_AUTOMATIC1111_USER": "ada", "ORDU_AUTOMATIC1111_PASSWORD": PASSWORD}
    reading = read(Automatic1111Settings, {}, environ, backend="automatic1111")
    assert (reading.values.user, reading.values.password) == ("ada", PASSWORD)
    assert PASSWORD not in repr(reading)


# -- drawing -----------------------------------------------------------------------------------


def test_a_picture_is_drawn(program):
    shares: list[float] = []
    data = a_backend(program).make(a_drawing(width=640, height=448), shares.append).data
    assert Image.open(io.BytesIO(data)).size == (640, 448)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    values = {"prompt": "a fox", "negative_prompt": "", "seed": 7, "steps": 4, "cfg_scale": 5.0}
    values |= {"sampler_name": "Euler a", "scheduler": "Karras", "tiling": False}
    values |= {"save_images": False, "override_settings_restore_afterwards": False}
    assert sent(program).items() >= values.items()
    assert sent(program)["override_settings"] == {
        "sd_model_checkpoint": next(iter(program.titles)),
        "CLIP_stop_at_last_layers": 1,
    }


@pytest.mark.parametrize("karras", [False, True], ids=["plain", "karras"])
@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_every_sampler_that_is_offered_is_taken(program, sampler, karras):
    make(program, sampler=sampler, karras=karras)
    schedule = "Karras" if karras else "Uniform"  # Automatic is that of Karras for some
    schedule = "Automatic" if sampler in WITHOUT_KARRAS else schedule
    assert sent(program)["sampler_name"] == SAMPLERS[sampler]
    assert sent(program)["scheduler"] == schedule


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        pytest.param({"negative_prompt": "rain"}, {"negative_prompt": "rain"}, id="negative"),
        pytest.param({"cfg_scale": 7.5}, {"cfg_scale": 7.5}, id="scale"),
        pytest.param({"seed": 2**32 - 1}, {"seed": 2**32 - 1}, id="largest seed"),
        pytest.param({"tiling": True}, {"tiling": True}, id="tiling"),
        pytest.param(
            {"loras": (Lora(name="ink", model=0.5, clip=0.5), Lora(name="moon light", clip=0.2))},
            {"prompt": "a fox <lora:ink:0.5> <lora:Moon Light:0.2:1>"},
            id="LoRAs",
        ),
        pytest.param(
            {"prompt": "a <lora:ink:9>fox <3", "negative_prompt": "<hypernet:x:1>rain"},
            {"prompt": "a fox <3", "negative_prompt": "rain"},
            id="no LoRAs by the prompt",
        ),
        pytest.param(
            {"hires_fix": True, "width": 1024, "height": 1024, "hires_fix_denoising_strength": 0.4},
            {"width": 512, "height": 512, "enable_hr": True, "hr_resize_x": 1024}
            | {"hr_resize_y": 1024, "denoising_strength": 0.4, "hr_upscaler": "Latent"},
            id="hires fix",
        ),
        pytest.param({"hires_fix": True}, {"width": 512, "height": 512}, id="small at once"),
    ],
)
def test_what_a_job_says_arrives(program, change, fields):
    picture = make(program, **change)
    assert sent(program).items() >= fields.items()
    assert picture.size == (change.get("width", 512), change.get("height", 512))


def test_model_and_clip_skip_are_settings_of_the_job(program):
    make(program, model="juggernaut", clip_skip=2)
    assert sent(program)["override_settings"] == {
        "sd_model_checkpoint": list(program.titles)[1],
        "CLIP_stop_at_last_layers": 2,
    }
    assert a_backend(program).offer().ready == {"juggernaut"}


# -- from a source image -----------------------------------------------------------------------


def test_a_picture_is_drawn_from_another(program):
    kept = make(program, source_image=a_picture(), denoising_strength=0.0)
    assert (kept.size, kept.getpixel((5, 5))) == ((512, 512), RED)
    assert make(program, source_image=a_picture(), denoising_strength=0.6).getpixel((5, 5)) != RED
    body = sent(program, IMG2IMG)
    assert body["denoising_strength"] == 0.6
    assert picture_in(body["init_images"][0]).size == (512, 512)
    assert "mask" not in body


def a_mask() -> bytes:
    """The left half is to be painted anew."""
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 32, 64))
    return png(mask)


def test_inpainting_paints_where_the_mask_is_white(program):
    source = {"source_image": a_picture(), "source_mask": a_mask()}
    picture = make(program, source_processing="inpainting", denoising_strength=0.8, **source)
    assert picture.getpixel((480, 200)) == RED
    assert picture.getpixel((30, 200)) != RED
    fields = {"inpainting_fill": 1, "denoising_strength": 0.8, "inpainting_mask_invert": 0}
    assert sent(program, IMG2IMG).items() >= fields.items()


def test_outpainting_paints_what_is_transparent_from_nothing(program):
    image = Image.new("RGBA", (64, 64), (*RED, 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 64))
    picture = make(program, source_image=png(image), source_processing="outpainting")
    assert picture.getpixel((480, 200)) == RED
    assert picture.getpixel((30, 200)) not in {RED, (255, 255, 255)}
    fields = {"inpainting_fill": 0, "denoising_strength": 1.0}
    assert sent(program, IMG2IMG).items() >= fields.items()


def test_hires_fix_is_for_pictures_from_nothing(program):
    make(program, source_image=a_picture(), hires_fix=True, width=1024, height=1024)
    assert "enable_hr" not in sent(program, IMG2IMG)


def test_a_source_that_cannot_be_read_is_refused(program):
    with pytest.raises(BackendError, match="source image cannot be read"):
        make(program, source_image=b"text")
    assert not program.calls("POST", IMG2IMG)


# -- after drawing -----------------------------------------------------------------------------


def test_steps_after_drawing_are_done_in_their_order(program):
    shares: list[float] = []
    drawing = a_drawing(
        post_processing=("CodeFormers", "RealESRGAN_x4plus", "GFPGAN"),
        facefixer_strength=0.5,
        width=64,
        height=64,
    )
    data = a_backend(program).make(drawing, shares.append).data
    assert Image.open(io.BytesIO(data)).size == (256, 256)
    assert shares == sorted(shares)
    assert [each for each in shares if 0.9 <= each < 1] == pytest.approx(
        [0.9, 0.9333, 0.9667], abs=1e-3
    )
    first, second, third = (call.body for call in program.calls("POST", EXTRAS))
    assert (first["codeformer_visibility"], first["upscaler_1"]) == (0.5, "None")
    assert (second["upscaler_1"], second["upscaling_resize"]) == ("R-ESRGAN 4x+", 4)
    assert (third["gfpgan_visibility"], third["codeformer_visibility"]) == (0.5, 0)


def test_faces_are_corrected_wholly_when_the_job_does_not_say(program):
    make(program, post_processing=("GFPGAN",))
    assert sent(program, EXTRAS)["gfpgan_visibility"] == 1.0


def test_a_step_that_runs_out_of_memory_is_said(program):
    def fail(call: Any) -> Reply:
        return Reply({"error": "OutOfMemoryError", "detail": "", "errors": ""}, 500)

    program.overrides[f"POST {EXTRAS}"] = fail
    with pytest.raises(OutOfMemoryError):
        make(program, post_processing=("GFPGAN",))
    program.overrides[f"POST {EXTRAS}"] = lambda call: Reply({"html_info": ""})
    with pytest.raises(BackendError, match="answered GFPGAN without a picture"):
        make(program, post_processing=("GFPGAN",))


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"control_type": "canny"}, "ControlNet, which was not offered", id="control"),
        pytest.param({"tis": (TextualInversion(name="x"),)}, "textual inversions", id="embedding"),
        pytest.param({"height": 500}, "multiple of 8", id="size"),
        pytest.param({"model": "other"}, "no model other", id="model"),
        pytest.param({"sampler": "dpmsolver"}, "no sampler dpmsolver", id="sampler"),
        pytest.param({"loras": (Lora(name="x"),)}, "LoRA x is not in the folder", id="LoRA"),
        pytest.param({"censor_nsfw": True}, "censor = ignore", id="censoring"),
        pytest.param({"post_processing": ("strip_background",)}, "no strip_background", id="step"),
    ],
)
def test_what_it_cannot_do_is_refused(program, change, words):
    with pytest.raises(BackendError, match=words):
        make(program, **change)
    assert not program.calls("POST", TXT2IMG)


def test_the_owner_may_ignore_the_wish_to_censor(program):
    make(program, {"censor": "ignore"}, censor_nsfw=True)


# -- while others draw too ---------------------------------------------------------------------


@pytest.mark.parametrize("is_old", [False, True], ids=["by its id", "because it was idle"])
def test_a_job_cancelled_while_it_is_drawn_is_interrupted(is_old):
    with Automatic1111(is_old=is_old) as program:
        program.hold()
        with pytest.raises(Cancelled):
            a_backend(program).make(a_drawing(), cancelling(lambda: bool(program.tasks)))
        program.wait_until(lambda: not program.tasks)
        assert program.last is not None
        assert program.last.is_interrupted


def test_a_job_cancelled_while_it_waits_never_interrupts_the_owners(program):
    owners = program.begin_of_owner()

    def progress(share: float) -> None:
        if len(program.tasks) == 2:
            raise Cancelled

    backend = a_backend(program)
    backend.tasks.clock = iter(range(0, 10**6, 10)).__next__
    with pytest.raises(Cancelled):
        backend.make(a_drawing(), progress)
    assert not owners.is_interrupted
    assert not program.calls("POST", "/sdapi/v1/interrupt")
    program.end(owners)


def test_a_job_cancelled_while_it_waits_is_interrupted_when_its_turn_comes(program):
    owners = program.begin_of_owner()
    program.hold()

    def progress(share: float) -> None:
        if len(program.tasks) == 2:
            program.end(owners)
            raise Cancelled

    with pytest.raises(Cancelled):
        a_backend(program).make(a_drawing(), progress)
    assert not owners.is_interrupted
    assert program.last is not None
    assert program.last.is_interrupted


def test_of_two_jobs_at_once_only_the_one_that_nobody_wants_is_interrupted(program):
    backend = a_backend(program)
    program.hold()
    first = in_background(lambda: backend.make(a_drawing(), ignore), "test")
    program.wait_until(lambda: len(program.tasks) == 1)

    def progress(share: float) -> None:
        if len(program.tasks) == 2:
            program.hold(is_held=False)
            raise Cancelled

    with pytest.raises(Cancelled):
        backend.make(a_drawing(seed=8), progress)
    assert first.result(20).data


def test_where_ids_are_not_known_nothing_is_interrupted_in_doubt(old):
    owners = old.begin_of_owner()
    backend = a_backend(old)
    backend.tasks.clock = iter(range(0, 10**6, 10)).__next__
    with pytest.raises(Cancelled):
        backend.make(a_drawing(), cancelling(lambda: len(old.tasks) == 2))
    assert not old.calls("POST", "/sdapi/v1/interrupt")
    old.end(owners)


@pytest.mark.parametrize("is_old", [False, True], ids=["by its id", "because it was idle"])
def test_how_far_it_is_comes_from_the_program(is_old):
    with Automatic1111(is_old=is_old) as program:
        program.hold()
        shares = []

        def progress(share: float) -> None:
            shares.append(share)
            if share == 0.5:
                program.hold(is_held=False)

        a_backend(program).make(a_drawing(), progress)
        assert 0.5 in shares
        assert shares == sorted(shares)


def test_a_program_that_does_not_say_how_far_it_is_still_draws(program):
    for call in ("GET /sdapi/v1/progress", "POST /internal/progress"):
        program.overrides[call] = lambda call: Reply({"detail": "Not Found"}, 404)
    program.hold()
    seen = []

    def progress(share: float) -> None:
        seen.append(share)
        program.hold(is_held=len(seen) < 4)

    assert a_backend(program).make(a_drawing(), progress).data
    assert set(seen[:-1]) == {0.0}


def test_a_picture_that_takes_too_long_is_interrupted(program):
    backend = a_backend(program, timeout_s=60.0)
    now = [0.0]
    backend.tasks.clock = lambda: now[0]
    program.hold()

    def progress(share: float) -> None:
        now[0] += 50.0 * bool(program.tasks)

    with pytest.raises(BackendError, match="longer than 60 s"):
        backend.make(a_drawing(), progress)
    program.wait_until(lambda: not program.tasks)
    assert program.last is not None
    assert program.last.is_interrupted


def test_an_interrupt_by_its_owner_is_said_and_no_half_picture_is_sent(program):
    program.hold()

    def progress(share: float) -> None:
        with program.changed:
            for task in program.tasks:
                task.is_interrupted = True
            program.changed.notify_all()

    with pytest.raises(BackendError, match="Somebody interrupted"):
        a_backend(program).make(a_drawing(), progress)


# -- failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words", "error"),
    [
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 2 GiB", OutOfMemoryError),
        ("RuntimeError", "MPS backend out of memory", OutOfMemoryError),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied", BackendError),
    ],
)
def test_what_the_program_says_of_a_failure_becomes_the_error(program, kind, words, error):
    program.fails_with = (kind, words)
    with pytest.raises(BackendError, match=f"AUTOMATIC1111 failed: {kind} ") as raised:
        make(program)
    assert type(raised.value) is error


def test_a_program_that_dies_is_said_and_nothing_is_offered_until_it_is_back(program):
    backend = a_backend(program)
    backend.offer()
    program.hold()

    def progress(share: float) -> None:
        if program.tasks:
            program.stop()

    with pytest.raises(BackendError, match="broke off"):
        backend.make(a_drawing(), progress)
    with pytest.raises(BackendError, match="does not answer"):
        backend.offer()
    program.hold(is_held=False)
    program.start()
    assert backend.make(a_drawing(), ignore).data


def test_a_model_that_has_gone_is_said_in_the_programs_words(program):
    backend = a_backend(program)
    backend.offer()
    program.titles = dict(list(program.titles.items())[1:])
    with pytest.raises(BackendError, match="Unknown checkpoint"):
        backend.make(a_drawing(), ignore)
    assert backend.offer().models == ("juggernaut",)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(Reply({"images": []}), "without a picture", id="no picture"),
        pytest.param(Reply({"images": None}), "without a picture", id="none"),
        pytest.param(Reply({"images": ["§"]}), "is no picture", id="no Base64"),
        pytest.param(Reply(b"<html>"), "is no AUTOMATIC1111", id="no JSON"),
        pytest.param(Reply({"detail": [{"loc": ["x"]}]}, 422), "failed: .*loc", id="refused"),
        pytest.param(Reply({"detail": "Sampler not found"}, 404), "Sampler not found", id="404"),
        pytest.param(Reply(b"Bad gateway", 502), "502: Bad gateway", id="a proxy"),
    ],
)
def test_answers_that_are_none_are_said(program, answer, words):
    program.overrides[f"POST {TXT2IMG}"] = lambda call: answer
    with pytest.raises(BackendError, match=words):
        make(program)


def test_a_data_address_before_the_picture_is_read_over(program):
    image = "data:image/png;base64,iVBORw0KGgo="
    program.overrides[f"POST {TXT2IMG}"] = lambda call: Reply({"images": [image]})
    assert a_backend(program).make(a_drawing(), ignore).data == b"\x89PNG\r\n\x1a\n"
