"""Lend a machine: the command that is copied brings a worker in; the page says so and rules it."""

import base64
import re
import shlex
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.builders import a_picture, an_ordinary_picture
from tests.pages.conftest import PHONE, WIDE, axe, axe_everywhere
from tests.system.processes import until

from ordu.client import Horde
from ordu.client.wire import known
from ordu.protocol.workers import WorkerDetailsStable

JOINED_MS = 60_000  # with the test of the painter on a busy machine
READS_CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture
def keys(horde_server) -> Iterator[Horde]:
    """The horde as the administrator sees it."""
    with horde_server.horde(horde_server.admin_key) as horde:
        yield horde


def worker_named(horde: Horde, name: str) -> WorkerDetailsStable | None:
    """A worker by its name, as the horde knows it now."""
    return next((each for each in horde.get_workers() if known(each.name, "") == name), None)


def copied(page: Page) -> str:
    """What copying the command leaves in the clipboard."""
    page.locator("#copy-command").click()
    expect(page.locator("#copy-command")).to_have_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert isinstance(text, str)
    return text


def machine(page: Page, name: str):
    """A machine on the page."""
    return page.get_by_role("article", name=name, exact=True)


def pop(horde: Horde, name: str, **more: object) -> None:
    """Let a worker ask for work once, so that the horde knows it."""
    body = {"name": name, "models": ["stable_diffusion"], "max_pixels": 512 * 512, **more}
    horde.post_job_pop(body)


def deliver(keys: Horde, horde: Horde, name: str, picture: bytes) -> None:
    """Have a worker deliver a picture that somebody else asked for."""
    keys.post_async_generate({"prompt": "a fox"})
    job = horde.post_job_pop(
        {"name": name, "models": ["stable_diffusion"], "bridge_agent": "Ordu:1:x"}
    )
    text = base64.b64encode(picture).decode()
    horde.post_job_submit({"id": known(job.id, ""), "generation": text, "seed": 1})


def test_the_command_that_is_copied_brings_a_machine_in_and_the_page_rules_it(
    people, processes, horde_server, shell_path, keys
):
    person = people(**READS_CLIPBOARD)
    person.sign_in(horde_server.register("aida"))
    page = person.open("/lend")
    expect(page.get_by_role("heading", name="None of your machines is here.")).to_be_visible()
    expect(page.get_by_role("heading", name="No machine has come yet.")).to_be_visible()
    page.get_by_label("Name of the machine").first.fill("aida's attic")
    expect(page.get_by_text("aida's attic is free.")).to_be_visible()

    command = copied(page)
    started = processes.program("joined", "/bin/sh", "-c", f"exec {command}", PATH=shell_path)
    arrival = page.get_by_role("heading", name="aida's attic is here.")
    try:
        expect(arrival).to_be_visible(timeout=JOINED_MS)
    except AssertionError:
        raise AssertionError(started.said()) from None
    expect(page.locator("#arrival")).to_have_class("note gap ok")
    expect(page.locator("#arrival")).to_contain_text("It takes work from now on")
    there = machine(page, "aida's attic")
    expect(there).to_contain_text("Ready, and has nothing to do")
    expect(there).to_contain_text("Why no work? Nothing waits on this horde.")
    expect(there).to_contain_text("sketch")
    axe_everywhere(page)

    there.get_by_role("button", name="Pause…").click()
    page.get_by_label("What its program is told").fill("Back on Monday")
    page.get_by_role("button", name="Pause it").click()
    expect(there).to_contain_text("Paused by you")
    found = worker_named(keys, "aida's attic")
    assert found is not None
    assert found.maintenance_mode is True

    there.get_by_role("button", name="Resume").click()
    expect(there).to_contain_text("Ready, and has nothing to do")
    found = worker_named(keys, "aida's attic")
    assert found is not None
    assert found.maintenance_mode is False

    with horde_server.horde(horde_server.admin_key) as horde:
        horde.generate("dunes", width=512, height=512, steps=20)
    made = there.get_by_role("definition").nth(3)  # counted by a chore, looked at in rounds
    expect(made).to_have_text("1", timeout=JOINED_MS)
    earned = there.get_by_role("img", name=re.compile("Kudos earned by day"))
    expect(earned).to_have_accessible_name(re.compile(": [1-9]"), timeout=JOINED_MS)
    expect(page.locator("#machines-sum")).to_have_text(re.compile("1 machine, [1-9]"))
    started.kill()
    started.process.wait()


def test_a_guest_has_the_command_before_the_script_and_is_led_to_a_name(people, horde_server):
    page = people(java_script_enabled=False).open("/lend")
    command = page.locator("#command").inner_text()
    assert f"ordu worker join {horde_server.url}" in command
    assert "--api-key YOUR-KEY" in command
    hint = page.get_by_text("YOUR-KEY stands for your key.")
    assert hint.get_by_role("link", name="Take a name").get_attribute("href") == "/register"
    assert hint.get_by_role("link", name="sign in").get_attribute("href") == "/account"
    expect(page.get_by_text("make setup")).to_be_visible()


def test_a_guest_who_runs_scripts_sees_the_same_and_no_machines(person):
    page = person.open("/lend")
    expect(page.locator("#command")).to_contain_text("YOUR-KEY")
    expect(page.get_by_role("heading", name="Sign in to see your machines.")).to_be_visible()
    expect(page.locator("#arrival")).to_be_hidden()
    axe_everywhere(page)


def test_who_signs_out_is_a_guest_again(person, horde_server):
    page = person.open("/lend")
    key = horde_server.register("abel")
    other = person.context.new_page()
    other.goto(f"{horde_server.url}/lend")
    other.evaluate("key => localStorage.setItem('ordu.key', key)", key)
    expect(page.get_by_role("heading", name="None of your machines is here.")).to_be_visible()
    expect(page.locator("#command")).to_contain_text(key)
    other.evaluate("localStorage.removeItem('ordu.key')")
    expect(page.get_by_role("heading", name="Sign in to see your machines.")).to_be_visible()
    expect(page.get_by_role("heading", name="None of your machines")).to_be_hidden()
    expect(page.locator("#command")).to_contain_text("YOUR-KEY")


def test_the_key_can_be_left_out_of_the_line(people, horde_server):
    person = people(**READS_CLIPBOARD)
    key = horde_server.register("beke")
    person.sign_in(key)
    page = person.open("/lend")
    assert f"--api-key {key}" in copied(page)
    page.get_by_role("button", name="Leave it out and be asked for it there").click()
    expect(page.locator("#command")).not_to_contain_text(key)
    # Who is told to ask nothing would make an account of its own.
    expect(page.locator("#command")).not_to_contain_text("--yes")
    axe_everywhere(page)
    page.get_by_role("button", name="Copy your key").click()
    assert page.evaluate("navigator.clipboard.readText()") == key
    page.get_by_role("button", name="Put it into the line").click()
    expect(page.locator("#command")).to_contain_text(key)


@pytest.mark.parametrize(
    "name",
    ["attic", "two words", "it's", '"$(touch broken)"', "-n", "öst \\ `x`", "日本 ✓", "a\u202eb"],
)
def test_a_name_is_one_word_of_the_command_whatever_it_is(people, name):
    page = people(**READS_CLIPBOARD).open("/lend")
    page.get_by_label("Name of the machine").first.fill(f"  {name} ")
    words = shlex.split(copied(page).replace("\\\n", ""))
    assert words[words.index("--name") + 1] == name.replace("\u202e", "")
    assert words[-1] == "--yes"


def test_whose_name_it_is_is_told(person, horde_server):
    own, other = horde_server.register("cora"), horde_server.register("dana")
    for key, name in ((own, "cora-1"), (other, "dana-1")):
        with horde_server.horde(key) as horde:
            pop(horde, name)
    person.sign_in(own)
    page = person.open("/lend")
    field = page.get_by_label("Name of the machine").first
    field.fill("cora-1")
    expect(page.get_by_text("cora-1 is yours already")).to_be_visible()
    field.fill("dana-1")
    expect(page.get_by_text("dana-1 is somebody else's machine.")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    axe_everywhere(page)
    field.fill("nobodys")
    expect(page.get_by_text("nobodys is free.")).to_be_visible()
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_name_and_text_of_a_machine_are_changed(person, horde_server, keys):
    own, other = horde_server.register("edda"), horde_server.register("finn")
    for key, name in ((own, "edda-1"), (other, "finn-1")):
        with horde_server.horde(key) as horde:
            pop(horde, name)
    person.sign_in(own)
    page = person.open("/lend")
    machine(page, "edda-1").get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog", name="Change edda-1")
    axe_everywhere(page)
    dialog.get_by_label("Name of the machine").fill("finn-1")
    dialog.get_by_role("button", name="Keep the change").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The name 'finn-1' is taken.")
    axe_everywhere(page)
    dialog.get_by_label("Name of the machine").fill("edda-2")
    dialog.get_by_label("What others read about it").fill("<b>Below the roof</b>")
    dialog.get_by_role("button", name="Keep the change").click()
    expect(machine(page, "edda-2")).to_contain_text("<b>Below the roof</b>")
    found = worker_named(keys, "edda-2")
    assert found is not None
    assert found.info == "<b>Below the roof</b>"


def test_a_pause_can_be_taken_back_at_once(person, horde_server, keys):
    key = horde_server.register("gina")
    with horde_server.horde(key) as horde:
        pop(horde, "gina-1")
    person.sign_in(key)
    page = person.open("/lend")
    there = machine(page, "gina-1")
    there.get_by_role("button", name="Pause…").click()
    axe_everywhere(page)
    page.keyboard.press("Escape")
    expect(there.get_by_role("button", name="Pause…")).to_be_focused()
    there.get_by_role("button", name="Pause…").click()
    page.get_by_role("button", name="Pause it").click()
    expect(there).to_contain_text("Paused by you")
    axe_everywhere(page)
    page.get_by_role("button", name="Undo").click()
    expect(there).to_contain_text("Ready")
    found = worker_named(keys, "gina-1")
    assert found is not None
    assert found.maintenance_mode is False


def test_a_machine_is_deleted_after_ten_seconds_unless_that_is_undone(people, horde_server, keys):
    person = people()
    key = horde_server.register("hana")
    for name in ("hana-1", "hana-2"):
        with horde_server.horde(key) as horde:
            pop(horde, name)
    person.sign_in(key)
    person.page.clock.install()
    page = person.open("/lend")
    expect(page.locator("article")).to_have_count(2)
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)
    machine(page, "hana-1").get_by_role("button", name="Delete").click()
    expect(page.locator("#machines")).to_contain_text("hana-1 is deleted in 10 s.")
    undo = page.get_by_role("button", name="Undo, and keep hana-1")
    expect(undo).to_be_focused()
    page.clock.run_for(9_000)
    undo.click()
    expect(machine(page, "hana-1").get_by_role("button", name="Delete")).to_be_focused()
    page.clock.run_for(20_000)
    assert worker_named(keys, "hana-1") is not None

    machine(page, "hana-2").get_by_role("button", name="Delete").click()
    page.clock.run_for(11_000)
    expect(page.locator(".toast")).to_contain_text("hana-2 is deleted.")
    expect(page.locator("article")).to_have_count(1)
    assert worker_named(keys, "hana-2") is None
    assert worker_named(keys, "hana-1") is not None


def test_nothing_keeps_people_out_of_the_way_back(person, horde_server):
    key = horde_server.register("hedi")
    with horde_server.horde(key) as horde:
        pop(horde, "hedi-1")
    person.sign_in(key)
    page = person.open("/lend")
    for size, theme in ((WIDE, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        machine(page, "hedi-1").get_by_role("button", name="Delete").click()
        axe(page)
        page.get_by_role("button", name="Undo, and keep hedi-1").click()


def test_who_leaves_the_page_while_a_machine_is_being_deleted_means_it(person, horde_server, keys):
    key = horde_server.register("ilse")
    with horde_server.horde(key) as horde:
        pop(horde, "ilse-1")
    person.sign_in(key)
    page = person.open("/lend")
    machine(page, "ilse-1").get_by_role("button", name="Delete").click()
    expect(page.locator("#machines")).to_contain_text("Leaving this page deletes it at once.")
    page.goto(f"{horde_server.url}/livez")
    until(lambda: worker_named(keys, "ilse-1") is None, "the worker to be gone")


def test_nothing_is_asked_while_the_page_is_hidden(person, horde_server):
    key = horde_server.register("jana")
    with horde_server.horde(key) as horde:
        pop(horde, "jana-1")
    person.sign_in(key)
    person.page.clock.install()
    page = person.open("/lend")
    expect(machine(page, "jana-1")).to_be_visible()
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    page.clock.run_for(60_000)
    assert calls == []
    with page.expect_request("**/explain"):
        page.evaluate(hide, False)


def test_a_machine_that_is_away_or_paused_by_others_says_so(person, horde_server, keys):
    key = horde_server.register("kira")
    with horde_server.horde(key) as horde:
        pop(horde, "kira-1")
        found = worker_named(keys, "kira-1")
        assert found is not None
        keys.put_worker_single(known(found.id, ""), {"paused": True})
    person.sign_in(key)
    page = person.open("/lend")
    expect(machine(page, "kira-1")).to_contain_text("Paused by a moderator")
    axe_everywhere(page)


def test_in_german_the_page_says_the_same_and_the_horde_explains_in_english(people, horde_server):
    key = horde_server.register("lena")
    with horde_server.horde(key) as horde:
        pop(horde, "lena-1")
    person = people(locale="de-DE", is_phone=True)
    person.sign_in(key)
    page = person.open("/lend")
    there = machine(page, "lena-1")
    expect(there).to_contain_text("Bereit und ohne Arbeit")
    expect(there.locator(".why [lang=en]").first).to_have_text("Nothing waits on this horde.")
    axe_everywhere(page)


def test_what_was_odd_about_its_pictures_is_told_with_what_to_look_at(people, horde_server, keys):
    key = horde_server.register("nora")
    with horde_server.horde(key) as horde:
        for picture in (a_picture(), a_picture(), an_ordinary_picture(5, 64, 64)):
            deliver(keys, horde, "nora-1", picture)
    results = lambda: keys.get_worker_single_name("nora-1").results  # noqa: E731 - looked at again
    until(lambda: known(results(), None).delivered == 3, "the chore that counts")
    person = people(locale="de-DE")
    person.sign_in(key)
    there = machine(person.open("/lend"), "nora-1").locator(".odd")
    expect(there).to_contain_text("Was sie in 7 Tagen geliefert hat", timeout=JOINED_MS)
    expect(there).to_contain_text("2 von 3 Bildern waren leer: Sieh dir an, was sie zeichnet.")
    expect(there).to_contain_text("1 von 3 Bildern hatte eine andere Größe als gewünscht.")
    axe_everywhere(person.page)


def test_a_reason_and_what_is_in_demand_are_told(person, horde_server, keys):
    key = horde_server.register("mona")
    with horde_server.horde(key) as horde:
        pop(horde, "mona-1")
    placed = keys.post_async_generate({"prompt": "x", "models": ["Albedo XL"], "params": {"n": 2}})
    try:
        person.sign_in(key)
        page = person.open("/lend")
        there = machine(page, "mona-1")
        expect(there).to_contain_text("Why no work? 1 request waits, and it can serve none.")
        expect(there).to_contain_text("In demand, and not offered by it: Albedo XL (2).")
        axe_everywhere(page)
    finally:
        keys.delete_async_status(known(placed.id, ""))


def test_earnings_by_day_stand_in_bars_and_in_a_table(person, horde_server):
    key = horde_server.register("vera")
    with horde_server.horde(key) as horde:
        pop(horde, "vera-1")
    person.sign_in(key)
    asked: list[str] = []

    def answer(route) -> None:
        asked.append(route.request.url)
        days = route.request.frame.evaluate(
            """() => [0, 3, 13].map(ago => ({
                date: new Date(Date.now() - ago * 86400000).toISOString().slice(0, 10),
                earned: 100.5 + ago, spent: 0, given: 0, received: 0, other: 0,
            }))"""
        )
        route.fulfill(json={"days": days[::-1]})

    person.page.route("**/api/v2/kudos/history?*", answer)
    page = person.open("/lend")
    there = machine(page, "vera-1")
    label = "Kudos earned by day in the last 14 days: 318 in all"
    expect(there.get_by_role("img", name=label)).to_be_visible()
    expect(there.locator("rect")).to_have_count(14)
    expect(page.locator("#machines-sum")).to_have_text("1 machine, 318 kudos in 14 days")
    there.get_by_text("Show as table").click()
    expect(there.get_by_role("row")).to_have_count(15)
    expect(there.get_by_role("cell", name="113.5")).to_be_visible()
    assert "by=day" in asked[0]
    assert "since=" in asked[0]
    axe_everywhere(page)


def test_of_many_machines_twenty_are_shown_at_first(person, horde_server, keys):
    key = horde_server.register("olga")
    with horde_server.horde(key) as horde:
        olga = known(horde.get_find_user(key).id, 0)
    keys.put_user_single(str(olga), {"trusted": True, "worker_invited": 30})
    with horde_server.horde(key) as horde:
        for number in range(23):
            pop(horde, f"olga-{number}")
    person.sign_in(key)
    page = person.open("/lend")
    expect(page.locator("article")).to_have_count(20)
    expect(page.locator("#machines-sum")).to_have_text("23 machines")
    page.get_by_role("button", name="Show 3 more").click()
    expect(page.locator("article")).to_have_count(23)
    expect(page.get_by_role("button", name="Show 3 more")).to_be_hidden()
