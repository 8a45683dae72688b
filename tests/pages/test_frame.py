"""The frame of every page: who is signed in, language and theme, and what goes wrong."""

import re

import pytest
from playwright.sync_api import expect
from tests.pages.conftest import PHONE, WIDE, axe, axe_at, axe_everywhere

PAGES = ("/", "/horde", "/lend", "/account", "/register", "/terms", "/privacy", "/api/", "/nowhere")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_keeps_people_out_of_a_page(person, path):
    axe_everywhere(person.open(path))


@pytest.mark.parametrize(
    "path", [PAGES[0], *(pytest.param(each, marks=pytest.mark.slow) for each in PAGES[1:])]
)
def test_nothing_keeps_people_out_of_a_page_in_german(people, path):
    page = people(locale="de-AT").open(path)
    assert page.locator("html").get_attribute("lang") == "de"
    axe(page)


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_nothing_keeps_people_out_the_other_way_round(person, path):
    page = person.open(path)
    axe_at(page, PHONE, "light")
    axe_at(page, WIDE, "dark")


def test_a_guest_is_offered_a_name_and_who_is_signed_in_sees_their_kudos(person, horde_server):
    page = person.open("/horde")
    expect(page.get_by_role("link", name="Take a name")).to_be_visible()
    person.sign_in(horde_server.register("aida"))
    person.open("/horde")
    expect(page.locator("#my-name")).to_have_text(re.compile(r"aida#\d+"))
    expect(page.locator("#my-kudos")).to_contain_text("kudos")
    expect(page.get_by_role("link", name="Take a name")).to_be_hidden()
    expect(page.get_by_role("link", name="Run it")).to_have_count(0)


def test_who_runs_the_horde_is_shown_the_page_for_it(person, horde_server):
    person.sign_in(horde_server.admin_key)
    page = person.open("/horde")
    expect(page.get_by_role("link", name="Run it")).to_be_visible()


def test_a_key_that_nobody_knows_is_told(person):
    person.sign_in("a" * 22)
    page = person.open("/horde")
    expect(page.get_by_role("alert")).to_contain_text("does not know the key")
    expect(page.get_by_role("link", name="Take a name")).to_be_visible()


def test_language_and_theme_are_chosen_at_the_foot_and_stay(person):
    page = person.open("/horde")
    page.get_by_role("link", name="Deutsch").click()
    expect(page).to_have_url(re.compile("/horde$"))
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("link", name="Nacht").click()
    person.open("/lend")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(16, 22, 27)"


def test_a_fault_in_a_script_is_said(people):
    page = people().open("/horde")
    page.evaluate("dispatchEvent(new ErrorEvent('error', {message: 'it broke'}))")
    expect(page.get_by_role("alert")).to_contain_text("Something on this page broke: it broke.")


def test_a_lost_server_is_said_until_it_is_there_again(person):
    page = person.open("/horde")
    person.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("This page lost the server")
    person.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden()


def test_the_page_can_be_skipped_to_by_keyboard(person):
    page = person.open("/horde")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
