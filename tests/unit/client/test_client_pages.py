"""The page about the fake horde is true: its program and its tests are run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

from ordu.client.testing import FakeHorde

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"
PAGE = (HOW_TO / "test-with-a-fake-horde.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\S+) ?(\S*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_about_the_fake_horde(tmp_path):
    assert {language for language, _, _ in BLOCKS} == {"python"}
    for _, name, text in BLOCKS:
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "."],
        cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{PAGE.count('def test_')} passed" in done.stdout


def test_the_page_names_all_that_the_fake_can():
    can = {name for name in vars(FakeHorde) if not name.startswith(("_", "handle_"))}
    assert {name for name in can - {"draw", "looks_of", "takes_fault"} if name not in PAGE} == set()
