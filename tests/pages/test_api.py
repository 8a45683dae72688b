"""The page of the API: operations are found, tried with one's key, and copied in one's language."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.pages.conftest import PHONE, WIDE, axe, axe_everywhere

from ordu.client.wire import known

READS_CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


def operation(page: Page, name: str) -> Locator:
    """An operation on the page."""
    return page.locator(f"article#{name}")


def tried(page: Page, name: str) -> Locator:
    """The form with which an operation is tried, opened."""
    there = operation(page, name)
    there.get_by_role("button", name="Try it with your key").click()
    return there.locator("form")


def test_an_operation_is_found_by_what_it_does(person):
    page = person.open("/api/")
    page.get_by_role("searchbox", name="Find an operation").fill("worker delete")
    expect(page.get_by_text("1 operation", exact=True)).to_be_visible()
    expect(page.locator(".rail li:visible")).to_have_count(1)
    expect(page.locator("article:visible")).to_have_count(1)
    expect(operation(page, "delete_worker_single")).to_be_visible()
    axe_everywhere(page)
    page.get_by_role("searchbox").fill("")
    expect(operation(page, "get_livez")).to_be_visible()


def test_a_call_is_tried_with_the_key_of_this_browser(person, horde_server):
    person.sign_in(horde_server.register("aida"))
    page = person.open("/api/#get_find_user")
    form = tried(page, "get_find_user")
    expect(form.get_by_label("Sent")).to_have_value("me")
    form.get_by_label("X-Fields, as a header (optional)").fill("{username}")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_have_text(re.compile(r"^200 OK after "))
    assert json.loads(form.locator(".body").inner_text()) == {"username": "aida#2"}
    expect(form.locator(".headers")).to_contain_text("x-request-id: ")
    expect(form.locator(".headers")).to_contain_text("content-type: application/json")
    for size, theme in ((WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_guest_tries_as_a_guest_and_is_shown_a_refusal(person):
    page = person.open("/api/")
    form = tried(page, "get_find_user")
    expect(form.get_by_label("Sent")).to_have_value("guest")
    expect(form.get_by_role("option", name="with your key")).to_have_count(0)
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".body")).to_contain_text('"username": "Anonymous#0"')
    form = tried(page, "get_async_check")
    form.get_by_label("id, in the path").fill("../../x?y=z")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_have_text(re.compile(r"^404 "))


def test_who_tries_a_call_that_changes_something_is_asked_before(person, horde_server):
    key = horde_server.register("bela")
    person.sign_in(key)
    page = person.open("/api/")
    form = tried(page, "put_user_single")
    with horde_server.horde(key) as horde:
        bela = str(known(horde.get_find_user(key).id, 0))
    form.get_by_label("user_id, in the path").fill(bela)
    form.get_by_label("Body, as JSON").fill('{"public_workers": true')
    form.get_by_role("button", name="Send…").click()
    expect(form.get_by_role("alert")).to_contain_text("it changes something on this horde")
    axe_everywhere(page)
    form.get_by_role("button", name="Cancel").click()
    expect(form.get_by_role("button", name="Send…")).to_be_focused()
    form.get_by_role("button", name="Send…").click()
    form.get_by_role("button", name="Send it for real").click()
    expect(form.get_by_role("alert")).to_contain_text("The body is no JSON")
    form.get_by_label("Body, as JSON").fill('{"public_workers": true}')
    form.get_by_role("button", name="Send…").click()
    form.get_by_role("button", name="Send it for real").click()
    expect(form.locator(".body")).to_contain_text('"public_workers": true')
    with horde_server.horde() as horde:
        assert horde.get_user_single(bela).worker_ids == []  # everybody may see them now


def test_who_tries_a_call_that_spends_is_told_so(person):
    page = person.open("/api/")
    form = tried(page, "post_async_generate")
    expect(form.get_by_label("Body, as JSON")).to_have_value(re.compile("a lighthouse at dusk"))
    form.get_by_role("button", name="Send…").click()
    expect(form.get_by_role("alert")).to_contain_text("it spends kudos")
    form.get_by_role("button", name="Send it for real").click()
    expect(form.get_by_role("status")).to_have_text(re.compile(r"^202 "))


def test_events_are_shown_as_they_come_and_can_be_stopped(person, horde_server):
    with horde_server.horde(horde_server.admin_key) as horde:
        placed = horde.post_async_generate({"prompt": "x", "models": ["nobody has it"]})
        page = person.open("/api/")
        form = tried(page, "get_async_events")
        form.get_by_label("id, in the path").fill(known(placed.id, ""))
        form.get_by_role("button", name="Send").click()
        expect(form.locator(".body")).to_contain_text("data:")
        form.get_by_role("button", name="Stop").click()
        expect(form.get_by_role("alert")).to_contain_text("Stopped after")
        horde.delete_async_status(known(placed.id, ""))


def test_an_answer_that_is_text_is_shown_as_it_is(person):
    page = person.open("/api/")
    form = tried(page, "get_metrics")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".headers")).to_contain_text("text/plain")
    expect(form.locator(".body")).to_contain_text("# HELP")


def test_examples_are_all_in_the_language_that_was_chosen_also_the_next_time(people, horde_server):
    page = people(**READS_CLIPBOARD).open("/api/")
    there = operation(page, "get_horde_modes")
    expect(there.locator("pre:visible")).to_contain_text("curl ")
    there.get_by_role("radio", name="Python").check(force=True)
    expect(operation(page, "get_workers").locator("pre:visible")).to_contain_text(
        "horde.get_workers()"
    )
    page.reload()
    there.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("from ordu.client import Horde")
    assert f'Horde("{horde_server.url}")' in copied


@pytest.mark.parametrize("runs_scripts", [True, False])
def test_on_a_phone_the_list_comes_first_and_then_one_operation_a_page(people, runs_scripts):
    page = people(is_phone=True, java_script_enabled=runs_scripts).open("/api/")
    rail = page.get_by_role("navigation", name="Operations")
    expect(rail).to_be_visible()
    expect(page.locator("article:visible")).to_have_count(0)
    rail.get_by_role("link", name="GET /find_user").click()
    expect(page.locator("article:visible")).to_have_count(1)
    expect(operation(page, "get_find_user")).to_be_in_viewport()
    expect(rail).to_be_hidden()
    if runs_scripts:
        axe(page)
    page.get_by_role("link", name="All operations").click()
    expect(rail).to_be_visible()
    expect(page.locator("article:visible")).to_have_count(0)
    rail.get_by_role("link", name="Other doors").click()
    expect(page.get_by_text("docs/reference/openai.md")).to_be_visible()
    page.go_back()
    expect(rail).to_be_visible()
    rail.get_by_role("link", name="Webhooks", exact=True).click()
    expect(page.locator("article:visible")).to_have_count(5)


def test_in_german_the_form_speaks_german(people):
    page = people(locale="de-DE").open("/api/")
    there = operation(page, "get_heartbeat")
    there.get_by_role("button", name="Mit deinem Schlüssel ausprobieren").click()
    there.get_by_role("button", name="Senden").click()
    expect(there.get_by_role("status")).to_have_text(re.compile("^200 OK nach "))
    axe(page)
