"""Which way this terminal shows pictures: from the environment, else by asking it.

Asked is with two short questions that go through every terminal unseen: whether it knows kitty's
protocol, and what it is ("device attributes", where 4 stands for sixels). Every terminal answers
the second, so there is little to wait for; in any case no longer than `ANSWER_S_MAX`.
"""

import os
import re
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ordu.cli.terminal.drawing import Cells, Way

ANSWER_S_MAX = 0.5  # also over a slow line; most answer within a millisecond
ANSWER_BYTES_MAX = 1024
ASK_KITTY = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
ASK_ATTRIBUTES = b"\x1b[c"
ATTRIBUTES = re.compile(rb"\x1b\[\?([0-9;]*)c")
SIXELS = b"4"
TERMINAL = Path("/dev/tty")
# They show what they do not know instead of passing it over.
NEVER_ASKED = frozenset({"", "dumb", "linux", "cons25"})

Ask = Callable[[bytes], bytes]


def way_of(environment: Mapping[str, str], ask: Ask) -> Way | None:
    """The way of this terminal, or None when it shows no pictures; `ask` is a question to it."""
    is_inside = "TMUX" in environment or "STY" in environment  # tmux and screen hide the terminal
    if not is_inside and (named := _named(environment)):
        return named
    if environment.get("TERM", "") in NEVER_ASKED:
        return None
    if environment.get("TERM_PROGRAM") == "Apple_Terminal":
        return None
    # tmux and screen take kitty's question for a title.
    answer = ask(ASK_ATTRIBUTES if is_inside else ASK_KITTY + ASK_ATTRIBUTES)
    if b"\x1b_Gi=31;OK" in answer:
        return Way.KITTY
    attributes = ATTRIBUTES.search(answer)
    return Way.SIXEL if attributes and SIXELS in attributes[1].split(b";") else None


def _named(environment: Mapping[str, str]) -> Way | None:
    program = environment.get("TERM_PROGRAM", "")
    if "KITTY_WINDOW_ID" in environment or environment.get("TERM") == "xterm-kitty":
        return Way.KITTY
    if program == "ghostty" or environment.get("TERM") == "xterm-ghostty":
        return Way.KITTY
    is_iterm = program in {"iTerm.app", "WezTerm"} or environment.get("LC_TERMINAL") == "iTerm2"
    return Way.ITERM if is_iterm else None


def ask_terminal(question: bytes) -> bytes:
    """What the terminal of this process answers, empty where there is none or we are not in front.

    It is put back as it was, whatever happens.
    """
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            return b""
        with _unbuffered(descriptor):
            os.write(descriptor, question)
            return _read_answer(descriptor)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _read_answer(descriptor: int) -> bytes:
    answer = b""
    deadline = time.monotonic() + ANSWER_S_MAX
    while len(answer) < ANSWER_BYTES_MAX and not ATTRIBUTES.search(answer):
        left_s = max(0.0, deadline - time.monotonic())
        if not select.select([descriptor], [], [], left_s)[0]:
            break
        read = os.read(descriptor, ANSWER_BYTES_MAX)
        if not read:
            break
        answer += read
    return answer


@contextmanager
def _unbuffered(descriptor: int) -> Iterator[None]:
    """Answers are read byte by byte and not shown."""
    import termios

    before = termios.tcgetattr(descriptor)
    quiet = [*before]
    quiet[3] &= ~(termios.ICANON | termios.ECHO)
    try:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, quiet)
    except termios.error as error:
        raise OSError(str(error)) from error
    try:
        yield
    finally:
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def cell_pixels() -> tuple[int, int]:
    """How many pixels a cell has, where the terminal says so; else what is usual."""
    import fcntl
    import struct
    import termios

    usual = Cells(1, 1)
    try:
        packed = fcntl.ioctl(sys.stderr.fileno(), termios.TIOCGWINSZ, bytes(8))
    except (OSError, ValueError):
        return usual.pixels_wide, usual.pixels_high
    rows, columns, wide, high = struct.unpack("HHHH", packed)
    if not (rows and columns and wide >= columns and high >= rows):
        return usual.pixels_wide, usual.pixels_high
    return min(wide // columns, 64), min(high // rows, 128)
