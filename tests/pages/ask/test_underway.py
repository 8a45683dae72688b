"""Requests under way on the page Ask: followed to their end, whatever happens meanwhile."""

import re
import uuid

import pytest
from playwright.sync_api import expect
from tests.pages.asking import a_body, ask, fills, note_fills
from tests.pages.conftest import WAIT_MS, axe, axe_everywhere


def the_strip(page):
    return page.locator("#underway article")


def test_a_request_is_followed_from_its_place_in_line_to_its_picture(page, key, machine):
    ask(page, key, a_body("dunes after rain", n=2, models=[machine.model]))
    strip = the_strip(page)
    expect(strip.get_by_role("heading")).to_have_text("dunes after rain")
    expect(strip).to_contain_text("2 pictures, 192 × 128")
    now = strip.locator("[aria-current=step]")
    expect(now).to_contain_text("Next in line, about")
    expect(now).to_contain_text("1 machine can make yours.")
    expect(strip.locator(".frame")).to_have_count(2)
    machine.take()
    expect(now).to_contain_text(f"{machine.name} is at work, about")
    expect(strip.get_by_role("progressbar")).to_be_visible()
    expect(strip.locator(".frame.dev")).to_have_text(machine.name)
    machine.deliver()
    expect(strip.locator(".frame.done img")).to_have_attribute("alt", "dunes after rain")
    expect(now).to_contain_text("1 of 2 is done.")
    expect(page.locator("#pictures-section .pic")).to_have_count(0)
    machine.make("olive")
    expect(now).to_contain_text(re.compile(r"Done in .+ for [\d.]+ kudos\."))
    expect(page.locator("#live")).to_contain_text("dunes after rain: Done in")
    expect(page.locator("#underway")).to_be_hidden(timeout=WAIT_MS)
    expect(page.locator("#pictures-section .pic")).to_have_count(2)


def test_a_place_in_line_has_a_lozenge_for_each_ahead(page, key, machine):
    body = a_body(n=3, models=[machine.model])
    ask(page, key, body)
    ask(page, key, {**body, "params": {**body["params"], "n": 1}})
    second = the_strip(page).nth(1)
    expect(second).to_contain_text("Number 4 in line,")
    expect(second).to_contain_text("3 pictures go first.")
    expect(second.locator(".queue .dia")).to_have_count(4)
    expect(page.locator("#underway-count")).to_have_text("2 requests")


def test_it_comes_back_after_a_reload(page, key, machine):
    ask(page, key, a_body(n=2, models=[machine.model]))
    machine.make()
    machine.take()
    expect(the_strip(page).locator(".frame.done")).to_have_count(1)
    page.reload()
    expect(the_strip(page).locator(".frame.done")).to_have_count(1)
    expect(the_strip(page).locator(".frame.dev")).to_have_text(machine.name)
    machine.deliver()
    expect(page.locator("#pictures-section .pic")).to_have_count(2)


def test_a_second_tab_shows_the_same_and_goes_on_when_the_first_is_closed(
    person, page, key, machine
):
    ask(page, key, a_body(n=2, models=[machine.model]))
    machine.take()
    expect(the_strip(page).locator(".frame.dev")).to_have_count(1)
    other = person.context.new_page()
    streams = []
    other.on("request", lambda each: streams.append(each.url) if "/events" in each.url else None)
    other.goto(page.url)
    expect(the_strip(other).locator(".frame.dev")).to_have_text(machine.name)
    machine.deliver()
    expect(the_strip(other).locator(".frame.done")).to_have_count(1)
    assert streams == []
    page.close()
    machine.make()
    expect(other.locator("#pictures-section .pic")).to_have_count(2)
    assert len(streams) == 1


def test_what_no_machine_can_make_says_why_and_what_would_help(page, key, machine):
    note_fills(page)
    ask(page, key, a_body("a marmot", models=["Anything Steppe"]))
    strip = the_strip(page)
    expect(strip).to_contain_text("No machine here can make this: none offers Anything Steppe.")
    expect(strip).to_contain_text(re.compile(r"it is kept until \d\d:\d\d"))
    strip.get_by_role("button", name="With any model").click()
    expect(page.locator("#underway")).to_be_hidden(timeout=WAIT_MS)
    (filled,) = fills(page)
    assert (filled["body"]["prompt"], filled["body"]["models"]) == ("a marmot", [])
    expect(page.locator(".toast")).to_contain_text("Taken back.")


def test_a_machine_that_comes_is_seen_by_who_waits_for_one(page, key, machines):
    model = f"model-{uuid.uuid4().hex[:6]}"
    ask(page, key, a_body(models=[model]))
    expect(the_strip(page)).to_contain_text("No machine here can make this")
    late = machines.come(model=model)
    if not late.jobs:
        late.take()
    expect(the_strip(page)).to_contain_text(f"{late.name} is at work")


def test_a_picture_that_is_given_to_another_machine_says_so(page, key, machine, machines):
    other = machines.come("gobi", machine.model)
    ask(page, key, a_body(models=[machine.model]))
    machine.take()
    strip = the_strip(page)
    expect(strip.locator(".frame.dev")).to_have_text(machine.name)
    machine.fail()
    expect(strip).to_contain_text(f"{machine.name} did not answer. We gave your picture to another")
    other.take()
    expect(strip.locator(".frame.dev")).to_have_text(other.name)
    other.deliver()
    expect(page.locator("#pictures-section .pic")).to_have_count(1)


def test_a_cancelled_request_keeps_what_was_made_of_it(page, key, machine):
    ask(page, key, a_body(n=3, models=[machine.model]))
    machine.make()
    machine.take()
    strip = the_strip(page)
    expect(strip.locator(".frame.dev")).to_have_count(1)
    strip.get_by_role("button", name="Cancel").click()
    expect(strip).to_contain_text("Cancelled. 1 is being made and will be kept.")
    expect(strip.get_by_role("button", name="Cancel")).to_be_hidden()
    machine.deliver()
    expect(strip).to_contain_text("Cancelled. 2 pictures were made and are kept.")
    expect(page.locator("#underway")).to_be_hidden(timeout=WAIT_MS)
    expect(page.locator("#pictures-section .pic")).to_have_count(2)


def test_what_failed_too_often_can_be_asked_again_and_put_away(page, key, machine, machines):
    note_fills(page)
    others = [machines.come("altai", machine.model) for _ in range(2)]
    ask(page, key, a_body("a saiga", models=[machine.model]))
    for each in [machine, *others]:
        each.take()
        each.fail()
    strip = the_strip(page)
    expect(strip).to_contain_text("Machines tried to make this and failed too often.")
    strip.get_by_role("button", name="Ask again").click()
    assert fills(page)[0]["body"]["prompt"] == "a saiga"
    page.reload()
    the_strip(page).get_by_role("button", name="Put away").click()
    expect(page.locator("#underway")).to_be_hidden(timeout=WAIT_MS)


def test_what_the_horde_has_forgotten_says_so(page):
    page.evaluate(
        """detail => document.dispatchEvent(new CustomEvent("ordu:asked", {detail}))""",
        {"id": str(uuid.uuid4()), "body": a_body(), "source": None, "kudos": 1},
    )
    expect(the_strip(page)).to_contain_text("This waited too long")
    expect(the_strip(page).get_by_role("button", name="Ask again")).to_be_visible()


@pytest.mark.parametrize("by_link", [True, False], ids=["links", "base64"])
def test_where_events_cannot_be_had_it_asks(page, key, machine, by_link):
    page.route("**/events", lambda route: route.fulfill(status=503, body=""))
    ask(page, key, a_body(models=[machine.model], r2=by_link))
    expect(the_strip(page)).to_contain_text("Next in line")
    machine.take()
    expect(the_strip(page)).to_contain_text("A machine is at work")
    machine.deliver()
    expect(page.locator("#pictures-section .pic img")).to_have_count(1, timeout=WAIT_MS)
    shown = page.locator("#pictures-section img").evaluate("image => image.decode()")
    assert shown is None


def test_a_cancelled_one_is_told_as_such_where_events_cannot_be_had(page, key, machine):
    page.route("**/events", lambda route: route.fulfill(status=503, body=""))
    ask(page, key, a_body(models=[machine.model]))
    expect(the_strip(page)).to_contain_text("Next in line")
    the_strip(page).get_by_role("button", name="Cancel").click()
    expect(page.locator("#underway")).to_be_hidden(timeout=WAIT_MS)


def test_many_at_once_hold_few_connections_and_all_come(page, key, machine):
    streams = []
    page.on("request", lambda each: streams.append(each.url) if "/events" in each.url else None)
    for _ in range(5):
        ask(page, key, a_body(models=[machine.model]))
    expect(the_strip(page)).to_have_count(5)
    for _ in range(5):
        machine.make()
    expect(page.locator("#pictures-section .pic")).to_have_count(5, timeout=WAIT_MS)
    assert len(set(streams)) == 3


@pytest.mark.parametrize("locale", ["en-GB", "de-AT"])
def test_nothing_keeps_people_out_of_a_request_under_way(people, key, machine, locale):
    person = people(locale=locale)
    person.sign_in(key)
    page = person.open("/")
    ask(page, key, a_body("camp fires on a wide plain", n=4, models=[machine.model]))
    machine.make()
    machine.take()
    ask(page, key, a_body("a fox asleep", models=[machine.model]))
    ask(page, key, a_body("a fox awake", models=["Anything Steppe"]))
    dead = {"id": str(uuid.uuid4()), "body": a_body(), "source": None, "kudos": 1}
    page.evaluate(
        """detail => document.dispatchEvent(new CustomEvent("ordu:asked", {detail}))""", dead
    )
    expect(page.locator(".help button")).to_have_count(3)
    expect(page.locator(".frame.done")).to_have_count(1)
    if locale == "en-GB":
        axe_everywhere(page)
    else:
        axe(page)
        expect(page.locator("#underway-title")).to_have_text("Unterwegs")
        expect(the_strip(page).first).to_contain_text(f"{machine.name} arbeitet daran")
