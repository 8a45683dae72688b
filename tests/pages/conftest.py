"""Pages in a real browser, against a real server: what the tests of pages share.

Whatever a test does, it fails when its page breaks: an error in a script, something the policy
forbids, a call to another host. `axe` finds what keeps people out.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.system.processes import Processes, Server

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
WAIT_MS = 15_000
# The page of the API has sixty operations made alike, and axe takes seconds for each dozen.
MARK_ALIKE = """[...document.querySelectorAll("article.op")]
    .filter((each) => each.offsetParent && !each.querySelector("form"))
    .forEach((each, index) => each.toggleAttribute("data-alike", index > 5))"""
AXE = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
}


def chromium() -> str | None:
    """Where the browser is."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module. It may not be open while tests run a loop."""
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=[*QUIET, *root])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """What runs for the tests of a module."""
    started = Processes(tmp_path_factory.mktemp("processes"))
    try:
        yield started
    finally:
        started.end()
        assert started.left() == []


@pytest.fixture(scope="module")
def horde_server(processes: Processes) -> Server:
    """A horde that the tests of a module share: each makes users of its own."""
    return processes.server(rate_limits="off")


@pytest.fixture(scope="module")
def shell_path(processes: Processes) -> str:
    """A path on which `ordu` is a command, as on a machine where it is installed."""
    folder = processes.folder / "bin"
    folder.mkdir()
    command = folder / "ordu"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ordu.cli "$@"\n')
    command.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@dataclass
class Person:
    """Somebody at a browser. `page` is what they look at."""

    server: Server
    context: BrowserContext
    page: Page

    def open(self, path: str) -> Page:
        """Open a page of the horde and wait until its scripts have run."""
        self.page.goto(self.server.url + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def sign_in(self, api_key: str) -> None:
        """Be signed in with a key, as somebody who was here before."""
        self.context.add_init_script(f"localStorage.setItem('ordu.key', {api_key!r})")


@pytest.fixture
def people(browser: Browser, horde_server: Server) -> Iterator[Callable[..., Person]]:
    """Makes people; none of their pages may break."""
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    def come(*, locale: str = "en-GB", is_phone: bool = False, **more: object) -> Person:
        context = browser.new_context(
            locale=locale,
            viewport=PHONE if is_phone else WIDE,
            has_touch=is_phone,
            **more,  # type: ignore[arg-type]
        )
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        watch(page, horde_server.url, faults)
        return Person(horde_server, context, page)

    yield come
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def person(people: Callable[..., Person]) -> Person:
    """Somebody at a desk who reads English."""
    return people()


def watch(page: Page, url: str, faults: list[str]) -> None:
    """Note whatever breaks on a page. Refusals of the API are expected and no fault."""
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))

    def note(message: object) -> None:
        text = getattr(message, "text", "")
        if getattr(message, "type", "") == "error" and "Failed to load resource" not in text:
            faults.append(f"{page.url}: {text}")

    page.on("console", note)

    def is_ours(address: str) -> bool:
        return address.startswith(("data:", "blob:")) or urlsplit(address).netloc == own

    own = urlsplit(url).netloc
    page.on(
        "request",
        lambda request: None if is_ours(request.url) else faults.append(f"called {request.url}"),
    )


# What keeps people out


def axe(page: Page) -> None:
    """Assert that axe finds nothing on a page as it is now."""
    page.evaluate(MARK_ALIKE)
    found = Axe().run(page, {"exclude": ["[data-alike]"]}, AXE).response["violations"]
    assert [told(violation) for violation in found] == []


def told(violation: dict[str, object]) -> str:
    """What axe found, in a line."""
    nodes = violation["nodes"]
    assert isinstance(nodes, list)
    where = "; ".join(f"{node['html'][:120]} {node['failureSummary']}" for node in nodes[:3])
    return f"{violation['id']}: {violation['help']} ({len(nodes)}): {where}"


def axe_everywhere(page: Page) -> None:
    """The same at a desk by day and on a phone by night; nor may a page be wider than it."""
    for viewport, theme in ((WIDE, "light"), (PHONE, "dark")):
        axe_at(page, viewport, theme)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=None, reduced_motion=None)


def axe_at(page: Page, viewport: dict[str, int], theme: str) -> None:
    """The same in one width and theme."""
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    # Without motion, or a colour on its way to another is measured.
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    axe(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"], f"{page.url} is {width} wide at {viewport['width']}"


def shoot(page: Page, folder: Path, name: str) -> None:
    """Pictures of a page in both themes and both widths."""
    for viewport in (WIDE, PHONE):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            path = folder / f"{name}-{viewport['width']}-{theme}.png"
            page.screenshot(path=path, full_page=True, animations="disabled")
