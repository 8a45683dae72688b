"""Pictures on terminals: what is written, which way is chosen, and that nothing is left behind."""

import base64
import io
import os
import pty
import re
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from rich.console import Console

from ordu.cli.failures import Failure
from ordu.cli.pixels import PIXELS_MAX, PixelsError, decoded
from ordu.cli.terminal import detecting, previews
from ordu.cli.terminal.detecting import way_of
from ordu.cli.terminal.drawing import Cells, Way, blocks, draw, fit, iterm, kitty, sixel

PROGRAM = Path(__file__).with_name("asking_program.py")


def a_picture(width: int = 300, height: int = 200) -> Image.Image:
    red = Image.linear_gradient("L").resize((width, height))
    green = red.rotate(180)
    blue = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (red, green, blue)).convert("RGBA")


def as_webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures, 0 to 255."""
    both = ImageChops.difference(one.convert("RGB"), other.convert("RGB").resize(one.size))
    return sum(ImageStat.Stat(both).mean) / 3


# -- what is written ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "room", "cells"),
    [
        pytest.param((512, 512), (40, 20), (40, 20), id="square, in a square of 8 × 16"),
        pytest.param((1024, 512), (40, 20), (40, 10), id="wide"),
        pytest.param((512, 1024), (40, 20), (20, 20), id="high"),
        pytest.param((3072, 64), (40, 20), (40, 1), id="a line"),
        pytest.param((64, 3072), (40, 20), (1, 20), id="a column"),
        pytest.param((64, 64), (40, 20), (40, 20), id="small, made large"),
    ],
)
def test_a_picture_keeps_its_proportions(size, room, cells):
    found = fit(size, Cells(*room))
    assert (found.columns, found.rows) == cells


def test_kitty_gets_a_png_in_pieces():
    text = kitty(a_picture(), Cells(30, 10, 16, 32))
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{head};{data}\x1b\\" for head, data in pieces) + "\r\n" == text
    assert pieces[0][0].startswith("a=T,f=100,q=2,c=30,r=10,")
    assert [head[-3:] for head, _ in pieces] == ["m=1"] * (len(pieces) - 1) + ["m=0"]
    assert all(len(data) <= 4096 for _, data in pieces)
    shown = Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in pieces))))
    assert shown.size == (300, 200)
    assert difference(shown, a_picture()) == 0


def test_iterm_gets_a_file_of_which_it_knows_the_size():
    text = iterm(a_picture(), Cells(30, 10))
    head, data = re.fullmatch(r"\x1b\]1337;File=([^:]*):([^\a]*)\a\r\n", text).groups()
    values = dict(each.split("=") for each in head.split(";"))
    png = base64.b64decode(data)
    assert values == {
        "inline": "1", "size": str(len(png)), "width": "30", "height": "10",
        "preserveAspectRatio": "1",
    }  # fmt: skip
    with Image.open(io.BytesIO(png)) as shown:
        assert shown.width <= 30 * 8
        assert shown.height <= 10 * 16


def read_sixels(text: str) -> Image.Image:
    """What a terminal makes of sixels, after the description of the VT340."""
    _head, width, height, body = re.fullmatch(
        r'(\x1bP0;1q)"1;1;(\d+);(\d+)(.*)\x1b\\\r\n', text, re.DOTALL
    ).groups()
    shown = Image.new("RGB", (int(width), int(height)))
    palette: dict[int, tuple[int, ...]] = {}
    colour, column, top = 0, 0, 0
    for token in re.findall(r"#\d+(?:;\d+)*|!\d+.|[?-~]|[$-]", body):
        if token[0] == "#":
            colour, *levels = map(int, token[1:].split(";"))
            if levels:
                palette[colour] = tuple(round(each * 255 / 100) for each in levels[1:])
        elif token == "$":
            column = 0
        elif token == "-":
            column, top = 0, top + 6
        else:
            many = int(token[1:-1]) if token[0] == "!" else 1
            for bit in range(6):
                if (ord(token[-1]) - 63) >> bit & 1:
                    shown.paste(palette[colour], (column, top + bit, column + many, top + bit + 1))
            column += many
    assert len(re.sub(r"#\d+(?:;\d+)*|!\d+.|[?-~]|[$-]", "", body)) == 0
    return shown


def test_sixels_show_the_picture():
    shown = read_sixels(sixel(a_picture(), Cells(30, 10)))
    assert shown.size == (240, 160)
    assert difference(shown, a_picture()) < 8


def test_half_blocks_show_the_picture_with_two_pixels_in_a_cell():
    text = blocks(a_picture(), Cells(20, 8))
    lines = text.removesuffix("\r\n").split("\r\n")
    shown = Image.new("RGB", (20, 16))
    for row, line in enumerate(lines):
        column, upper, lower = 0, (0, 0, 0), (0, 0, 0)
        for code, block in re.findall(r"\x1b\[([\d;]+)m|(▀)", line.removesuffix("\x1b[0m")):
            if block:
                shown.putpixel((column, 2 * row), upper)
                shown.putpixel((column, 2 * row + 1), lower)
                column += 1
            else:
                levels = [int(each) for each in code.split(";")]
                upper, lower = tuple(levels[2:5]), tuple(levels[7:10])
        assert column == 20
    assert len(lines) == 8
    assert difference(shown, a_picture()) < 8


def test_half_blocks_with_256_colours():
    red = Image.new("RGBA", (10, 10), "red")
    assert blocks(red, Cells(2, 1), true_colour=False) == "\x1b[38;5;196;48;5;196m▀▀\x1b[0m\r\n"


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 3000), (2000, 2000)])
def test_what_is_written_has_a_bound_whatever_the_picture(way, size):
    text = draw(way, Image.effect_noise(size, 90).convert("RGBA"), Cells(48, 16, 64, 128))
    assert text.endswith("\r\n")
    assert len(text) < 2_000_000


def test_transparency_is_black():
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert blocks(clear, Cells(1, 1)) == "\x1b[38;2;0;0;0;48;2;0;0;0m▀\x1b[0m\r\n"


# -- which way ---------------------------------------------------------------------------------

NO_ANSWER = b""
PLAIN = b"\x1b[?62;22c"
WITH_SIXELS = b"\x1b[?62;4;22c"
KITTY = b"\x1b_Gi=31;OK\x1b\\\x1b[?62c"


@pytest.mark.parametrize(
    ("environment", "answer", "way"),
    [
        pytest.param({"TERM": "xterm-kitty"}, None, Way.KITTY, id="kitty"),
        pytest.param({"KITTY_WINDOW_ID": "1"}, None, Way.KITTY, id="kitty, under another name"),
        pytest.param({"TERM_PROGRAM": "ghostty"}, None, Way.KITTY, id="ghostty"),
        pytest.param({"TERM_PROGRAM": "iTerm.app"}, None, Way.ITERM, id="iterm"),
        pytest.param({"TERM_PROGRAM": "WezTerm"}, None, Way.ITERM, id="wezterm"),
        pytest.param({"LC_TERMINAL": "iTerm2"}, None, Way.ITERM, id="iterm, over ssh"),
        pytest.param({"TERM": "xterm-256color"}, KITTY, Way.KITTY, id="answers like kitty"),
        pytest.param({"TERM": "xterm-256color"}, WITH_SIXELS, Way.SIXEL, id="has sixels"),
        pytest.param({"TERM": "xterm-256color"}, PLAIN, None, id="has none"),
        pytest.param({"TERM": "xterm-256color"}, NO_ANSWER, None, id="says nothing"),
        pytest.param({"TERM": "xterm-256color"}, b"\x1b[?64;14c", None, id="14 is not 4"),
        pytest.param({"TERM": "dumb"}, None, None, id="dumb"),
        pytest.param({"TERM": "linux"}, None, None, id="the console of Linux"),
        pytest.param(
            {"TERM": "xterm", "TERM_PROGRAM": "Apple_Terminal"}, None, None, id="shows questions"
        ),
        pytest.param(
            {"TERM": "screen", "TMUX": "x", "KITTY_WINDOW_ID": "1"}, PLAIN, None, id="tmux in kitty"
        ),
        pytest.param({"TERM": "tmux", "TMUX": "x"}, WITH_SIXELS, Way.SIXEL, id="tmux with sixels"),
    ],
)
def test_the_way_of_a_terminal(environment, answer, way):
    asked: list[bytes] = []

    def ask(question: bytes) -> bytes:
        asked.append(question)
        assert answer is not None, "it should not be asked"
        return answer

    assert way_of(environment, ask) is way
    assert (b"\x1b_G" in b"".join(asked)) == (answer is not None and "TMUX" not in environment)


def on_a_terminal(answer: bytes, wait_s: float = 30) -> tuple[bytes, bytes, bool]:
    """What a program finds whose terminal answers so, what was shown, whether it is as before."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [sys.executable, PROGRAM, str(wait_s)], stdin=slave, stdout=subprocess.PIPE, stderr=slave,
        start_new_session=True,
    )  # fmt: skip
    shown = b""
    try:
        while b"c" not in shown and select.select([master], [], [], 10)[0]:
            shown += os.read(master, 1024)
        os.write(master, answer)
        found = process.communicate(timeout=20)[0]
        return found, shown, termios.tcgetattr(slave) == before
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)


def test_a_terminal_is_asked_and_put_back():
    found, shown, is_as_before = on_a_terminal(WITH_SIXELS)
    assert found == WITH_SIXELS
    assert shown == detecting.ASK_ATTRIBUTES  # and no echo of the answer
    assert is_as_before


def test_a_terminal_that_does_not_answer_is_not_waited_for():
    found, _, is_as_before = on_a_terminal(b"", wait_s=0.1)
    assert (found, is_as_before) == (b"", True)


def test_an_answer_without_end_is_cut():
    found, _, is_as_before = on_a_terminal(b"x" * 3000)
    assert 0 < len(found) <= 2 * detecting.ANSWER_BYTES_MAX
    assert is_as_before


def test_without_a_terminal_nothing_is_asked():
    done = subprocess.run(
        [sys.executable, PROGRAM, "30"], stdin=subprocess.DEVNULL, capture_output=True, check=True,
        start_new_session=True, timeout=30,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (b"", b"")


# -- what is shown -----------------------------------------------------------------------------


def a_console(*, is_terminal: bool = True, colours: str = "truecolor") -> Console:
    return Console(
        file=io.StringIO(), force_terminal=is_terminal, width=80, height=24,
        color_system=colours, _environ={"TERM": "xterm-256color"}, soft_wrap=True,
    )  # fmt: skip


def shown_by(choice: str, console: Console) -> str:
    chosen = previews.previews(choice, console)
    chosen.show(as_webp(a_picture()))
    return console.file.getvalue()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A terminal that says nothing of itself."""
    for name in ("TMUX", "STY", "TERM_PROGRAM", "KITTY_WINDOW_ID", "LC_TERMINAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(previews, "ask_terminal", lambda question: PLAIN)
    return monkeypatch


def test_auto_shows_pictures_where_the_terminal_can(terminal):
    assert shown_by("auto", a_console()) == ""
    terminal.setenv("TERM", "xterm-kitty")
    assert shown_by("auto", a_console()).startswith("\x1b_Ga=T,")


def test_on_falls_back_to_blocks(terminal):
    text = shown_by("on", a_console())
    assert text == shown_by("blocks", a_console())
    assert text.count("▀") == 48 * 16


def test_blocks_are_blocks_also_where_there_are_pictures(terminal):
    terminal.setenv("TERM", "xterm-kitty")
    assert "▀" in shown_by("blocks", a_console())


@pytest.mark.parametrize("choice", previews.CHOICES)
def test_nothing_is_shown_where_there_is_no_terminal(terminal, choice):
    assert shown_by(choice, a_console(is_terminal=False)) == ""


def test_off_is_off(terminal):
    terminal.setenv("TERM", "xterm-kitty")
    assert shown_by("off", a_console()) == ""


def test_what_cannot_be_shown_is_passed_over(terminal):
    console = a_console()
    chosen = previews.previews("blocks", console)
    for data in (b"", b"RIFF", as_webp(a_picture())[:200]):
        chosen.show(data)
    assert (chosen.shown, console.file.getvalue()) == (0, "")


def test_without_pillow_on_says_what_to_install_and_auto_shows_nothing(terminal):
    terminal.setitem(sys.modules, "PIL", None)
    assert previews.previews("auto", a_console()).way is None
    with pytest.raises(Failure, match=r"To show pictures this needs pip install 'ordu\[worker\]'"):
        previews.previews("on", a_console())


def test_a_picture_that_says_it_is_huge_is_not_decoded():
    data = bytearray(as_webp(a_picture(16, 16)))
    data[21:25] = ((16_383) | (16_383 << 14)).to_bytes(4, "little")  # in the header of VP8L
    assert PIXELS_MAX < 16_384**2
    with pytest.raises(PixelsError, match="16384 × 16384"):
        decoded(bytes(data))
