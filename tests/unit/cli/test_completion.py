"""Shell completion: the scripts, and what they are told, without asking any horde."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ordu.cli import remembering
from ordu.cli.main import COMMANDS, SECTIONS
from ordu.cli.remembering import MODELS_MAX, known_models, remember_models


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(call, shell):
    done = call("completion", shell)
    assert done.exit_code == 0
    assert f"_ORDU_COMPLETE={shell}_complete" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True, timeout=30)


def test_a_shell_that_is_not_known(call):
    assert call("completion", "csh").exit_code == 2


def completed(*words: str, state: Path | None = None) -> list[str]:
    """What bash is told about the last word."""
    environment = {
        **os.environ,
        "_ORDU_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["ordu", *words]),
        "COMP_CWORD": str(len(words)),
        "XDG_STATE_HOME": str(state or "/nowhere"),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from ordu.cli.main import main; main()"],
        env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_are_completed():
    assert completed("gen") == ["generate"]
    assert set(completed("")) == set(COMMANDS)
    assert completed("--ver") == ["--version"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["workers", "sh"], ["show"]),
        (["generate", "--sampler", "k_dpmpp_2"], ["k_dpmpp_2s_a", "k_dpmpp_2m"]),
        (["generate", "--post-processing", "GF"], ["GFPGAN", "GFPGANv1.3"]),
        (["generate", "--control-type", "h"], ["hed", "hough"]),
        (["generate", "--negat"], ["--negative"]),
        (["status", "--wat"], ["--watch"]),
        (["completion", "f"], ["fish"]),
    ],
)
def test_what_is_completed(words, found):
    assert completed(*words) == found


def test_models_are_those_this_machine_has_heard_of(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    remember_models(["SDXL 1.0", "sketch", "stable_diffusion"])
    assert completed("generate", "--model", "s", state=tmp_path) == [
        "SDXL 1.0", "sketch", "stable_diffusion",
    ]  # fmt: skip


def test_status_and_generate_hear_of_models(call, horde):
    horde.to("GET /status/models", [{"name": "deliberate"}, {"name": "odd\nname"}])
    horde.to("GET /status/performance", {})
    horde.to("GET /status/modes", {})
    horde.to("GET /workers", [])
    assert call("status").exit_code == 0
    assert known_models() == ["deliberate"]


def test_models_are_kept_within_bounds(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    remember_models(f"model {number}" for number in range(3 * MODELS_MAX))
    remember_models(["the newest", "model 1", "", "x" * 300])
    assert known_models()[:2] == ["the newest", "model 1"]
    assert len(known_models()) == MODELS_MAX


def test_a_place_that_cannot_be_written_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "ordu").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    remember_models(["sketch"])
    assert remembering.known_models() == []


def test_the_command_stands_in_the_help():
    assert "completion" in SECTIONS["This command"]
