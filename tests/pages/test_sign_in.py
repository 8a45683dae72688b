"""Signing in by a provider, as somebody at a browser does it, with a real provider beside."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.openid_provider import a_provider, tell
from tests.pages.conftest import PHONE, WAIT_MS, WIDE, Person, axe_everywhere, watch
from tests.system.processes import Processes, Server

from ordu.client import Horde, NotFound

STYLES = "https://cdn.jsdelivr.net/"  # where the provider's own pages would have them from


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that knows all by a name, but bob."""
    with a_provider() as issuer:
        for name in ("alice", "carol", "dora", "erin"):
            tell(issuer, name, preferred_username=name, email=f"{name}@example.org")
        tell(issuer, "bob", name="Bob the Builder", email="bob@example.org")
        yield issuer


@pytest.fixture(scope="module")
def horde_server(processes: Processes, issuer: str) -> Server:
    return processes.server(
        *("--oidc", f"house={issuer}", "--oidc-names", "house=The House"),
        *("--oidc-client-ids", "house=ordu", "--oidc-client-secrets", "house=secret"),
    )


@pytest.fixture
def people(browser: Browser, horde_server: Server, issuer: str) -> Iterator[Callable[..., Person]]:
    """The same as those of other pages, who are also sent to the provider, and nowhere else."""
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    def come(*, locale: str = "en-GB", is_phone: bool = False) -> Person:
        viewport = PHONE if is_phone else WIDE
        context = browser.new_context(locale=locale, viewport=viewport)  # type: ignore[arg-type]
        context.set_default_timeout(WAIT_MS)
        context.route(f"{STYLES}**", lambda route: route.abort())
        contexts.append(context)
        page = context.new_page()
        watch(page, horde_server.url, faults)
        return Person(horde_server, context, page)

    yield come
    for context in contexts:
        context.close()
    assert [each for each in faults if issuer not in each and STYLES not in each] == []


def agree(page: Page, subject: str) -> None:
    """Say at the provider who one is."""
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize", exact=True).click()


def sign_in(person: Person, subject: str = "alice", at: str = "/account") -> Page:
    page = person.open(at)
    page.get_by_role("link", name="Sign in with The House").click()
    agree(page, subject)
    page.wait_for_url(f"{person.server.url}/account")
    return page


def key_in(page: Page) -> str | None:
    key: str | None = page.evaluate("localStorage.getItem('ordu.key')")
    return key


def is_known(server: Server, key: str) -> bool:
    with Horde(server.url, key) as horde:
        try:
            return bool(horde.get_find_user().username)
        except NotFound:
            return False


@pytest.mark.parametrize("at", ["/account", "/register"])
def test_one_presses_a_button_says_who_one_is_and_is_signed_in_until_one_signs_out(
    person, horde_server, at
):
    page = sign_in(person, at=at)
    expect(page.locator("#my-name")).to_have_text(re.compile(r"alice#\d+"))
    expect(page.get_by_role("link", name="Sign in with The House")).to_be_hidden()
    page.reload()
    expect(page.locator("#my-name")).to_have_text(re.compile(r"alice#\d+"))
    key = key_in(page)
    assert key is not None
    assert is_known(horde_server, key)
    assert [each["name"] for each in person.context.cookies()] == []
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in with The House")).to_be_visible()
    assert key_in(page) is None
    assert not is_known(horde_server, key)


def test_the_page_with_the_key_is_not_gone_back_to(person):
    page = sign_in(person)
    page.go_back()
    assert not page.url.startswith(person.server.url)
    assert 'data-key="' not in page.content()


def test_whom_the_provider_gives_no_name_takes_one(person):
    page = person.open("/account")
    page.get_by_role("link", name="Sign in with The House").click()
    agree(page, "bob")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Take a name.")
    assert "Builder" not in page.content()
    axe_everywhere(page)
    page.get_by_label("Name").fill("b" * 31)
    page.get_by_role("button", name="Make the account").click()
    expect(page.locator("#username-error")).to_contain_text("31 characters")
    axe_everywhere(page)
    page.get_by_label("Name").fill("bob")
    page.keyboard.press("Enter")
    expect(page.locator("#my-name")).to_have_text(re.compile(r"bob#\d+"))
    page.wait_for_url("**/account")


def test_who_says_no_is_told_so_and_can_begin_again(person):
    page = person.open("/account")
    page.get_by_role("link", name="Sign in with The House").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You are not signed in.")
    axe_everywhere(page)
    page.get_by_role("link", name="Sign in with The House").click()
    agree(page, "alice")
    expect(page.locator("#my-name")).to_have_text(re.compile(r"alice#\d+"))


def test_an_answer_that_is_nobodys_is_told_in_german(people):
    page = people(locale="de-DE", is_phone=True).open("/sign-in/house/callback?code=x&state=y")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Diese Anmeldung ist vorbei.")
    axe_everywhere(page)


def test_an_account_with_a_key_is_linked_entered_and_unlinked(people, horde_server):
    own = horde_server.register("carol")
    carol = people()
    carol.sign_in(own)
    page = carol.open("/account")
    axe_everywhere(page)
    page.get_by_role("button", name="Sign in with The House next time").click()
    agree(page, "carol")
    page.wait_for_url("**/account")
    expect(page.locator("#identities")).to_contain_text(re.compile(r"The House, since \w"))
    axe_everywhere(page)
    assert key_in(page) == own
    other = sign_in(people(), "carol")
    expect(other.locator("#my-name")).to_have_text(page.locator("#my-name").inner_text())
    page.get_by_role("button", name="Unlink The House").click()
    expect(page.get_by_role("button", name="Sign in with The House next time")).to_be_visible()


def test_the_last_way_in_cannot_be_unlinked_and_says_what_to_do(person):
    page = sign_in(person, "dora")
    page.get_by_role("button", name="Unlink The House").click()
    expect(page.get_by_role("alert")).to_contain_text("Make a key for it first")
    axe_everywhere(page)


def test_an_account_without_a_key_makes_one_and_its_browser_stays_signed_in(person, horde_server):
    page = sign_in(person, "erin")
    browsers = key_in(page)
    page.get_by_role("button", name="Make a key…").click()
    expect(page.get_by_role("dialog")).to_contain_text("Your browsers stay signed in.")
    axe_everywhere(page)
    page.get_by_role("button", name="Make the key").click()
    own = page.locator("#note code").inner_text()
    assert is_known(horde_server, own)
    assert key_in(page) == browsers
    expect(page.get_by_role("button", name="Replace…")).to_be_visible()
    page.get_by_role("button", name="Unlink The House").click()
    expect(page.get_by_role("button", name="Sign in with The House next time")).to_be_visible()
    page.get_by_role("button", name="Replace…").click()
    page.get_by_role("button", name="Replace the key").click()
    expect(page.locator("#note code")).not_to_have_text(own)
    assert browsers is not None
    assert [is_known(horde_server, key) for key in (own, browsers)] == [False, False]
    assert key_in(page) == page.locator("#note code").inner_text()


def test_signing_in_again_ends_the_key_before(person, horde_server):
    page = sign_in(person)
    first = key_in(page)
    person.open("/sign-in/house?to=/account")
    agree(page, "alice")
    page.wait_for_url("**/account")
    second = key_in(page)
    assert first is not None
    assert second is not None
    assert first != second
    assert [is_known(horde_server, key) for key in (first, second)] == [False, True]


def test_a_link_of_another_site_signs_nobody_in(person, horde_server, issuer):
    page = person.page
    page.goto(f"{issuer}/")
    page.evaluate(f"location.href = '{horde_server.url}/sign-in/house'")
    page.wait_for_url(f"{horde_server.url}/account")
    expect(page.get_by_role("link", name="Sign in with The House")).to_be_visible()
