"""The page Account and the page Register, as people use them."""

import csv
import io
import json
import re

import pytest
from playwright.sync_api import Page, expect
from tests.pages.conftest import Person, axe_everywhere

from ordu.client import Horde


@pytest.fixture(scope="module")
def admin(horde_server):
    with Horde(horde_server.url, apikey=horde_server.admin_key) as horde:
        yield horde


@pytest.fixture
def a_user(horde_server, admin):
    """Make an account with kudos; returns its key and its number."""

    def make(name: str, kudos: int = 0) -> tuple[str, int]:
        key = horde_server.register(name)
        with Horde(horde_server.url, apikey=key) as horde:
            number = horde.get_find_user().id
        if kudos:
            admin.post_award_kudos({"username": str(number), "amount": kudos})
        return key, number

    return make


def opened(person: Person, key: str) -> Page:
    """The page Account of who is signed in with a key that stays when the page replaces it."""
    person.open("/account")
    person.page.evaluate("key => localStorage.setItem('ordu.key', key)", key)
    return person.open("/account")


# Signing in and out


def test_a_guest_signs_in_with_a_key_and_out_again(person, a_user):
    key, number = a_user("aida", 12_480)
    page = person.open("/account")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign in with your key.")
    field = page.get_by_label("Your key", exact=True)
    assert field.get_attribute("autocomplete") == "current-password"
    axe_everywhere(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Paste your key here.")
    field.fill("x" * 21)
    field.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        "This horde does not know that key. A key has 22 characters; yours has 21."
    )
    expect(field).to_be_focused()
    axe_everywhere(page)
    field.fill(f" {key} ")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("12,480 kudos.")
    expect(page.locator("#you-more")).to_contain_text(f"aida#{number}, here since")
    assert page.evaluate("localStorage.getItem('ordu.key')") == key
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign in with your key.")
    assert page.evaluate("localStorage.getItem('ordu.key')") is None


def test_a_key_can_stay_in_this_tab_only(person, a_user):
    key, _ = a_user("aida")
    page = person.open("/account")
    page.get_by_label("Keep me signed in").uncheck()
    page.get_by_label("Your key", exact=True).fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#account")).to_be_visible()
    assert page.evaluate("localStorage.getItem('ordu.key')") is None
    assert page.evaluate("sessionStorage.getItem('ordu.key')") == key


# History


def test_the_history_is_empty_and_says_how_to_begin(person, a_user):
    key, _ = a_user("aida")
    page = opened(person, key)
    expect(page.get_by_role("heading", name="Nothing has moved yet.")).to_be_visible()
    axe_everywhere(page)


@pytest.fixture(scope="module")
def busy_people(horde_server, processes):
    """The keys of somebody who asked for four pictures and of whose machine made them."""
    asks, draws = horde_server.register("asks"), horde_server.register("draws")
    with Horde(horde_server.url, apikey=horde_server.admin_key) as admin:
        for key, change in ((asks, {"kudos": 500}), (draws, {"trusted": True})):
            with Horde(horde_server.url, apikey=key) as horde:
                admin.put_user_single(horde.get_find_user().id, change)
    processes.worker(horde_server, draws, name="tulpar")
    with Horde(horde_server.url, apikey=asks) as horde:
        for _ in range(2):
            horde.generate("a fox", width=256, height=320, steps=2, n=2)
    return asks, draws


def test_the_history_tells_what_moved(people, busy_people):
    asks, draws = busy_people
    page = opened(people(), asks)
    lead = page.get_by_role("heading", level=1)
    expect(lead).to_contain_text(re.compile(r"kudos, enough for about [\d,]+ pictures like your"))
    rows = page.locator("#movements tr")
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text("Asked for a picture")
    expect(rows.first).to_contain_text("256 × 320, made by tulpar")
    expect(rows.last).to_contain_text("Set right by the administrator")
    expect(rows.last).to_contain_text("+500.00")
    axe_everywhere(page)
    theirs = opened(people(), draws)
    expect(theirs.locator("#movements tr").first).to_contain_text("tulpar made a picture")
    expect(theirs.locator("#movements tr").first).to_contain_text("for someone")


def test_the_history_is_looked_through_by_kind_and_month(person, busy_people):
    page = opened(person, busy_people[0])
    rows = page.locator("#movements tr")
    page.get_by_role("button", name="Spent").click()
    expect(rows).to_have_count(4)
    page.get_by_role("button", name="Other").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Given").click()
    expect(page.get_by_role("heading", name="Nothing here is of that kind.")).to_be_visible()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_label("Month").select_option(index=1)
    expect(rows).to_have_count(5)


def test_the_history_is_saved_as_a_table(person, busy_people):
    page = opened(person, busy_people[0])
    page.get_by_role("button", name="Spent").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == "kudos.csv"
    text = download.value.path().read_text(encoding="utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text)))
    assert [row["kind"] for row in found] == ["spent"] * 4
    expect(page.get_by_role("status").filter(has_text="4 movements are saved.")).to_be_visible()


def test_a_long_history_is_loaded_in_parts(person, a_user, admin):
    key, number = a_user("aida")
    for amount in range(1, 54):
        admin.post_award_kudos({"username": str(number), "amount": amount})
    page = opened(person, key)
    rows = page.locator("#movements tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Load more").click()
    expect(rows).to_have_count(53)
    expect(rows.last).to_contain_text("+1.00")
    expect(page.get_by_role("button", name="Load more")).to_be_hidden()


# Giving


def test_kudos_are_given_after_asking_once_more(person, a_user):
    key, _ = a_user("aida", 300)
    _, friend = a_user("jörg")
    page = opened(person, key)
    page.get_by_label("To", exact=True).fill("jorg")
    page.get_by_label("Kudos", exact=True).fill("0")
    page.locator("#give-button").click()
    expect(page.locator("#give-to-error")).to_contain_text("with its number")
    expect(page.locator("#give-amount-error")).to_contain_text("at least 1")
    expect(page.get_by_label("To", exact=True)).to_be_focused()
    axe_everywhere(page)
    page.get_by_label("To", exact=True).fill("jorg#99999")
    page.get_by_label("Kudos", exact=True).fill("1000")
    page.locator("#give-button").click()
    expect(page.locator("#give-to-error")).to_have_text("Nobody here has the number 99999.")
    page.get_by_label("To", exact=True).fill(f"whoever#{friend}")
    page.locator("#give-button").click()
    dialog = page.get_by_role("dialog", name=f"Give 1,000 kudos to jörg#{friend}?")
    axe_everywhere(page)
    dialog.get_by_role("button", name="Give 1,000 kudos").click()
    expect(page.locator("#give-amount-error")).to_contain_text("You have 300 kudos")
    page.get_by_label("Kudos", exact=True).fill("250")
    page.locator("#give-button").click()
    page.get_by_role("dialog").get_by_role("button", name="Give 250 kudos").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("50 kudos.")
    expect(page.locator("#movements tr").first).to_contain_text(f"Given to jörg#{friend}")
    expect(page.locator("#movements tr").first).to_contain_text("−250.00")


def test_kudos_whose_answer_was_lost_are_given_once(person, a_user):
    key, _ = a_user("aida", 300)
    _, friend = a_user("bo")
    page = opened(person, key)

    def lose(route):
        route.fetch()  # it arrives, and the answer does not
        route.abort()

    page.route("**/api/v2/kudos/transfer", lose, times=1)
    page.get_by_label("To", exact=True).fill(f"bo#{friend}")
    page.get_by_label("Kudos", exact=True).fill("100")
    for _ in range(2):
        page.locator("#give-button").click()
        page.get_by_role("dialog").get_by_role("button", name="Give 100 kudos").click()
        page.get_by_role("dialog").wait_for(state="hidden")
    expect(page.get_by_role("heading", level=1)).to_have_text("200 kudos.")


# About oneself, the key, the data, the end


def test_name_contact_and_machines_are_changed(person, a_user, admin):
    key, number = a_user("aida")
    page = opened(person, key)
    page.get_by_label("Name", exact=True).fill("x" * 31)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#name-error")).to_contain_text("31 characters")
    page.get_by_label("Name", exact=True).fill("<b>aïda")
    page.get_by_label("How to reach you").fill("here")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#contact-error")).not_to_be_empty()
    expect(page.get_by_label("How to reach you")).to_be_focused()
    axe_everywhere(page)
    page.get_by_label("How to reach you").fill("at the well")
    page.get_by_label("Everybody may see").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#my-name")).to_have_text(f"<b>aïda#{number}")
    user = admin.get_user_single(number)
    assert (user.username, user.contact) == (f"<b>aïda#{number}", "at the well")
    person.open("/account")
    expect(page.get_by_label("Everybody may see")).to_be_checked()
    expect(page.get_by_label("How to reach you")).to_have_value("at the well")


def test_the_key_is_replaced_and_shown_once(person, a_user, horde_server):
    key, _ = a_user("aida", 70)
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(person, key)
    page.get_by_role("button", name="Replace…").click()
    axe_everywhere(page)
    page.get_by_role("dialog").get_by_role("button", name="Replace the key").click()
    note = page.get_by_role("group", name="Your new key")
    expect(note).to_contain_text("It is shown only now.")
    new = note.locator("code").inner_text()
    assert re.fullmatch(r"[\w-]{22}", new)
    axe_everywhere(page)
    note.get_by_role("button", name="Copy").click()
    expect(note.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == new
    note.get_by_role("button", name="I have kept it").click()
    expect(note).to_have_count(0)
    person.open("/account")
    expect(page.get_by_role("heading", level=1)).to_have_text("70 kudos.")
    assert new not in page.content()
    with Horde(horde_server.url, apikey=new) as horde:
        assert horde.get_find_user().kudos == 70


def test_somebody_takes_their_data(person, a_user):
    key, number = a_user("aida", 70)
    page = opened(person, key)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == f"ordu-aida-{number}.json"
    found = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert found["account"]["username"] == f"aida#{number}"
    assert [each["amount"] for each in found["kudos"]] == [70]


def test_an_account_is_deleted_and_taken_back(person, a_user, admin):
    key, number = a_user("aida")
    page = opened(person, key)
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog", name=f"Delete aida#{number}?")
    dialog.get_by_label("Type aida").fill("aida")
    dialog.get_by_role("button", name="Delete the account").click()
    expect(dialog).to_contain_text(f"That is not aida#{number}.")
    axe_everywhere(page)
    dialog.get_by_label("Type aida").fill(f"aida#{number}")
    dialog.get_by_role("button", name="Delete the account").click()
    note = page.locator(".deleted")
    expect(note).to_contain_text("This account is deleted.")
    expect(note).to_contain_text("is wiped on")
    axe_everywhere(page)
    assert admin.get_user_single(number).deleted is True
    person.open("/account")
    expect(note).to_contain_text("is wiped 30 days after")
    note.get_by_role("button", name="Take it back").click()
    expect(note).to_have_count(0)
    assert admin.get_user_single(number).deleted is False


def test_a_moderator_is_told_that_they_cannot_be_deleted(person, a_user, admin):
    key, number = a_user("mo")
    admin.put_user_single(number, {"moderator": True})
    page = opened(person, key)
    page.get_by_role("button", name="Delete…").click()
    page.get_by_label("Type mo").fill(f"mo#{number}")
    page.get_by_role("dialog").get_by_role("button", name="Delete the account").click()
    expect(page.get_by_role("dialog")).to_contain_text("cannot be deleted while they are")


# Registering


@pytest.mark.parametrize("stays", [True, False])
def test_somebody_takes_a_name_and_is_signed_in(person, stays):
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = person.open("/register")
    page.get_by_label("Name").fill("nomi")
    page.get_by_role("button", name="Get a key").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"You are nomi#\d+\."))
    key = page.locator("#key-note code").inner_text()
    axe_everywhere(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0  # not asked for yet
    if not stays:
        page.get_by_label("Keep me signed in").uncheck()
    page.get_by_role("button", name="I have kept it").click()
    expect(page.locator("#signed-in")).to_contain_text("You are signed in")
    where = "localStorage" if stays else "sessionStorage"
    assert page.evaluate(f"{where}.getItem('ordu.key')") == key
    expect(page.locator("#my-name")).to_contain_text("nomi#")
    axe_everywhere(page)


def test_a_name_that_is_too_long_is_refused_beside_its_field(person):
    page = person.open("/register")
    page.get_by_label("Name").fill("x" * 31)
    page.get_by_role("button", name="Get a key").click()
    expect(page.locator("#username-error")).to_contain_text("31 characters")
    expect(page.get_by_label("Name")).to_be_focused()
    axe_everywhere(page)


def test_a_name_is_taken_without_scripts(people):
    page = people(java_script_enabled=False).open("/register")
    page.get_by_label("Name").fill("quiet")
    page.get_by_role("button", name="Get a key").click()
    expect(page.locator("#key-note code")).to_have_text(re.compile(r"[\w-]{22}"))
    expect(page.get_by_role("button", name="I have kept it")).to_be_hidden()


def test_the_pages_speak_german(people, busy_people):
    page = opened(people(locale="de-DE"), busy_people[0])
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"genug für etwa \d+"))
    expect(page.locator("#movements tr").last).to_contain_text("+500,00")
    axe_everywhere(page)
