"""A backend for each device: which work, which are told, and what is left of those that do not."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.worker.apart_backends import OddBackend, OddSettings

from ordu.settings import Settings
from ordu.worker import devices
from ordu.worker.apart import Apart
from ordu.worker.backends import Backend, BackendError, Drawing, Offer, Picture, Progress
from ordu.worker.backends.sketch import SketchBackend
from ordu.worker.devices import close_all, open_devices

NAME = "tests.unit.worker.apart_backends:OddBackend"


class Cards(Backend):
    """Has a card for each model it is told, of which those with a fault in their name fail."""

    opened: list["Cards"]

    def __init__(self, settings: Settings, device: str = "") -> None:
        super().__init__(settings, device)
        if device.startswith("no "):
            raise BackendError(f"There is {device}.")
        if device == "bug":
            raise KeyError("driver")
        if device == "interrupt":
            raise KeyboardInterrupt
        self.device = device
        self.is_closed = False
        self.opened.append(self)

    @classmethod
    def devices(cls, settings: Settings) -> Sequence[str]:
        assert isinstance(settings, OddSettings)
        if "no driver" in settings.token:
            raise BackendError("There is no driver.")
        if "bug" in settings.token:
            raise ZeroDivisionError
        return settings.models

    def offer(self) -> Offer:
        return Offer((self.device,), 4096)

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        return Picture(b"")

    def close(self) -> None:
        self.is_closed = True
        if self.device == "sticky":
            raise OSError("It sticks.")


@pytest.fixture(autouse=True)
def no_cards():
    Cards.opened = []


def cards(*devices: str) -> OddSettings:
    return OddSettings(models=devices)


def test_each_device_is_opened_in_their_order():
    opened = open_devices(Cards, "cards", cards("gpu:1", "gpu:0", "gpu:0"))
    assert [each.device for each in opened] == ["gpu:1", "gpu:0", "gpu:0"]
    assert [each.offer().models for each in opened] == [("gpu:1",), ("gpu:0",), ("gpu:0",)]


def test_a_backend_that_does_not_crash_stays_in_this_process():
    (sketch,) = open_devices(SketchBackend, "sketch", SketchBackend.settings_type())
    assert type(sketch) is SketchBackend
    assert sketch.device == ""


def test_a_device_that_does_not_work_is_told_and_the_others_are_used():
    told: list[tuple[str, str]] = []
    opened = open_devices(
        Cards,
        "cards",
        cards("gpu:0", "no gpu:1", "bug"),
        on_failure=lambda device, error: told.append((device, str(error))),
    )
    assert [each.device for each in opened] == ["gpu:0"]
    assert told == [("no gpu:1", "There is no gpu:1."), ("bug", "KeyError: 'driver'")]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(cards("no gpu"), "There is no gpu.", id="the only one"),
        pytest.param(cards("bug", "bug"), "KeyError: 'driver'", id="all for the same reason"),
        pytest.param(
            cards("no gpu", "bug"),
            "No device works. no gpu: There is no gpu. bug: KeyError: 'driver'",
            id="each for its own",
        ),
        pytest.param(cards(), "The backend cards has no device to draw on.", id="no device"),
        pytest.param(OddSettings(token="no driver"), "There is no driver.", id="none is found"),
        pytest.param(OddSettings(token="bug"), "ZeroDivisionError", id="a bug looking for them"),
    ],
)
def test_without_any_device_it_says_why(settings, words):
    told: list[str] = []
    with pytest.raises(BackendError) as raised:
        open_devices(Cards, "cards", settings, on_failure=lambda device, _: told.append(device))
    assert str(raised.value) == words
    assert told == []


def test_who_interrupts_leaves_nothing_open():
    with pytest.raises(KeyboardInterrupt):
        open_devices(Cards, "cards", cards("gpu:0", "gpu:1", "interrupt"))
    assert [each.is_closed for each in Cards.opened] == [True, True]


def test_all_are_closed_though_one_fails():
    opened = open_devices(Cards, "cards", cards("sticky", "gpu:0"))
    with pytest.raises(OSError, match="It sticks"):
        close_all(opened)
    assert all(each.is_closed for each in Cards.opened)


# -- apart -------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [False, True], ids=["it asks for it", "its owner does"])
def test_a_backend_that_crashes_has_a_process_for_each_device(apart, monkeypatch):
    monkeypatch.setattr(OddBackend, "is_apart", not apart)
    told: list[tuple[str, str]] = []
    settings = OddSettings(models=("gpu:0", "gpu:1", "gpu:2"), fails="gpu:1")
    opened = open_devices(
        OddBackend,
        NAME,
        settings,
        apart=apart,
        on_failure=lambda device, error: told.append((device, str(error))),
    )
    backends = opened
    try:
        assert [each.device for each in opened] == ["gpu:0", "gpu:2"]
        assert told == [("gpu:1", "There is no such device as gpu:1.")]
        drawn_by = {each.make(Drawing("draw"), lambda share: None).data for each in backends}
        assert len(drawn_by) == 2
    finally:
        close_all(backends)


def test_processes_are_ended_when_waiting_for_them_is_interrupted(monkeypatch):
    seen: list[int | None] = []

    class Interrupted(Apart):
        """Whose owner has had enough."""

        def ready(self) -> None:
            seen.append(self.pid)
            raise KeyboardInterrupt

    monkeypatch.setattr(devices, "Apart", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_devices(OddBackend, NAME, OddSettings(models=("gpu:0",)))
    (pid,) = seen
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()
