"""What the backends share that drive other programs."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.programs.serving import Call, Gone, Reply, Serving

from ordu.settings import as_text, describe
from ordu.worker.backends import BackendError
from ordu.worker.backends import programs as module
from ordu.worker.backends.automatic1111 import Automatic1111Backend
from ordu.worker.backends.comfyui import ComfyUIBackend
from ordu.worker.backends.programs import (
    Declined,
    NoAnswer,
    Program,
    Remembered,
    addresses_of,
    by_name,
    first_pass,
    in_background,
    in_short,
    is_address,
    lora_of,
)


class Anything(Serving):
    """Answers what it is told to."""

    reply: Reply | None = None

    def answer(self, call: Call) -> Reply:
        if self.reply is None:
            raise Gone
        return self.reply


@pytest.fixture
def far() -> Iterator[Anything]:
    with Anything() as far:
        yield far


@pytest.fixture
def program(far: Anything) -> Iterator[Program]:
    program = Program("Easel", "backends.easel", far.url)
    yield program
    program.close()


@pytest.mark.parametrize("backend", [ComfyUIBackend, Automatic1111Backend])
def test_every_setting_and_its_default_is_in_the_documentation(backend):
    name = backend.settings_type.__name__.removesuffix("Settings").lower()
    page = Path(__file__).parents[3] / "docs" / "reference" / "backends" / f"{name}.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    for setting in describe(backend.settings_type):
        (row,) = (each for each in rows if f"`{setting.name}`" in each.split("|")[1])
        assert (as_text(setting.default) or "none") in row.split("|")[2]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("http://127.0.0.1:8188", True),
        ("https://attic.example/comfy/", True),
        ("http://[::1]:8188", True),
        ("127.0.0.1:8188", False),
        ("http://", False),
        ("http://a:99999", False),
        ("http://a:0", False),
        ("http://me:word@attic", False),
        ("http://attic/ x", False),
        ("http://attic#x", False),
        ("http://[::1", False),
    ],
)
def test_what_is_an_address(text, is_one):
    assert is_address(text) is is_one


def test_addresses_are_written_alike_and_each_is_one_device():
    assert addresses_of(("http://a/", "http://b", "http://a")) == ("http://a", "http://b")


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        pytest.param(None, NoAnswer, "broke off", id="broke off"),
        pytest.param(Reply(b"[1"), BackendError, "is no Easel", id="cut short"),
        pytest.param(Reply({"a": "b"}), BackendError, "is no Easel", id="another type"),
        pytest.param(Reply(b"\xff\xfe", 500), Declined, "with 500: ", id="bytes"),
        pytest.param(Reply(b"", 302), Declined, "with 302: without a word", id="elsewhere"),
        pytest.param(Reply({}, 403), Declined, r"set them in \[backends.easel\]", id="not allowed"),
    ],
)
def test_every_bad_answer_is_an_error_that_says_so(far, program, reply, error, words):
    far.reply = reply
    with pytest.raises(error, match=words):
        program.get("/x", dict[str, int])


def test_an_answer_in_no_time_is_an_error(far, program):
    hold = threading.Event()

    def late(call: Call) -> Reply:
        hold.wait(20)
        return Reply({})

    far.overrides["GET /x"] = late
    with pytest.raises(NoAnswer, match=r"did not answer within 0\.05 s"):
        program.get("/x", dict[str, int], timeout_s=0.05)
    hold.set()


def test_too_much_is_not_read(far, program, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_BYTES_MAX", 1024 * 1024)
    far.reply = Reply(b" " * (1024 * 1024 + 1))
    with pytest.raises(BackendError, match="more than 1 MiB"):
        program.get("/x", dict[str, int])


def test_nothing_can_be_asked_after_the_end(far, program):
    program.close()
    with pytest.raises(NoAnswer, match="broke off"):
        program.get("/x", dict[str, int])


def test_a_path_in_the_address_is_kept(far):
    far.reply = Reply({})
    Program("Easel", "t", far.url + "/easel").get("/queue", dict[str, int])
    assert far.asked[0].path == "/easel/queue"


def test_proxies_of_the_environment_are_not_asked(far, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    far.reply = Reply({})
    assert Program("Easel", "t", far.url).get("/x", dict[str, int]) == {}


def test_an_answer_is_remembered_and_an_error_is_not():
    answers: list[Any] = [BackendError("away"), 1, 2]
    now = [0.0]

    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, BackendError):
            raise answer
        return int(answer)

    remembered = Remembered(ask, clock=lambda: now[0])
    with pytest.raises(BackendError):
        remembered.get()
    assert (remembered.get(), remembered.get()) == (1, 1)
    remembered.forget()
    assert remembered.get() == 2


def test_what_goes_wrong_in_the_background_comes_out():
    def fail() -> int:
        raise BackendError("no")

    with pytest.raises(BackendError, match="no"):
        in_background(fail, "test").result(20)
    assert in_background(lambda: 3, "test").result(20) == 3


def test_models_are_called_by_their_files():
    listed = ("sd15/dream v1.5.safetensors", "xl\\jugg.ckpt", "other/jugg.safetensors")
    assert by_name(listed) == {"dream v1.5": listed[0], "jugg": listed[1]}


@pytest.mark.parametrize("name", ["Ink", "INK.safetensors", "ink.pt"])
def test_a_lora_is_found_however_it_is_written(name):
    assert lora_of(name, {"moon": 1, "ink": 2}, "Easel") == 2


def test_others_words_are_made_short_and_one_line():
    assert in_short(" a\n\n b\x00 ") == "a b"
    assert len(in_short("x" * 1000)) == 300


@pytest.mark.parametrize("width", range(64, 3073, 448))
@pytest.mark.parametrize("height", range(64, 3073, 320))
def test_a_first_pass_is_smaller_and_fits_the_models(width, height):
    small = first_pass(width, height)
    if small is None:
        assert min(width, height) <= 512
        return
    assert all(each % 8 == 0 for each in small)
    assert min(small) >= 512
    assert small[0] < width
    assert small[1] < height


def test_what_is_sent_is_json(far, program):
    far.reply = Reply({})
    program.post("/x", {"a": [1]}, dict[str, int])
    program.tell("/y", {"b": 1})
    assert [(each.path, each.body) for each in far.asked] == [("/x", {"a": [1]}), ("/y", {"b": 1})]
    assert {each.headers["content-type"] for each in far.asked} == {"application/json"}
