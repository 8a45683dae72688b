"""The examples of the page about the API, as they stand there: each that only reads is run."""

import html
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from ordu.protocol.operations import TABLE, Operation, Place

RUN_S_MAX = 60
PROGRAMS = {
    "curl": ("sh", "example.sh"),
    "Python": (sys.executable, "example.py"),
    "JavaScript": ("node", "example.mjs"),
}


def is_run(row: Operation) -> bool:
    """Whether an example works as it stands: it names nothing that has to be there first."""
    needs = [each for each in row.parameters if each.required and each.place is not Place.HEADER]
    return not needs and (
        row.method == "GET" or row.name in {"post_register", "post_async_generate"}
    )


def examples_of(page: str, row: Operation, language: str) -> str:
    """What stands on the page for an operation in a language."""
    article = page.partition(f'<article class="op" id="{row.name}"')[2].partition("</article>")[0]
    (text,) = re.findall(rf'data-language="{language}">(.*?)</pre>', article, re.DOTALL)
    return html.unescape(text)


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_examples_of_the_page_work(ordu, tmp_path: Path, language):
    program, file = PROGRAMS[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    server = ordu.server()
    key = server.register("aida")
    with urllib.request.urlopen(f"{server.url}/api/", timeout=30) as answer:
        page = answer.read().decode()
    rows = [row for row in TABLE if is_run(row)]
    assert len(rows) > 15
    for row in rows:
        (tmp_path / file).write_text(examples_of(page, row, language), encoding="utf-8")
        ran = subprocess.run(
            [program, file],
            cwd=tmp_path,
            env={**os.environ, "ORDU_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
            check=False,
        )
        assert ran.returncode == 0, (row.name, ran.stderr)
        assert '"rc"' not in ran.stdout, (row.name, ran.stdout)
        assert ran.stdout.strip(), row.name
        if language == "JavaScript":
            assert ran.stdout.startswith(str(row.status)), (row.name, ran.stdout)
