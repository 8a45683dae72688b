"""The pages about backends say what the code says."""

import re
from pathlib import Path

import pytest

from ordu.settings import Setting, as_text, describe
from ordu.worker.backends import installed, load

PAGES = Path(__file__).parents[3] / "docs" / "reference" / "backends"
INDEX = (PAGES / "README.md").read_text(encoding="utf-8")


def row_of(setting: Setting) -> str:
    default = as_text(setting.default)
    shown = f"`{default}`" if default else "(nothing)"
    description = setting.description + (" Never shown." if setting.is_secret else "")
    return f"| `{setting.name}` | {setting.type_words} | {shown} | {description} |"


@pytest.mark.parametrize("name", ["command", "openai"])
def test_every_setting_of_a_backend_stands_on_its_page(name):
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    rows = [row_of(each) for each in describe(load(name).settings_type, name)]
    assert "\n".join(rows) in page


def test_the_index_names_every_backend_that_comes_with_ordu():
    first_table = re.findall(r"^\| \[?`(\w+)`", INDEX.partition("## What each can")[0], re.M)
    assert sorted(first_table) == sorted(installed())
