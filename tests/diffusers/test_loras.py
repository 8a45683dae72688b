"""LoRAs act while a picture is drawn, as strongly as asked, and are gone afterwards."""

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch", reason="needs an environment of its own: make setup-diffusers")

import msgspec  # noqa: E402
from tests.diffusers.conftest import a_drawing, made  # noqa: E402

from ordu.protocol.params import Lora  # noqa: E402
from ordu.worker.backends import BackendError, Cancelled  # noqa: E402
from ordu.worker.backends.diffusers import DiffusersBackend, DiffusersSettings  # noqa: E402

Draw = Callable[..., bytes]


def test_a_lora_acts_and_is_gone_afterwards(draw: Draw) -> None:
    before = draw()
    with_it = draw(loras=(Lora(name="wide-brush"),))
    assert with_it != before
    assert draw() == before
    assert draw(loras=(Lora(name="wide-brush"),)) == with_it


def test_both_weights_count(draw: Draw) -> None:
    pictures = {
        draw(loras=(Lora(name="wide-brush", model=model, clip=clip),))
        for model, clip in ((1, 1), (0.5, 1), (1, 0.5), (0, 1), (1, 0))
    }
    assert len(pictures) == 5


def test_with_weights_of_nothing_it_does_nothing(draw: Draw) -> None:
    assert draw(loras=(Lora(name="wide-brush", model=0, clip=0),)) == draw()


def test_several_act_together(draw: Draw) -> None:
    both = (Lora(name="wide-brush"), Lora(name="ink"))
    assert len({draw(loras=both), draw(loras=both[:1]), draw(loras=both[1:]), draw()}) == 4


def test_xl_has_loras_too(draw: Draw) -> None:
    before = draw(model="xl")
    assert draw(model="xl", loras=(Lora(name="only-xl"),)) != before
    assert draw(model="xl") == before


@pytest.mark.parametrize(
    ("lora", "words"),
    [
        (Lora(name="moon"), "The LoRA 'moon' is not on this machine"),
        (Lora(name="4711", is_version=True), "version of a LoRA '4711' is not"),
        (Lora(name="only-xl"), "The LoRA 'only-xl' does not fit the model plain"),
    ],
    ids=["not here", "a version", "of another build"],
)
def test_what_cannot_be_used_is_said_and_the_model_stays_as_it_was(
    backend: DiffusersBackend, draw: Draw, lora: Lora, words: str
) -> None:
    before = draw()
    with pytest.raises(BackendError, match=words):
        made(backend, a_drawing(loras=(lora,)))
    assert draw() == before


def test_a_broken_file_is_said(settings: DiffusersSettings, tmp_path) -> None:
    (tmp_path / "torn.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    (tmp_path / "notes.txt").write_text("no LoRA")
    backend = DiffusersBackend(msgspec.structs.replace(settings, loras=str(tmp_path)), "cpu")
    assert backend.offer().lora
    with pytest.raises(BackendError, match="The LoRA 'torn'"):
        made(backend, a_drawing(loras=(Lora(name="torn"),)))
    with pytest.raises(BackendError, match="The LoRA 'notes' is not"):
        made(backend, a_drawing(loras=(Lora(name="notes"),)))


def test_it_is_gone_when_the_picture_was_cancelled(backend: DiffusersBackend, draw: Draw) -> None:
    before = draw()

    def progress(share: float) -> None:
        if share > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        backend.make(a_drawing(loras=(Lora(name="wide-brush"),)), progress)
    assert draw() == before


def test_without_a_folder_none_are_offered(
    backend: DiffusersBackend, settings: DiffusersSettings, tmp_path
) -> None:
    assert backend.offer().lora
    for folder in ("", str(tmp_path), str(tmp_path / "not-there")):
        other = DiffusersBackend(msgspec.structs.replace(settings, loras=folder), "cpu")
        assert not other.offer().lora
