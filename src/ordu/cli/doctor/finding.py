"""What a doctor finds: one thing, how bad it is, and how it is mended."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ordu.cli.failures import in_words
from ordu.settings.setting import without_password


class Grade(StrEnum):
    """How bad something is, from well to badly."""

    FINE = "fine"
    NOTE = "note"  # good to know
    BETTER = "better"  # it works, and might be better
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was found; `about` is what was looked at."""

    grade: Grade
    about: str
    what: str
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        """As JSON has it."""
        return {"grade": self.grade, "about": self.about, "what": self.what, "mend": self.mend}


@dataclass(frozen=True)
class Look:
    """A look at one thing; whatever goes wrong in it is a finding."""

    about: str
    at: Callable[[], Iterator[tuple[Grade, str, str]]]
    needs: str = ""  # about what nothing may be wrong, or it is not taken

    def found(self) -> Iterator[Finding]:
        """What it finds."""
        try:
            for grade, what, mend in self.at():
                yield Finding(grade, self.about, without_password(what), mend)
        except Exception as error:  # noqa: BLE001 - a doctor who falls over helps nobody
            what = without_password(in_words(error)).splitlines()[0]
            yield Finding(
                Grade.WRONG,
                self.about,
                f"It cannot be looked at: {what.rstrip('.')}.",
                "Mend that, then ask the doctor again.",
            )


def fine(what: str) -> tuple[Grade, str, str]:
    """Something is well."""
    return Grade.FINE, what, ""


def note(what: str, mend: str = "") -> tuple[Grade, str, str]:
    """Something is good to know."""
    return Grade.NOTE, what, mend


def better(what: str, mend: str) -> tuple[Grade, str, str]:
    """Something works and might be better."""
    return Grade.BETTER, what, mend


def wrong(what: str, mend: str) -> tuple[Grade, str, str]:
    """Something is wrong."""
    return Grade.WRONG, what, mend
