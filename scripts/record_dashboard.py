"""Write into docs/how-to/lend.md what the dashboard of a real worker shows.

python scripts/record_dashboard.py    needs tmux; a minute; writes between the page's marks

A horde and a worker are started as anybody would start them, the worker in a terminal of tmux, and
pictures are asked for, some of which this worker cannot make. What stands on the screen at a few
moments is written down as it is.
"""

import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ordu.cli.children import Child, clean_environment, command
from ordu.cli.demo import url_in
from ordu.client import Horde
from ordu.client.wire import known

PAGE = Path(__file__).resolve().parent.parent / "docs" / "how-to" / "lend.md"
BEGIN = "<!-- dashboard: begin; written by scripts/record_dashboard.py -->"
END = "<!-- dashboard: end -->"
WIDTH, HEIGHT = 100, 30
WAIT_S_MAX = 60.0
POLL_S = 0.1

WORKER = """\
[worker]
url = "{url}"
api_key = "{key}"
name = "attic"
jobs = 2
max_pixels = 3145728
"""
# Prompts, and what else is asked: the first two are for other workers than this one.
IMPOSSIBLE = [
    ("a lighthouse", {"width": 512, "height": 512, "n": 3}, ["AlbedoBase XL (SDXL)"]),
    ("a wide valley", {"width": 2048, "height": 2048, "n": 2}, []),
]
POSSIBLE = [
    ("dunes at sunset", {"width": 768, "height": 512, "n": 2}, []),
    ("island map, red and blue", {"width": 640, "height": 640, "n": 2, "steps": 20}, ["sketch"]),
    ("mountains in fog", {"width": 2048, "height": 1536, "n": 2}, []),
    ("a city at night", {"width": 1920, "height": 1280, "n": 1, "steps": 50}, ["sketch"]),
]


@dataclass(frozen=True)
class Screen:
    """A terminal of tmux, on a server of its own."""

    socket: str
    folder: Path

    def tmux(self, *arguments: str) -> str:
        """What tmux answers."""
        line = ["tmux", "-f", "/dev/null", "-L", self.socket, *arguments]
        done = subprocess.run(  # noqa: S603 - our own words
            line,
            cwd=self.folder,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def text(self) -> str:
        """What stands on it now."""
        lines = [line.rstrip() for line in self.tmux("capture-pane", "-p").splitlines()]
        return "\n".join(lines).strip("\n")

    def until(self, is_there: Callable[[str], object], what: str) -> str:
        """The screen once this is on it."""
        deadline = time.monotonic() + WAIT_S_MAX
        while not is_there(text := self.text()):
            if time.monotonic() > deadline:
                sys.exit(f"Waited {WAIT_S_MAX:.0f} s for {what}; the screen is:\n{text}")
            time.sleep(POLL_S)
        return text


def main() -> None:
    """Record, and write the page."""
    if shutil.which("tmux") is None:
        sys.exit("This needs tmux: apt install tmux.")
    with tempfile.TemporaryDirectory(prefix="ordu-record-") as temporary:
        frames = record(Path(temporary))
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{PAGE.name} has no marks {BEGIN} and {END}.")
    words = "\n\n".join(f"{title}:\n\n```text\n{frame}\n```" for title, frame in frames)
    PAGE.write_text(f"{before}{BEGIN}\n\n{words}\n\n{END}{after}", encoding="utf-8")


def record(folder: Path) -> list[tuple[str, str]]:
    """The frames with their titles."""
    ready_file = folder / "ready.json"
    rules = ["--rate-limits", "off", "--upfront", "none"]  # so that large pictures can be asked for
    place = ["--port", "0", "--data", "horde", "--ready-file", str(ready_file)]
    server = Child("server", ["serve", *place, *rules], clean_environment(), folder)
    try:
        while (url := url_in(ready_file)) is None:
            if not server.is_alive:
                sys.exit(f"The server did not start:\n{server.tail()}")
            time.sleep(POLL_S)
        with Horde(url) as horde, worker_on_screen(folder, horde) as screen:
            return play(screen, horde, server)
    finally:
        server.stop()


@contextmanager
def worker_on_screen(folder: Path, horde: Horde) -> Iterator[Screen]:
    """A worker that runs in a terminal."""
    key = known(horde.post_register({"username": "owner"}).api_key, "")
    text = WORKER.format(url=horde.url, key=key)
    (folder / "ordu.toml").write_text(text, encoding="utf-8")
    screen = Screen(f"ordu-record-{secrets.token_hex(4)}", folder)
    screen.tmux(
        *("new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(folder)),
        *command("worker", "--config", "ordu.toml"),
    )
    try:
        yield screen
    finally:
        screen.tmux("kill-server")


def play(screen: Screen, horde: Horde, server: Child) -> list[tuple[str, str]]:
    """What happens, and what the screen shows meanwhile."""
    key = known(horde.post_register({"username": "friend"}).api_key, "")
    screen.until(lambda text: "waiting for work" in text, "the worker to ask")
    for wish in IMPOSSIBLE:
        ask(horde, key, *wish)
    waiting = screen.until(lambda text: "too large" in text.split("ordu worker")[-1], "reasons")
    for wish in POSSIBLE:
        ask(horde, key, *wish)
    working = screen.until(is_working, "two pictures being drawn")
    screen.tmux("resize-window", "-x", "60", "-y", "14")
    small = screen.until(lambda text: "drawing" in text and has_width(text, 60), "the small one")
    screen.tmux("resize-window", "-x", str(WIDTH), "-y", str(HEIGHT))
    screen.until(lambda text: "7 done" in text and "● waiting" in text, "all pictures")
    server.stop()
    lost = screen.until(lambda text: "● lost" in text, "the worker to notice")
    return [
        ("Nobody asks for what this worker can make", waiting),
        ("Two pictures at once", working),
        ("The same in a small window", small),
        ("The horde went away", lost),
    ]


def ask(horde: Horde, key: str, prompt: str, params: dict[str, int], models: list[str]) -> None:
    """Ask for pictures without waiting for them."""
    horde.post_async_generate({"prompt": prompt, "params": params, "models": models}, key)


def is_working(text: str) -> bool:
    """Whether some pictures are done and two large ones are well on their way."""
    shares = [int(share) for share in re.findall(r"drawing .* (\d+)%  \d{4}", text)]
    return len(shares) == 2 and max(shares) >= 60 and "/s · busy" in text


def has_width(text: str, width: int) -> bool:
    """Whether the dashboard was drawn for a screen so wide; it leaves the last column free."""
    return any(line.startswith("── ordu") and len(line) == width - 1 for line in text.splitlines())


if __name__ == "__main__":
    main()
