"""The page Register where the horde asks for work: the browser does it, and says why one waits."""

import hashlib
import re

import pytest
from playwright.sync_api import expect
from tests.pages.conftest import axe_everywhere

BITS = 10


@pytest.fixture(scope="module")
def horde_server(processes):
    return processes.server("--registration-work-bits", str(BITS), rate_limits="off")


def test_the_browser_works_and_then_there_is_a_key(person):
    page = person.open("/register")
    page.get_by_role("textbox", name="Name").fill("nomi")
    page.get_by_role("button", name="Get a key").click()
    expect(page.locator("#key-note code")).to_have_text(re.compile(r"[\w-]{22}"))


def test_who_waits_is_told_why_and_how_far_it_is(person):
    page = person.open("/register")
    page.route(
        "**/register/challenge",
        lambda route: route.fulfill(json={"challenge": "x", "parts": 16, "bits": 24}),
    )
    page.get_by_role("textbox", name="Name").fill("nomi")
    page.get_by_role("button", name="Get a key").click()
    expect(page.get_by_text("Your computer works for your name.")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    axe_everywhere(page)


def test_its_hashes_are_those_of_everybody_else(person):
    page = person.open("/register")
    script = page.evaluate(
        "performance.getEntriesByType('resource').map((each) => each.name)"
        ".find((name) => /.register.\\w+.js$/.test(name) && !name.includes('words'))"
    )
    assert script
    source = page.request.get(script).text()
    (solver,) = re.findall(r'new URL\("\./(solver\.\w+\.js)"', source)
    (sha256,) = re.findall(
        r"sha256\.\w+\.js", page.request.get(f"{person.server.url}/static/{solver}").text()
    )
    cases = [("x" * length, number) for length in range(0, 46, 3) for number in (0, 7, 123456789)]
    found = page.evaluate(
        """async ([path, cases]) => {
            const { hashing } = await import(path);
            return cases.map(([start, number]) => hashing(start)(number) >>> 0);
        }""",
        [f"/static/{sha256}", cases],
    )
    wanted = [
        int.from_bytes(hashlib.sha256(f"{start}{number}".encode()).digest()[:4], "big")
        for start, number in cases
    ]
    assert found == wanted
