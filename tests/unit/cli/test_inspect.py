"""`ordu inspect`: what pictures say of themselves."""

import json
from pathlib import Path

import pytest
from tests import builders

from ordu.cli import metadata
from ordu.cli.metadata import Parameters
from ordu.client import Picture

FOX = builders.a_picture(64, 64, "orange")
SENT = {
    "prompt": "a fox\x1b[2J###people",
    "params": {"steps": 12, "n": 4, "width": 64, "loras": [{"name": "snow", "model": 0.8}]},
    "models": ["sketch"],
    "source_image": "x",
}
MADE = Picture(data=FOX, id="g1", seed="7", model="sketch", worker_name="attic", worker_id="w")


@pytest.fixture
def fox(call) -> str:
    text = metadata.as_text(Parameters.of(SENT, MADE))
    Path("fox.webp").write_bytes(metadata.write_text(FOX, text))
    return "fox.webp"


def test_it_shows_what_a_picture_was_asked_with(call, fox):
    done = call("inspect", fox)
    assert done.exit_code == 0
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[0] == "fox.webp"
    assert lines[1].startswith("  picture       64×64 WebP, ")
    assert lines[2:] == [
        "  prompt        a fox [2J",
        "  negative      people",
        "  model         sketch",
        "  seed          7",
        "  worker name   attic",
        "  worker id     w",
        "  id            g1",
        "  steps         12",
        "  width         64",
        "  loras         name=snow, model=0.8",
        "  source image  another picture, which is not kept in it",
    ]


def test_it_tells_programs(call, fox):
    (facts,) = json.loads(call("inspect", fox, "--json").stdout)
    assert (facts["path"], facts["format"], facts["width"]) == ("fox.webp", "webp", 64)
    assert facts["parameters"]["request"]["params"] == SENT["params"]
    assert facts["parameters"]["picture"]["seed"] == "7"
    assert facts["text"].startswith("a fox")


def test_it_says_plainly_that_there_is_nothing(call):
    Path("plain.webp").write_bytes(FOX)
    done = call("inspect", "plain.webp")
    assert done.exit_code == 0
    assert "  parameters  none: the file does not say what it was asked with" in done.stdout
    (facts,) = json.loads(call("inspect", "plain.webp", "--json").stdout)
    assert facts.get("parameters") is None


def test_a_text_of_another_program_is_shown(call):
    Path("other.webp").write_bytes(metadata.write_text(FOX, "an owl\nSteps: 20, Seed: 5"))
    text = call("inspect", "other.webp").stdout
    assert "another program" in text
    assert "  prompt      an owl" in text
    assert "  seed        5" in text


def test_a_text_that_nobody_understands_is_shown_as_it_is(call):
    Path("odd.webp").write_bytes(metadata.write_text(FOX, "made with\x1b love"))
    text = call("inspect", "odd.webp").stdout
    assert "none that are understood" in text
    assert "  text        made with  love" in text


def test_files_that_are_none_do_not_hide_the_others(call, fox):
    Path("text.txt").write_text("hello")
    done = call("inspect", "gone.webp", fox, "text.txt")
    assert done.exit_code == 1
    assert "a fox" in done.stdout
    assert done.stderr == ("ordu: gone.webp: No such file or directory.\ntext.txt is text.\n")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"prompt": 5, "params": 7}, id="other kinds"),
        pytest.param({"params": {"a": [[["b"]]], "\x1b[2J": None}}, id="nested"),
        pytest.param({"prompt": "x" * 500_000}, id="endless"),
    ],
)
def test_it_believes_no_file(call, request_):
    kept = json.dumps({"request": request_})
    Path("odd.webp").write_bytes(metadata.write_text(FOX, f"Ordu: {json.dumps(kept)}"))
    done = call("inspect", "odd.webp")
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    assert len(done.stdout) < 10_000


def test_no_file_is_wrong_usage(call):
    assert call("inspect").exit_code == 2
