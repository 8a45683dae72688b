"""Run it: what moderators and the administrator do there, as they would."""

import base64
import re

import pytest
from playwright.sync_api import Page, expect
from tests.builders import a_picture
from tests.pages.conftest import axe, axe_everywhere
from tests.system.processes import until

from ordu.client import Horde

SECTIONS = ("overview", "modes", "users", "machines", "news", "settings", "health", "audit")
POP = {
    "models": ["stable_diffusion"],
    "max_pixels": 1_048_576,
    "bridge_agent": "Ordu:1:x",
}


@pytest.fixture
def admin(people, horde_server):
    administrator = people()
    administrator.sign_in(horde_server.admin_key)
    return administrator


@pytest.fixture
def horde(horde_server):
    with Horde(horde_server.url, horde_server.admin_key) as horde:
        yield horde


def number_of(horde: Horde, key: str) -> int:
    return horde.get_find_user(apikey=key).id


@pytest.fixture
def hans(horde_server, horde):
    """Somebody with two machines."""
    key = horde_server.register("hasty_hans")
    number = number_of(horde, key)
    for name in ("one", "two"):
        horde.post_job_pop({"name": f"{name}-{number}", **POP}, apikey=key)
    return number


def expect_told(page: Page, text: str) -> None:
    expect(page.get_by_role("status").filter(has_text=text).first).to_be_visible()


# Who may


def test_a_guest_is_sent_to_sign_in(person):
    page = person.open("/run")
    expect(page.locator("h1")).to_have_text("Sign in to run this horde.")
    expect(page.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    axe_everywhere(page)


def test_others_are_told_which_right_is_missing_and_who_gives_it(person, horde_server):
    person.sign_in(horde_server.register("aida"))
    page = person.open("/run")
    expect(page.locator("h1")).to_have_text("You do not run this horde.")
    expect(page.get_by_role("main")).to_contain_text("the right of a moderator")
    expect(page.get_by_role("main")).to_contain_text("the administrator (user 1) can give it")
    axe_everywhere(page)


def test_a_moderator_sees_everything_but_the_settings(person, horde_server, horde):
    key = horde_server.register("mira")
    horde.put_user_single(number_of(horde, key), {"moderator": True})
    person.sign_in(key)
    page = person.open("/run")
    rail = page.get_by_role("navigation", name="Run it")
    expect(rail.get_by_role("link", name="Audit log")).to_be_visible()
    expect(rail.get_by_role("link", name="Settings")).to_be_hidden()
    person.open("/run#settings")
    expect(page.get_by_role("alert")).to_contain_text("Only the administrator")
    person.open("/run#modes")
    expect(page.get_by_role("switch", name="Maintenance")).to_be_disabled()
    expect(page.get_by_role("switch", name="Raid")).to_be_enabled()


@pytest.mark.parametrize("section", SECTIONS)
def test_nothing_keeps_people_out_of_a_section(admin, hans, horde, section):
    horde.put_user_single(hans, {"flagged": True, "reason": "grey squares, 14 of 31"})
    page = admin.open(f"/run#{section}")
    expect(page.locator("h1")).not_to_be_empty()
    axe_everywhere(page)


def test_nothing_keeps_people_out_of_the_inspector(admin, hans):
    page = admin.open(f"/run#users={hans}")
    expect(page.get_by_role("heading", name=f"hasty_hans#{hans}", level=2)).to_be_visible()
    axe_everywhere(page)


def test_it_is_all_said_in_german(people, horde_server):
    operator = people(locale="de-DE")
    operator.sign_in(horde_server.admin_key)
    page = operator.open("/run")
    for name in (
        "Betriebsarten",
        "Nutzer",
        "Maschinen",
        "Neuigkeiten",
        "Einstellungen",
        "Protokoll",
    ):
        page.get_by_role("navigation", name="Betrieb").get_by_role("link", name=name).click()
        expect(page.locator("h1")).not_to_be_empty()
        page.wait_for_load_state("networkidle")


# Sections


def test_the_overview_says_how_the_horde_is_and_what_to_do(admin, horde):
    horde.put_horde_modes({"maintenance": True, "reason": "a new disk"})
    page = admin.open("/run")
    expect(page.locator("h1")).to_have_text("All is well, but the horde is closed for maintenance.")
    expect(page.get_by_role("main")).to_contain_text("“a new disk”")
    page.get_by_role("link", name="End the maintenance").click()
    page.get_by_role("switch", name="Maintenance").click()
    expect_told(page, "The horde is open again.")
    assert horde.get_horde_modes().maintenance_mode is False


def test_closing_the_horde_asks_for_a_reason_first(admin, horde):
    page = admin.open("/run#modes")
    switch = page.get_by_role("switch", name="Maintenance")
    switch.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Close the horde").click()
    expect(dialog).to_contain_text("Say why")
    assert horde.get_horde_modes().maintenance_mode is False
    axe_everywhere(page)
    dialog.get_by_label("Reason").fill("moving to a new disk")
    dialog.get_by_role("button", name="Close the horde").click()
    expect(dialog).to_be_hidden()
    expect(switch).to_be_checked()
    assert horde.get_horde_modes().maintenance_mode is True
    assert horde.get_horde_audit(limit=1).acts[0].reason == "moving to a new disk"
    switch.click()
    expect(page.locator("h1")).to_have_text("The horde is open.")


def test_a_mode_is_switched_at_once_and_can_be_undone(admin, horde):
    page = admin.open("/run#modes")
    page.get_by_role("switch", name="By invitation only").click()
    expect_told(page, "New machines need an invitation now.")
    assert horde.get_horde_modes().invite_only_mode is True
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("switch", name="By invitation only")).not_to_be_checked()
    assert horde.get_horde_modes().invite_only_mode is False


def test_a_user_is_found_by_name_or_number(admin, hans):
    page = admin.open("/run#users")
    main = page.get_by_role("main")
    page.get_by_label("Find a user").fill("HASTY")
    expect(main.get_by_role("link", name=re.compile("hasty_hans")).first).to_be_visible()
    expect(main.get_by_role("link", name="Administrator#1")).to_be_hidden()
    page.get_by_label("Find a user").fill(f"#{hans}")
    expect(main.get_by_role("link", name=f"hasty_hans#{hans}")).to_be_visible()
    page.get_by_label("Find a user").fill("nobody at all")
    expect(main).to_contain_text("Nobody is called that.")


def test_a_user_is_changed_with_a_reason_and_it_is_undone(admin, hans, horde):
    page = admin.open(f"/run#users={hans}")
    page.get_by_label("Reason").fill("grey squares")
    page.get_by_label("Flagged").check()
    expect_told(page, f"hasty_hans#{hans} is now: flagged.")
    (act,) = horde.get_horde_audit(target=f"user:{hans}").acts
    assert (act.reason, act.changes[0].field, act.changes[0].after) == (
        "grey squares",
        "flagged",
        True,
    )
    page.get_by_role("button", name="Undo").click()
    expect_told(page, "That is undone.")
    assert horde.get_user_single(hans).flagged is False


def test_a_note_kudos_and_limits(admin, hans, horde):
    page = admin.open(f"/run#users={hans}")
    page.get_by_label("Note for moderators").fill("Wrote to him, no answer yet.")
    page.get_by_role("button", name="Save note").click()
    expect_told(page, "The note is saved.")
    page.get_by_label("Give kudos").fill("250")
    page.get_by_role("button", name="Give", exact=True).click()
    expect_told(page, "250 kudos given")
    page.get_by_label("Pictures that may wait").fill("7")
    page.get_by_role("button", name="Set").first.click()
    expect_told(page, "Pictures that may wait is 7 now.")
    user = horde.get_user_single(hans)
    assert (user.admin_comment, user.kudos, user.concurrency) == (
        "Wrote to him, no answer yet.",
        250,
        7,
    )


def test_a_refusal_is_said_beside_its_cause(admin, hans):
    page = admin.open(f"/run#users={hans}")
    page.get_by_label("Note for moderators").fill("no")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_role("alert")).to_contain_text("ValidationFailed")


def test_their_machines_are_paused_together(admin, hans, horde):
    page = admin.open(f"/run#users={hans}")
    page.get_by_role("button", name="Pause 2 machines").click()
    expect_told(page, "2 machines are paused.")
    assert horde.get_worker_single_name(f"one-{hans}").paused is True
    page.get_by_role("button", name="Let 2 machines go on").click()
    expect_told(page, "2 machines go on.")


def test_an_account_is_deleted_and_restored(admin, hans, horde):
    page = admin.open(f"/run#users={hans}")
    page.get_by_role("button", name="Delete account").click()
    expect_told(page, "For 30 days the account can be restored.")
    assert horde.get_user_single(hans).deleted is True
    page.get_by_role("button", name="Undo").click()
    expect_told(page, "That is undone.")
    assert horde.get_user_single(hans).deleted is False


def test_a_key_that_was_lost_is_replaced_and_shown_once(admin, hans, horde):
    page = admin.open(f"/run#users={hans}")
    page.get_by_role("button", name="Replace key…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("his laptop was stolen")
    dialog.get_by_role("button", name="Replace key").click()
    key = page.get_by_role("complementary").locator("code").inner_text()
    assert horde.get_find_user(apikey=key).id == hans
    act = horde.get_horde_audit(limit=1).acts[0]
    assert (act.operation, act.reason) == ("post_user_key", "his laptop was stolen")
    assert key not in str(act)
    axe_everywhere(page)


@pytest.fixture
def machine(horde_server, horde):
    """A machine of its own name, for a test to change."""
    key = horde_server.register("lender")
    name = f"attic-{number_of(horde, key)}"
    horde.post_job_pop({"name": name, **POP}, apikey=key)
    return name


def test_a_machine_is_paused_and_goes_on(admin, horde, machine):
    page = admin.open("/run#machines")
    page.get_by_label("Find a machine").fill(machine)
    page.get_by_role("button", name=f"Pause {machine}").click()
    expect_told(page, f"{machine} is paused")
    assert horde.get_worker_single_name(machine).paused is True
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name=f"Pause {machine}")).to_be_visible()
    assert horde.get_worker_single_name(machine).paused is False


def test_what_was_odd_about_its_pictures_stands_in_its_row(admin, horde_server, horde, machine):
    key = horde_server.register("liar")
    name = f"liar-{number_of(horde, key)}"
    for _ in range(2):
        horde.post_async_generate({"prompt": "a fox"})
        job = horde.post_job_pop({"name": name, **POP}, apikey=key)
        picture = base64.b64encode(a_picture(64, 64)).decode()
        body = {"id": job.id, "generation": picture, "seed": 1}
        horde.post_job_submit(body, apikey=key)
    until(
        lambda: horde.get_worker_single_name(name).results.delivered == 2, "the chore that counts"
    )
    page = admin.open("/run#machines")
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("2 blank, 2 of another size; of 2 pictures in 7 days")
    expect(page.get_by_role("row").filter(has_text=machine)).not_to_contain_text("7 days")
    axe(page)


def test_a_machine_is_put_into_maintenance_with_words_for_its_owner(admin, horde, machine):
    page = admin.open("/run#machines")
    page.get_by_label("Find a machine").fill(machine)
    page.get_by_role("button", name=f"Maintenance… {machine}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What its owner reads").fill("update the driver")
    dialog.get_by_role("button", name="Begin maintenance").click()
    expect_told(page, f"{machine} is in maintenance.")
    assert horde.get_worker_single_name(machine).maintenance_mode is True
    assert horde.get_horde_audit(limit=1).acts[0].changes[0].after == "update the driver"


def test_a_machine_is_deleted_with_a_reason_only(admin, horde, machine):
    page = admin.open("/run#machines")
    page.get_by_label("Find a machine").fill(machine)
    page.get_by_role("button", name=f"Delete… {machine}").click()
    dialog = page.get_by_role("dialog")
    axe_everywhere(page)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name=f"Delete… {machine}").click()
    dialog.get_by_label("Reason").fill("sends nothing but grey")
    dialog.get_by_role("button", name="Delete machine").click()
    expect(page.get_by_role("main")).to_contain_text("None of the machines that are here fits.")
    act = horde.get_horde_audit(limit=1, target="worker").acts[0]
    assert (act.target.name, act.reason) == (machine, "sends nothing but grey")


def test_a_machine_that_is_nowhere_is_told(admin):
    page = admin.open("/run#machines")
    page.get_by_label("Find a machine").fill("no such machine")
    page.get_by_role("button", name="Look for “no such machine” among those away").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no worker with the name")


def test_news_are_written_changed_and_taken_back(admin, horde):
    page = admin.open("/run#news")
    page.get_by_label("Title").fill("Short break")
    page.get_by_label("Text").fill(
        "On Sunday we move <b>the disk</b>, see https://example.org/x.\n\nBe patient."
    )
    preview = page.get_by_role("complementary", name="As others read it")
    expect(preview).to_contain_text("<b>the disk</b>")
    expect(preview.get_by_role("link")).to_have_attribute("href", "https://example.org/x")
    page.get_by_label("Where to read more").fill("javascript:alert(1)")
    expect(preview.get_by_role("link")).to_have_count(1)
    page.get_by_role("button", name="Publish news").click()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("ValidationFailed")
    page.get_by_label("Where to read more").fill("https://example.org/more")
    page.get_by_role("button", name="Publish news").click()
    expect(page.locator("h1")).to_have_text("1 piece of news is published.")
    axe_everywhere(page)
    page.get_by_role("button", name="Change Short break").click()
    page.get_by_label("Importance").select_option("Crisis")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator(".pieces")).to_contain_text("Crisis")
    (piece,) = horde.get_horde_news()
    assert (piece.title, piece.importance) == ("Short break", "Crisis")
    page.get_by_role("button", name="Take back Short break").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(page.get_by_role("main")).to_contain_text("There is no news.")
    assert horde.get_horde_news() == []


def test_settings_are_searched_and_say_where_they_come_from(admin):
    page = admin.open("/run#settings")
    main = page.get_by_role("main")
    page.get_by_label("Find a setting").fill("rate_limits")
    row = main.get_by_role("row", name=re.compile("rate_limits"))
    expect(row).to_contain_text("off")
    expect(row).to_contain_text("flag --rate-limits")
    expect(row).to_contain_text("default: on")
    page.get_by_label("Find a setting").fill("")
    page.get_by_label("Only what was set").check()
    expect(main.get_by_role("row", name=re.compile("grace_s"))).to_have_count(0)


def test_health_tells_the_figures(admin):
    page = admin.open("/run#health")
    main = page.get_by_role("main")
    expect(main).to_contain_text("SQLite")
    expect(main).to_contain_text("Books of kudos")
    expect(main).to_contain_text("% full")


def test_the_log_is_filtered_and_read_on(admin, hans, horde):
    for number in range(60):
        horde.put_user_single(hans, {"concurrency": number, "reason": f"number {number}"})
    page = admin.open(f"/run#audit=user:{hans}")
    rows = page.get_by_role("main").locator("tbody tr")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text("concurrency: 58 → 59")
    expect(rows.first).to_contain_text("“number 59”")
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(60)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    page.get_by_label("Did what").select_option("Deleted a user")
    expect(page.get_by_role("main")).to_contain_text("Nothing was done yet that fits.")


def test_on_a_phone_the_sections_are_a_list_to_choose_from(people, horde_server):
    operator = people(is_phone=True)
    operator.sign_in(horde_server.admin_key)
    page = operator.open("/run")
    page.get_by_label("Section").select_option("Users")
    expect(page.locator("h1")).to_have_text("Users")
    expect(page).to_have_url(re.compile("#users$"))
