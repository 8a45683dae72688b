"""The whole way in a browser: register, lend, ask, a picture, kudos moved, a moderator pauses.

Two people at two browsers, a real server, and a real worker that is started by the command that the
page shows.
"""

import re

from playwright.sync_api import Page, expect
from tests.pages.conftest import axe

WORKS_MS = 60_000  # the worker's test of itself, and pictures, on a busy machine


def take_a_name(page: Page, url: str, name: str) -> None:
    """Register, keep the key, and stay signed in."""
    page.goto(f"{url}/register")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Get a key").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"You are {name}#")
    page.get_by_role("button", name="I have kept it").click()
    expect(page.locator("#my-name")).to_have_text(re.compile(rf"{name}#\d+"))


def kudos(page: Page) -> float:
    """What the head of the page says that somebody has."""
    return float(page.locator("#my-kudos b").inner_text().replace(",", ""))


def test_the_whole_way(people, processes, horde_server, shell_path):
    url = horde_server.url
    lender, asker, keeper = people(), people(), people()

    take_a_name(lender.page, url, "aida")
    page = lender.open("/lend")
    page.get_by_label("Name of the machine").first.fill("aida-attic")
    expect(page.get_by_text("aida-attic is free.")).to_be_visible()
    command = page.locator("#command").inner_text()
    processes.program("joined", "/bin/sh", "-c", f"exec {command}", PATH=shell_path)
    arrival = page.get_by_role("heading", name="aida-attic is here.")
    expect(arrival).to_be_visible(timeout=WORKS_MS)

    take_a_name(asker.page, url, "beke")
    with horde_server.horde(horde_server.admin_key) as horde:
        name = asker.page.locator("#my-name").inner_text()
        horde.put_user_single(name.rpartition("#")[2], {"kudos": 100})
    page = asker.open("/")
    expect(page.locator("#my-kudos")).to_contain_text("100")
    page.get_by_label("What should be in the picture?").fill("dunes at sunset")
    expect(page.locator(".send")).to_contain_text("kudos")
    page.get_by_role("button", name=re.compile("Ask for a picture")).click()
    tile = page.locator("#pictures a").first
    expect(tile).to_be_visible(timeout=WORKS_MS)
    axe(page)
    tile.click()
    expect(page.locator("#opened")).to_contain_text("aida-attic")
    expect(page.locator("#opened img")).to_have_js_property("naturalWidth", 512)

    page = asker.open("/account")
    expect(page.locator("main")).to_contain_text("made by aida-attic")
    assert kudos(page) < 100
    page = lender.open("/account")
    expect(page.locator("main")).to_contain_text("aida-attic made a picture")
    assert kudos(page) > 0

    keeper.sign_in(horde_server.admin_key)
    page = keeper.open("/run#machines")
    page.get_by_label("Find a machine").fill("aida-attic")
    page.get_by_role("button", name="Pause aida-attic").click()
    expect(page.locator(".toast")).to_contain_text("aida-attic is paused")
    page = lender.open("/lend")
    machine = page.get_by_role("article", name="aida-attic", exact=True)
    expect(machine).to_contain_text("Paused by")
    page = keeper.open("/run#audit")
    expect(page.locator("main")).to_contain_text("aida-attic")
