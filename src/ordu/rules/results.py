"""Results: what is odd about a picture that a stranger delivers, and how much of it is too much.

Each oddity is a thing that honest machines deliver now and then: a request may ask for a white
page. So a picture is taken and paid whatever is found, and only the rate of what is found says
something of a machine (docs/adr/0035). `RATES` is the table of it.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec

from ordu.rules.trust import SuspicionReason

DAYS = 7  # the window in which results are counted, the running day (UTC) included

# From here on thresholds were measured: docs/adr/0035.
BLANK_SHARE = 0.005  # of a picture may have another colour than the rest, and it is blank
ALIKE = 0.995  # how much two pictures correlate that are the same, saved again or resized
SIDE_PIXELS_OFF = 8  # by so much a side may differ: models draw in steps of eight pixels
STRENGTH_FREE = 0.6  # from this `denoising_strength` on a drawing has to leave its source


class Finding(StrEnum):
    """What is odd about a picture. The values are the names under which they are counted."""

    OTHER_SIZE = "other_size"  # than was asked for, upscalers considered
    BLANK = "blank"  # one colour, or nearly
    SOURCE = "source"  # the source image, sent back
    REPEAT = "repeat"  # one of the last pictures of the same machine, again
    TOO_FAST = "too_fast"  # sooner than any machine makes it


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What of a request says how its pictures may look.

    `factors` are by how much a side may have grown; none: the size is the machine's to choose.
    `leaves_source` says that it has a source image and no picture may be like that; `varies` that
    pictures of different seeds cannot be alike.
    """

    width: int
    height: int
    factors: Collection[int] = (1,)
    leaves_source: bool = False
    varies: bool = True


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a delivered picture. Without a look only its size is known.

    A stand-in is what a machine says that it sent in place of what it drew: nothing is expected of
    it. `uneven` is the share of the picture that has another colour than the rest. The others say
    how much it correlates with its source, and with what the same machine made of other seeds: 1 is
    the same.
    """

    width: int
    height: int
    is_stand_in: bool = False
    uneven: float | None = None
    like_source: float = 0.0
    like_earlier: float = 0.0

    @property
    def was_looked_at(self) -> bool:
        """Whether it was decoded, and not only its header read."""
        return self.uneven is not None


def findings(wanted: Wanted, seen: Seen) -> frozenset[Finding]:
    """What is odd about a picture, as far as was seen of it.

    What is blank resembles everything that is blank, so it is only that.
    """
    if seen.is_stand_in:
        return frozenset()
    is_blank = seen.uneven is not None and seen.uneven <= BLANK_SHARE
    is_source = not is_blank and wanted.leaves_source and seen.like_source >= ALIKE
    is_repeat = not (is_blank or is_source) and wanted.varies and seen.like_earlier >= ALIKE
    odd = {
        Finding.OTHER_SIZE: not is_size_of(wanted, seen.width, seen.height),
        Finding.BLANK: is_blank,
        Finding.SOURCE: is_source,
        Finding.REPEAT: is_repeat,
    }
    return frozenset(finding for finding, is_so in odd.items() if is_so)


def is_size_of(wanted: Wanted, width: int, height: int) -> bool:
    """Whether a picture may have this size."""
    return not wanted.factors or any(
        abs(width - wanted.width * factor) < SIDE_PIXELS_OFF * factor
        and abs(height - wanted.height * factor) < SIDE_PIXELS_OFF * factor
        for factor in wanted.factors
    )


# What follows


class Rate(msgspec.Struct, frozen=True):
    """So many of a kind within the window, and such a share of what was delivered, are too many."""

    least: int
    share: float


# Above these rates a worker and its owner are suspected, and again after as many more.
RATES: Mapping[Finding, Rate] = {
    Finding.OTHER_SIZE: Rate(20, 0.2),  # a program that rounds sizes differs now and then
    Finding.BLANK: Rate(10, 0.1),  # a night sky; a model that fails at half precision
    Finding.SOURCE: Rate(10, 0.1),
    Finding.REPEAT: Rate(10, 0.1),  # a model that gives the same whatever the seed
    Finding.TOO_FAST: Rate(3, 0.05),  # a clock that was set, a batch whose first came late
}

SUSPECTED_FOR: Mapping[Finding, SuspicionReason] = {
    Finding.OTHER_SIZE: SuspicionReason.PICTURES_OF_OTHER_SIZE,
    Finding.BLANK: SuspicionReason.BLANK_PICTURES,
    Finding.SOURCE: SuspicionReason.SOURCES_SENT_BACK,
    Finding.REPEAT: SuspicionReason.REPEATED_PICTURES,
    Finding.TOO_FAST: SuspicionReason.UNREASONABLY_FAST,
}


def is_too_many(finding: Finding, count: int, delivered: int) -> bool:
    """Whether a suspicion is due now that the `count`th of these was delivered in the window.

    It is due at each multiple of the rate's least, while the share is reached as well.
    """
    rate = RATES[finding]
    return count % rate.least == 0 and count >= rate.share * delivered
