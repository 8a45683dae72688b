"""The README is true to the letter: its code blocks run, in their order, as they stand.

Only what a reader would put in as well is put in: the address of the server, a free port, Enter.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.system.processes import Processes, Running, until

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) ?(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

ADDRESS = "http://192.168.1.20:7001"
COMMAND = ".venv/bin/ordu "


def blocks(language: str, word: str = "") -> list[str]:
    """The blocks of one kind."""
    return [text for found, tag, text in BLOCKS if (found, tag) == (language, word)]


def the(language: str, word: str) -> str:
    """The only block of a kind."""
    (text,) = blocks(language, word)
    return text


def test_every_block_is_of_a_kind_that_is_run():
    assert {(language, word) for language, word, _ in BLOCKS} == {
        ("sh", "make"), ("sh", "server"), ("sh", "once"), ("sh", "worker"), ("python", ""),
    }  # fmt: skip


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_make_targets_exist():
    for line in the("sh", "make").splitlines():
        command = shlex.split(line, comments=True)
        done = subprocess.run(
            [command[0], "-n", *command[1:]], cwd=ROOT, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.timeout(180)
def test_a_horde_for_friends(ordu: Processes):
    """Server here, worker there, client anywhere: every block of that chapter."""
    options = shlex.split(the("sh", "server"))[2:]
    told = dict(zip(options[::2], options[1::2], strict=True))
    assert told == {"--host": "0.0.0.0", "--public-url": ADDRESS}
    server = ordu.server()  # on loopback and a free port, as all traffic of tests

    def as_told(text: str) -> str:
        ours = f"{shlex.quote(sys.executable)} -m ordu.cli "
        return text.replace(ADDRESS, server.url).replace(COMMAND, ours)

    command = shlex.split(as_told(the("sh", "worker")))
    assert command[-5:] == ["worker", "join", server.url, "--name", "attic"]
    # A reader presses Enter at each question; the test of the machine is left out to save time.
    running: Running = ordu.start("worker", *command[-5:], "--yes", "--no-test", "--with-parent")

    def has_joined() -> bool:
        assert running.process.poll() is None, running.said()
        with server.horde() as horde:
            return [worker.name for worker in horde.get_workers()] == ["attic"]

    until(has_joined, "the worker")
    for text in blocks("sh", "once"):
        done = subprocess.run(
            ["bash", "-euc", as_told(text)], cwd=ordu.folder, env=ordu.environment(),
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        assert '"rc"' not in done.stdout, done.stdout
    (program,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", as_told(program)], cwd=ordu.folder,
        env=ordu.environment(), capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list(ordu.folder.glob("moon-*.webp"))) == 2
    assert len(list((ordu.folder / "pictures").iterdir())) == 1
