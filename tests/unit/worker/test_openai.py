"""The backend `openai` against a small server of OpenAI's images API that checks what it gets."""

import base64
import io
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops
from tests.programs.openai_images import (
    BLUE,
    DARK,
    KEY,
    RED,
    Answer,
    OpenAIImages,
    a_picture,
    as_png,
    openai_images,
)

from ordu.settings import SettingError, read
from ordu.worker.backends import (
    BackendError,
    Cancelled,
    Drawing,
    OutOfMemoryError,
    installed,
    load,
    openai,
)
from ordu.worker.backends.openai import OpenAIBackend, OpenAISettings, endpoint
from ordu.worker.backends.openai.sizes import (
    Size,
    best_size,
    cut,
    embedded,
    read_size,
    transparent_where,
)

THREE = ("1024x1024", "1536x1024", "1024x1536")


@pytest.fixture
def api() -> Iterator[OpenAIImages]:
    with openai_images() as running:
        yield running


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


def a_backend(api: OpenAIImages, clock: Clock | None = None, **change: Any) -> OpenAIBackend:
    values = {"url": (api.url,), "api_key": KEY, "models": ("gpt-image-1.5",), **change}
    clock = clock or Clock()
    return OpenAIBackend(OpenAISettings(**values), clock=clock, sleep=clock.sleep)


def a_drawing(**change: Any) -> Drawing:
    return Drawing(
        **{"prompt": "a fox", "width": 512, "height": 512, "model": "own-sd", "seed": 7, **change}
    )


def drawn(backend: OpenAIBackend, **change: Any) -> Image.Image:
    picture = backend.make(a_drawing(**change), lambda share: None)
    assert not picture.is_censored
    return Image.open(io.BytesIO(picture.data))


def why_not(backend: OpenAIBackend, **change: Any) -> str:
    with pytest.raises(BackendError) as caught:
        drawn(backend, **change)
    assert type(caught.value) is BackendError
    assert KEY not in str(caught.value)
    return str(caught.value)


def error_object(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "x", "param": None, "code": None, **more}}


# Sizes


@pytest.mark.parametrize(("wanted", "sizes", "best"), [
    pytest.param("512x512", (), "512x512", id="any size: as it is"),
    pytest.param("512x512", ("256x256", "512x512", "1024x1024"), "512x512", id="the very size"),
    pytest.param("576x512", ("256x256", "512x512", "1024x1024"), "1024x1024", id="the next larger"),
    pytest.param("768x512", THREE, "1536x1024", id="the same shape, twice as large"),
    pytest.param("512x704", THREE, "1024x1536", id="the nearest shape"),
    pytest.param("640x576", THREE, "1024x1024", id="nearly square"),
    pytest.param("1536x1088", THREE, "1536x1024", id="none covers it: the least enlarged"),
    pytest.param("2048x2048", THREE, "1024x1024", id="all too small: the nearest shape"),
])  # fmt: skip
def test_the_size_that_is_asked_for(wanted, sizes, best):
    assert str(best_size(read_size(wanted), tuple(map(read_size, sizes)))) == best


@pytest.mark.parametrize("size", [Size(1024, 1024), Size(1536, 1024), Size(1024, 1536)], ids=str)
@pytest.mark.parametrize("wanted", [Size(512, 512), Size(960, 512), Size(512, 1024)], ids=str)
def test_what_is_embedded_is_cut_out_again(wanted, size):
    image = Image.linear_gradient("L").resize(wanted)
    again = cut(embedded(image, size), wanted)
    assert again.size == wanted
    inside = (4, 4, wanted.width - 4, wanted.height - 4)  # its edge touches what is cut away
    difference = ImageChops.difference(image.crop(inside), again.crop(inside))
    assert difference.getextrema()[1] <= 2


# Pictures


def test_a_picture_has_the_size_of_the_drawing_and_is_the_middle_of_what_was_drawn(api):
    backend = a_backend(api, sizes=THREE)
    image = drawn(backend, model="gpt-image-1.5", width=512, height=640)
    assert (image.size, image.format, image.mode) == ((512, 640), "PNG", "RGB")
    assert image.getpixel((100, 300)) == DARK
    assert image.getpixel((400, 300)) == BLUE
    (asked,) = api.asked
    assert asked.path == "/v1/images/generations"
    assert asked.fields == {
        "model": "gpt-image-1.5", "prompt": "a fox", "n": 1, "size": "1024x1536",
    }  # fmt: skip


@pytest.mark.parametrize(("width", "height"), [(64, 64), (1024, 1024), (1536, 512), (704, 1280)])
def test_every_size_of_the_horde_comes_back_exactly(api, width, height):
    backend = a_backend(api, sizes=THREE)
    assert drawn(backend, model="gpt-image-1.5", width=width, height=height).size == (width, height)


def test_an_endpoint_that_takes_any_size_is_asked_for_the_very_size(api):
    image = drawn(a_backend(api), model="gpt-image-2", width=1088, height=640)
    assert image.size == (1088, 640)
    assert api.asked[0].fields["size"] == "1088x640"


def test_transparency_is_kept(api):
    clear = as_png(Image.new("RGBA", (512, 512), (10, 20, 30, 0)))
    api.answers.append(Answer(200, {"data": [{"b64_json": base64.b64encode(clear).decode()}]}))
    assert drawn(a_backend(api)).mode == "RGBA"


@pytest.mark.parametrize("model", ["dall-e-2", "own-sd"])
def test_base64_is_asked_for_where_links_are_usual(api, model):
    drawn(a_backend(api), model=model)
    assert api.asked[0].fields["response_format"] == "b64_json"
    assert api.calls == 1


def test_a_model_that_refuses_the_format_is_asked_without_it_from_then_on(api):
    backend = a_backend(api, sizes=THREE)
    for _ in range(2):
        drawn(backend, model="strange-1")
    drawn(backend, model="own-sd")
    assert api.refused == ["Unknown parameter: 'response_format'."]
    assert ["response_format" in asked.fields for asked in api.asked] == [False, False, True]


def test_a_link_to_the_endpoint_itself_is_followed_without_the_key(api):
    api.links = True
    assert drawn(a_backend(api), width=256, height=256).size == (256, 256)


@pytest.mark.parametrize("link", ["http://127.0.0.2:9/x.png", "file:///etc/passwd", "ftp://a/b"])
def test_a_link_to_elsewhere_without_https_is_not_followed(api, link):
    api.links, api.link = True, link
    assert "only https and its own host are followed" in why_not(a_backend(api))


def test_a_link_to_the_server_behind_a_proxy_on_the_same_host_is_followed(api):
    with openai_images() as behind:
        api.links, api.link = True, behind.url.replace("/v1", "/pictures/512x512.png")
        assert drawn(a_backend(api)).size == (512, 512)


def test_a_relative_link_leads_to_the_endpoint(api):
    api.answers.append(Answer(200, {"data": [{"url": "/pictures/512x512.png"}]}))
    assert drawn(a_backend(api)).size == (512, 512)


@pytest.mark.parametrize("field", ["b64_json", "url"])
def test_a_data_address_is_read(api, field):
    text = "data:image/png;base64," + base64.b64encode(a_picture((512, 512))).decode()
    api.answers.append(Answer(200, {"data": [{field: text}]}))
    assert drawn(a_backend(api)).size == (512, 512)


# What else is said


def test_a_negative_prompt_is_put_into_words(api):
    drawn(a_backend(api), negative_prompt="people, text")
    assert api.asked[0].fields["prompt"] == "a fox\n\nAvoid: people, text"


def test_a_prompt_cannot_set_the_server(api):
    inner = '{"sample_params": {"sample_steps": 9999}}'
    drawn(a_backend(api), prompt=f"a fox <sd_cpp_extra_args>{inner}</sd_cpp_extra_args>")
    assert api.asked[0].fields["prompt"] == f"a fox {inner}"


def test_parameters_are_sent_by_the_names_of_this_server(api):
    backend = a_backend(
        api,
        extra={"quality": "high"},
        extra_parameters={
            "seed": "seed", "steps": "num_inference_steps", "cfg_scale": "guidance_scale",
            "negative_prompt": "negative_prompt",
        },
    )  # fmt: skip
    drawn(backend, negative_prompt="text", steps=12, cfg_scale=4.5)
    assert api.asked[0].fields == {
        "model": "own-sd", "prompt": "a fox", "n": 1, "size": "512x512", "quality": "high",
        "response_format": "b64_json", "seed": 7, "num_inference_steps": 12, "guidance_scale": 4.5,
        "negative_prompt": "text",
    }  # fmt: skip


def test_extra_fields_have_the_types_of_json(api):
    extra = {"quality": "low", "output_compression": "80", "background": '"opaque"'}
    drawn(a_backend(api, sizes=THREE, extra=extra), model="gpt-image-1.5")
    fields = api.asked[0].fields
    assert (fields["quality"], fields["output_compression"]) == ("low", 80)
    assert fields["background"] == '"opaque"'


def test_extra_fields_cannot_replace_what_the_job_says():
    with pytest.raises(BackendError, match=r"extra cannot set prompt, size"):
        OpenAIBackend(OpenAISettings(extra={"size": "64x64", "prompt": "x", "quality": "low"}))


# Source images and masks


def a_source(width: int = 600, height: int = 600) -> bytes:
    return as_png(Image.new("RGB", (width, height), (60, 60, 60)))


def test_a_source_image_goes_to_the_edits(api):
    backend = a_backend(api, edits=True, sizes=THREE)
    image = drawn(backend, model="gpt-image-1.5", source_image=a_source(), width=576, height=512)
    (asked,) = api.asked
    assert asked.path == "/v1/images/edits"
    assert asked.fields == {
        "model": "gpt-image-1.5", "prompt": "a fox", "n": "1", "size": "1024x1024",
    }  # fmt: skip
    assert {name: each.size for name, each in asked.files.items()} == {"image": (1024, 1024)}
    assert image.size == (576, 512)
    assert image.getpixel((320, 256)) == (80, 80, 80)


def test_inpainting_paints_where_the_mask_is_white_and_keeps_the_rest_to_the_pixel(api):
    mask = Image.new("L", (576, 512), 0)
    mask.paste(255, (0, 0, 288, 512))
    image = drawn(
        a_backend(api, edits=True, sizes=THREE),
        model="gpt-image-1.5", width=576, height=512, source_processing="inpainting",
        source_image=a_source(576, 512), source_mask=as_png(mask),
    )  # fmt: skip
    sent = api.asked[0].files["mask"]
    assert (sent.size, sent.mode) == ((1024, 1024), "RGBA")
    assert [sent.getpixel((x, 512))[3] for x in (300, 800)] == [0, 255]
    assert [image.getpixel((x, 256))[:3] for x in (100, 278, 298, 560)] == [
        RED, RED, (60, 60, 60), (60, 60, 60),
    ]  # fmt: skip


def test_a_mask_whose_white_is_not_quite_white_is_fully_transparent():
    mask = Image.new("L", (4, 1))
    mask.putdata([0, 100, 160, 253])
    assert list(transparent_where(mask).getchannel("A").tobytes()) == [255, 255, 0, 0]


def test_without_a_mask_what_is_transparent_is_painted(api):
    source = Image.new("RGBA", (512, 512), (60, 60, 60, 255))
    source.paste((0, 0, 0, 0), (256, 0, 512, 512))
    image = drawn(
        a_backend(api, edits=True), source_image=as_png(source), source_processing="inpainting"
    )
    assert [image.getpixel((x, 256))[:3] for x in (100, 400)] == [(60, 60, 60), RED]


def test_inpainting_without_anything_to_paint_is_refused_before_anything_is_sent(api):
    reason = why_not(
        a_backend(api, edits=True), source_image=a_source(), source_processing="inpainting"
    )
    assert "no mask" in reason
    assert api.calls == 0


def test_a_model_that_cannot_edit_says_so(api):
    reason = why_not(a_backend(api, edits=True), model="dall-e-3", source_image=a_source())
    assert reason.endswith("answers /images/edits with 400: The model 'dall-e-3' cannot edit.")


# The offer


def test_what_is_offered(api):
    offer = a_backend(api, sizes=("512x512", "1792x1024")).offer()
    assert (offer.models, offer.max_pixels) == (("gpt-image-1.5",), 1792 * 1024)
    assert (offer.img2img, offer.inpainting, offer.lora, offer.features) == (False,) * 3 + (set(),)
    assert api.calls == 0


@pytest.mark.parametrize(("settings", "pixels"), [
    pytest.param({}, 1024 * 1024, id="no sizes: a megapixel"),
    pytest.param({"sizes": ("512x512",)}, 512 * 512, id="the largest size"),
    pytest.param({"sizes": ("512x512",), "max_pixels": 768**2}, 768**2, id="as set"),
])  # fmt: skip
def test_how_large_a_picture_is_offered(api, settings, pixels):
    assert a_backend(api, **settings).offer().max_pixels == pixels


def test_source_images_are_offered_when_it_edits(api):
    offer = a_backend(api, edits=True, extra_parameters={"clip_skip": "clip_skip"}).offer()
    assert (offer.img2img, offer.inpainting, offer.features) == (True, True, {"clip_skip"})


def test_the_only_model_of_a_server_is_offered_and_asked_for_once(api):
    api.models = ["own-sd"]
    backend = a_backend(api, models=())
    assert [backend.offer().models for _ in range(3)] == [("own-sd",)] * 3
    assert api.calls == 1


def test_of_several_models_none_is_guessed(api):
    clock = Clock()
    backend = a_backend(api, clock, models=())
    for _ in range(2):
        with pytest.raises(BackendError, match=r"lists 7 models \(gpt-image-1.5, .*, …\).*set mod"):
            backend.offer()
    assert api.calls == 1
    clock.now_s += endpoint.REST_S
    api.models = ["own-sd"]
    assert backend.offer().models == ("own-sd",)


@pytest.mark.parametrize("answer", [
    pytest.param(Answer(404, {"detail": "Not Found"}), id="no such page"),
    pytest.param(Answer(200, b"<html>"), id="no list"),
    pytest.param(Answer(200, {"data": []}), id="an empty list"),
])  # fmt: skip
def test_a_server_that_lists_no_models_needs_them_set(api, answer):
    api.answers.append(answer)
    with pytest.raises(BackendError, match=r"404: Not Found|lists 0 models \(none\)"):
        a_backend(api, models=()).offer()


# What goes wrong


@pytest.mark.parametrize(("api_key", "words"), [
    pytest.param("sk-wrong-and-secret", "does not accept the key", id="a wrong key"),
    pytest.param("", "wants a key", id="no key"),
])  # fmt: skip
def test_a_wrong_key_is_said_without_showing_it_and_stops_the_offer(api, api_key, words):
    clock = Clock()
    backend = a_backend(api, clock, api_key=api_key)
    reason = why_not(backend)
    assert reason == f"{api.url} {words}; set api_key of the backend to one that is valid there."
    with pytest.raises(BackendError, match=words):
        backend.offer()
    clock.now_s += endpoint.REST_S
    assert backend.offer().models


def test_no_text_shows_the_key(api):
    settings = OpenAISettings(api_key="sk-secret", url=("http://me:pass@127.0.0.1:9/v1",))
    assert "sk-secret" not in repr(settings)
    api.answers.append(Answer(403, error_object(f"{KEY} may not use this model")))
    backend = a_backend(api)
    assert why_not(backend).endswith("valid there.: (key) may not use this model")
    with pytest.raises(BackendError) as caught:
        OpenAIBackend(settings, clock=Clock(), sleep=Clock().sleep).make(
            a_drawing(), lambda share: None
        )
    assert "pass@" not in str(caught.value)


def test_the_key_of_the_environment_is_openais_and_goes_nowhere_else(api, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert "wants a key" in why_not(a_backend(api, api_key=""))
    assert OpenAIBackend()._endpoint._key == KEY
    assert OpenAIBackend(OpenAISettings(api_key="sk-mine"))._endpoint._key == "sk-mine"


MODERATED = error_object(
    "Your request was rejected by the safety system.",
    type="image_generation_user_error", code="moderation_blocked",
)  # fmt: skip


@pytest.mark.parametrize(("status", "body", "words"), [
    pytest.param(400, MODERATED, "refuses to draw this by its content rules: Your", id="moderated"),
    pytest.param(
        400, error_object("No.", code="content_policy_violation"), "content rules: No.",
        id="against the content policy",
    ),
    pytest.param(
        400, error_object("litellm.ContentPolicyViolationError: No.", code="400"), "content rules",
        id="moderated behind a proxy",
    ),
    pytest.param(
        403, error_object("No.", code="content_filter"), "content rules", id="a filter's 403"
    ),
    pytest.param(
        400, error_object("Broke.", code="billing_hard_limit_reached"), "no credit left",
        id="the account's limit",
    ),
    pytest.param(
        429, error_object("Quota.", code="insufficient_quota"), "no credit left", id="no credit"
    ),
    pytest.param(400, {"detail": "Bad size"}, "with 400: Bad size", id="an error of FastAPI"),
    pytest.param(
        422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "422: field required",
        id="a list of errors of FastAPI",
    ),
    pytest.param(404, {"error": "no such model"}, "404: no such model", id="an error as text"),
    pytest.param(404, b"<h1>Not\nFound</h1>", "404: <h1>Not Found</h1>", id="a page"),
    pytest.param(400, b"", "answers /images/generations with 400", id="nothing"),
    pytest.param(400, b"\xff" * 9000, "…", id="endless nonsense"),
    pytest.param(200, b"<html>", "cannot be read", id="a page instead of a picture"),
    pytest.param(200, {"data": []}, "without a picture", id="no pictures"),
    pytest.param(200, {"data": [{}]}, "without a picture", id="an empty picture"),
    pytest.param(200, {"data": [{"b64_json": "a"}]}, "cannot be read", id="broken Base64"),
    pytest.param(
        200, {"data": [{"b64_json": "aGVsbG8="}]}, "picture of the endpoint cannot be read",
        id="no picture in it",
    ),
    pytest.param(
        200, {"data": [{"url": "http://["}]}, "cannot be fetched: Invalid", id="a broken link"
    ),
    pytest.param(200, {"data": [{"url": "/gone"}]}, "is answered with 404", id="a dead link"),
])  # fmt: skip
def test_an_error_that_stays_is_told_at_once(api, status, body, words):
    api.answers.append(Answer(status, body))
    clock = Clock()
    reason = why_not(a_backend(api, clock))
    assert words in reason
    assert "\n" not in reason
    assert len(reason) < 450
    assert clock.slept == []


def test_a_moderated_job_does_not_stop_the_offer(api):
    api.answers.append(Answer(400, MODERATED))
    backend = a_backend(api)
    why_not(backend)
    assert backend.offer().models


def test_too_little_memory_is_said_as_such(api):
    api.answers.append(Answer(500, {"detail": "CUDA out of memory. Tried to allocate 2 GiB"}))
    with pytest.raises(OutOfMemoryError, match="not enough memory: CUDA"):
        drawn(a_backend(api))
    assert api.calls == 1


def test_an_overloaded_server_is_tried_again_with_longer_pauses(api):
    api.answers.extend([Answer(500, {}), Answer(503, b"busy")])
    clock = Clock()
    assert drawn(a_backend(api, clock)).size == (512, 512)
    assert clock.slept == list(endpoint.BACKOFF_S)


def test_a_server_that_stays_broken_is_given_up(api):
    api.answers.extend([Answer(502, b"bad gateway")] * 9)
    assert why_not(a_backend(api)).endswith("with 502: bad gateway")
    assert api.calls == endpoint.TRIES_MAX


@pytest.mark.parametrize(("after", "pauses"), [
    pytest.param({"Retry-After": "7"}, [7.0], id="in seconds"),
    pytest.param({"Retry-After": "0"}, [1.0], id="at once: still a pause"),
    pytest.param({"Retry-After": "Thu, 01 Jan 2015 00:00:00 GMT"}, [1.0], id="at a past date"),
    pytest.param({"Retry-After": "soon"}, [1.0], id="unreadable"),
    pytest.param({}, [1.0], id="not said"),
])  # fmt: skip
def test_a_limit_on_calls_is_waited_for(api, after, pauses):
    api.answers.append(Answer(429, error_object("slow down"), after))
    clock = Clock()
    drawn(a_backend(api, clock))
    assert clock.slept == pauses


def test_a_long_limit_gives_the_job_back_and_takes_no_more_until_then(api):
    api.answers.append(Answer(429, error_object("slow down"), {"Retry-After": "90"}))
    clock = Clock()
    backend = a_backend(api, clock)
    assert why_not(backend).endswith("takes no more calls for now: slow down")
    assert clock.slept == []
    clock.now_s += 89
    with pytest.raises(BackendError, match="slow down"):
        backend.offer()
    clock.now_s += 1
    assert backend.offer().models


def test_an_endpoint_that_is_not_there_is_tried_again_and_said(api):
    clock = Clock()
    backend = a_backend(api, clock, url=("http://127.0.0.1:9/v1",))
    assert "cannot be reached" in why_not(backend)
    assert clock.slept == list(endpoint.BACKOFF_S)
    with pytest.raises(BackendError, match="check url, and that it runs"):
        backend.offer()
    clock.now_s += endpoint.REST_UNREACHABLE_S
    assert backend.offer().models


def test_an_endpoint_that_breaks_off_is_not_asked_again_because_it_may_have_drawn(api):
    api.waits = True
    backend = a_backend(api)

    def hang_up() -> None:
        assert api.waiting.wait(10)
        for each in api.open:
            each.shutdown(socket.SHUT_RDWR)

    breaker = threading.Thread(target=hang_up)
    breaker.start()
    reason = why_not(backend)
    breaker.join()
    assert "broke off" in reason
    assert api.calls == 1


def test_an_answer_larger_than_any_picture_is_not_read_to_its_end(api, monkeypatch):
    monkeypatch.setattr(endpoint, "ANSWER_BYTES_MAX", 2**20)
    api.answers.append(Answer(200, b" " * (2**21)))
    assert "sent more than 1 MiB" in why_not(a_backend(api))


def test_a_picture_that_takes_too_long_is_given_up_and_the_connection_closed(api):
    api.waits = True
    reason = why_not(a_backend(api, timeout_s=0.3))
    assert "no picture within 0.3 s; the setting timeout_s allows longer" in reason
    assert api.hung_up.wait(10)


def test_when_nobody_wants_the_picture_any_more_the_connection_is_closed(api):
    api.waits = True

    def progress(share: float) -> None:
        if api.waiting.is_set():
            raise Cancelled

    with pytest.raises(Cancelled):
        a_backend(api).make(a_drawing(), progress)
    assert api.hung_up.wait(10)


def test_a_pause_between_two_tries_is_cut_short_when_nobody_wants_the_picture(api):
    api.answers.append(Answer(503, b"busy"))
    settings = OpenAISettings(url=(api.url,), api_key=KEY, models=("own-sd",))
    pausing = threading.Event()

    async def sleep(seconds: float) -> None:
        pausing.set()
        await endpoint.asyncio.sleep(600)

    def progress(share: float) -> None:
        if pausing.is_set():
            raise Cancelled

    with pytest.raises(Cancelled):
        OpenAIBackend(settings, sleep=sleep).make(a_drawing(), progress)
    assert api.calls == 1


def test_several_pictures_are_drawn_at_once(api):
    backend, sizes = a_backend(api), []
    threads = [threading.Thread(target=lambda: sizes.append(drawn(backend).size)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sizes == [(512, 512)] * 4


# Settings, and what is found


def test_each_address_is_a_device():
    settings = OpenAISettings(url=("http://a/v1", "http://b/v1/"))
    assert OpenAIBackend.devices(settings) == ("http://a/v1", "http://b/v1/")
    assert OpenAIBackend(settings, "http://b/v1/")._endpoint.url == "http://b/v1"


def test_without_an_address_it_says_what_is_missing():
    with pytest.raises(BackendError, match="set url"):
        OpenAIBackend.devices(OpenAISettings(url=()))


@pytest.mark.parametrize(("name", "text"), [
    ("url", "localhost:8080"), ("url", "https://host/v1?key=1"), ("sizes", "1024"),
    ("sizes", "1024x"), ("extra_parameters", "colour=colour"), ("timeout_s", "0"),
])  # fmt: skip
def test_settings_that_cannot_be_used_are_refused(name, text):
    with pytest.raises(SettingError, match=f"Setting {name} .*it takes"):
        read(OpenAISettings, {name: text}, {}, backend="openai")


def test_settings_are_read_from_text():
    texts = {
        "url": "http://a/v1,http://b/v1", "sizes": "512x512, 1024x1024", "edits": "on",
        "extra": "quality=high", "extra_parameters": "seed=seed,steps=step",
    }  # fmt: skip
    values = read(OpenAISettings, texts, {}, backend="openai").values
    assert (values.sizes, values.edits) == (("512x512", "1024x1024"), True)
    assert values.extra_parameters == {"seed": "seed", "steps": "step"}


def test_it_is_installed():
    assert "openai" in installed()
    assert load("openai") is OpenAIBackend


@pytest.fixture
def local(api: OpenAIImages, monkeypatch: pytest.MonkeyPatch) -> OpenAIImages:
    monkeypatch.setattr(openai, "LOCAL", api.url)
    api.key = ""
    return api


def test_nothing_is_found_where_nothing_is(monkeypatch):
    monkeypatch.setattr(openai, "LOCAL", "http://127.0.0.1:9/v1")
    assert OpenAIBackend.find() == []


def test_openai_is_found_by_its_key_and_the_words_say_that_it_costs(monkeypatch):
    monkeypatch.setattr(openai, "LOCAL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (found,) = OpenAIBackend.find()
    assert found.rank == 5
    assert "every picture costs you money" in found.words
    assert KEY not in repr(found)
    backend = OpenAIBackend(OpenAISettings(**found.settings))
    assert backend.offer().max_pixels == 1536 * 1024


def test_a_local_server_is_found_with_the_models_that_may_draw(local):
    local.models = ["gpt-5-mini", "flux.1-dev", "stablediffusion"]
    (found,) = OpenAIBackend.find()
    assert found.rank == 30
    assert found.settings == {"url": (local.url,), "models": ("flux.1-dev", "stablediffusion")}
    assert (
        OpenAIBackend(OpenAISettings(**found.settings)).offer().models == found.settings["models"]
    )


@pytest.mark.parametrize("spoil", [
    pytest.param(lambda api: setattr(api, "models", ["llama-3-8b"]), id="a language model"),
    pytest.param(lambda api: setattr(api, "key", KEY), id="wants a key"),
    pytest.param(lambda api: api.answers.append(Answer(200, b"<html>")), id="another program"),
])  # fmt: skip
def test_what_does_not_draw_is_not_proposed(local, spoil: Callable[[OpenAIImages], None]):
    spoil(local)
    assert OpenAIBackend.find() == []
