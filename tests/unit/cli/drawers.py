"""Backends for tests of the commands, named as module:Class."""

import threading
from typing import Annotated

from tests.builders import a_picture

from ordu.settings import Settings, about
from ordu.worker.backends import Backend, BackendError, Found, Offer, Picture

HERE = __name__


class TinySettings(Settings, frozen=True, kw_only=True):
    """Of a backend that is somewhere."""

    address: Annotated[str, about("Where its program is.")] = "nowhere"
    token: Annotated[str, about("What it is asked with.", secret=True)] = ""


class Tiny(Backend):
    """Makes the same small picture at once."""

    settings_type = TinySettings

    @classmethod
    def find(cls):
        return (
            Found("Tiny at home", {"address": "http://127.0.0.1:8188"}, rank=5),
            Found("Tiny elsewhere", {"address": "http://127.0.0.1:9"}, rank=9),
        )

    def offer(self):
        return Offer(("a", "b"), 768 * 768, lora=True, features=frozenset({"tiling", "censor"}))

    def make(self, drawing, progress):
        progress(0.5)
        return Picture(a_picture(64, 64, "teal"))


class Broken(Tiny):
    """Its program has a problem."""

    def make(self, drawing, progress):
        raise BackendError("CUDA is not there")


class Away(Tiny):
    """Its program does not answer."""

    def offer(self):
        raise BackendError("Nothing answers at nowhere.")


class Unusable(Tiny):
    """It cannot even be made."""

    def __init__(self, settings=TinySettings(), device=""):  # noqa: B008 - frozen
        raise BackendError("There is no graphics card.")


class Stuck(Tiny):
    """It never finds anything, and never says so."""

    forever = threading.Event()

    @classmethod
    def find(cls):
        cls.forever.wait(20)
        return ()


class Rude(Tiny):
    """Somebody else's code, with a bug."""

    @classmethod
    def find(cls):
        raise ZeroDivisionError


class Buggy(Tiny):
    """Its offer has a bug."""

    def offer(self):
        raise ZeroDivisionError


class Several(Tiny):
    """It has three devices."""

    @classmethod
    def devices(cls, settings):
        return ("0", "1", "2")
