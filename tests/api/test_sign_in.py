"""Signing in by a provider, over HTTP: the way there and back, and every way to cheat on it.

The provider is one that lies when it is told to (`tests.openid_provider`); what a token may say is
proved in `tests/unit/openid`. The browser is httpx, which keeps cookies as browsers do.
"""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import HandClock
from tests.openid_provider import CLIENT, SECRET, Liar, a_liar

from ordu.engine.horde import Horde
from ordu.engine.sign_ins import forget_expired
from ordu.server.run import Opened, open_horde
from ordu.server.signing_in import COOKIE, LASTS_MS
from ordu.settings import ServerSettings, SettingError
from ordu.store import sign_ins
from ordu.store.sign_ins import OF_A_USER_MAX

pytestmark = pytest.mark.anyio

BEGIN, CALLBACK, NAME = "/sign-in/liar", "/sign-in/liar/callback", "/sign-in/liar/name"
SIGN_IN, FIND = "/api/v2/sign_in", "/api/v2/find_user"
KEY = re.compile(r'data-key="([A-Za-z0-9_-]{22})"')
DAY_S = 86_400
ADA = {"sub": "sub-ada", "preferred_username": "ada"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock(int(time.time() * 1000))


@pytest.fixture
async def liar(clock: HandClock) -> AsyncIterator[Liar]:
    async with a_liar() as liar:
        liar.claims = dict(ADA)
        liar.now_s = lambda: clock.now() // 1000
        yield liar


@pytest.fixture
def settings(settings: ServerSettings, liar: Liar) -> ServerSettings:
    return msgspec.structs.replace(
        settings,
        oidc={"liar": liar.issuer},
        oidc_client_ids={"liar": CLIENT},
        oidc_client_secrets={"liar": SECRET},
        oidc_names={"liar": "The Liar"},
        oidc_timeout_s=2,
    )


# A browser


async def go(api: httpx.AsyncClient, to: str = "/lend") -> str:
    """Press the button; gives where the browser is sent."""
    reply = await api.get(BEGIN, params={"to": to})
    assert reply.status_code == 303, reply.text
    return reply.headers["location"]


async def come(api: httpx.AsyncClient, liar: Liar, code: str = "code") -> httpx.Response:
    """The whole way, there and back."""
    return await api.get(liar.came_back(await go(api), f"{code}-{time.monotonic_ns()}"))


async def enter(api: httpx.AsyncClient, liar: Liar) -> dict[str, str]:
    """The same; gives the header with the key of the browser."""
    return key_on(await come(api, liar))


def key_on(page: httpx.Response) -> dict[str, str]:
    assert page.status_code == 200, page.text
    found = KEY.search(page.text)
    assert found is not None, page.text
    return {"apikey": found[1]}


async def who(api: httpx.AsyncClient, key: dict[str, str]) -> dict[str, Any] | None:
    reply = await api.get(FIND, headers=key)
    return reply.json() if reply.status_code == 200 else None


def other_browser(api: httpx.AsyncClient) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=api._transport, base_url="http://horde.test")


async def users_in(horde: Horde) -> int:
    (row,) = await horde.read(lambda tx: tx.all("SELECT COUNT(*) AS many FROM users"))
    return row["many"]


# The way there and back


async def test_who_comes_by_a_provider_has_an_account_and_their_browser_a_key(api, liar):
    page = await come(api, liar)
    user = await who(api, key_on(page))
    assert user is not None
    assert user["username"] == "ada#2"
    assert user["pseudonymous"] is False
    assert 'href="/lend"' in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_who_comes_again_is_the_same_and_has_another_key(api, liar):
    first = await enter(api, liar)
    second = await enter(api, liar)
    assert first != second
    users = [await who(api, key) for key in (first, second)]
    assert [user and user["id"] for user in users] == [2, 2]


async def test_somebody_else_is_somebody_else(api, liar):
    await enter(api, liar)
    liar.claims["sub"] = "sub-grace"
    user = await who(api, await enter(api, liar))
    assert user is not None
    assert user["username"] == "ada#3"


async def test_the_key_is_taken_wherever_the_accounts_own_is(api, liar, ask):
    key = await enter(api, liar)
    placed = await ask(headers=key)
    assert (await api.get(f"/api/v2/generate/check/{placed['id']}")).status_code == 200
    models = await api.get("/v1/models", headers={"Authorization": f"Bearer {key['apikey']}"})
    assert models.status_code == 200
    mine = await api.get("/api/v2/users/2", headers=key)
    assert mine.json()["active_generations"]["image"] == [placed["id"]]


async def test_no_key_of_a_browser_is_kept_in_clear(api, liar, horde):
    key = await enter(api, liar)
    rows = await horde.read(lambda tx: tx.all("SELECT * FROM sign_ins"))
    assert [row["key_hash"][:3] for row in rows] == ["h1:"]
    assert not any(key["apikey"] in str(tuple(row)) for row in rows)


async def test_the_cookie_is_of_this_sign_in_only_and_gone_afterwards(api, liar):
    reply = await api.get(BEGIN)
    cookie = reply.headers["set-cookie"]
    for part in ("Max-Age=600", "Path=/sign-in/liar", "HttpOnly", "SameSite=Lax"):
        assert part in cookie.split("; ")
    page = await api.get(liar.came_back(reply.headers["location"]))
    assert f"{COOKIE}=; Max-Age=0; Path=/sign-in/liar" in page.headers["set-cookie"]
    assert not api.cookies


async def test_the_cookie_goes_over_https_only_where_the_horde_is_there(settings, clock, liar):
    from ordu.server.app import make_app

    async with open_horde(settings, "https://horde.test/ordu", clock=clock) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="https://horde.test") as api:
            reply = await api.get(BEGIN, params={"to": "/ordu/lend"})
            assert {"Secure", "Path=/ordu/sign-in/liar"} <= {
                *reply.headers["set-cookie"].split("; ")
            }
            query = parse_qs(urlsplit(reply.headers["location"]).query)
            assert query["redirect_uri"] == ["https://horde.test/ordu/sign-in/liar/callback"]


async def test_the_buttons_are_where_one_takes_a_name_and_where_one_signs_in(api):
    for path in ("/register", "/account"):
        page = (await api.get(path)).text
        assert '<a class="b" rel="nofollow" href="/sign-in/liar?to=/account">' in page
        assert "Sign in with The Liar" in page


# Names


async def test_without_a_name_one_is_asked_for(api, liar, horde):
    liar.claims = {"sub": "sub-ada", "name": "Ada Lovelace", "email": "ada@example.org"}
    page = await come(api, liar)
    assert page.status_code == 200
    assert "Lovelace" not in page.text
    assert await users_in(horde) == 2
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form is not None
    sent = {"form": form[1], "username": "x" * 31}
    again = await api.post(NAME, data=sent)
    assert again.status_code == 400
    assert "has 31 characters" in again.text
    assert 'aria-invalid="true"' in again.text
    key = key_on(await api.post(NAME, data={**sent, "username": " ada "}))
    user = await who(api, key)
    assert user is not None
    assert user["username"] == "ada#2"
    assert not api.cookies


UNFITTING = ["x" * 31, " \t ", "\u200b", "ada@example.org"]


@pytest.mark.parametrize("name", UNFITTING)
async def test_a_name_that_does_not_fit_is_asked_for(api, liar, name):
    liar.claims["preferred_username"] = name
    assert "Take a name." in (await come(api, liar)).text


async def test_a_name_is_escaped(api, liar):
    liar.claims["preferred_username"] = "<script>x</script>"
    user = await who(api, await enter(api, liar))
    assert user is not None
    assert user["username"] == "<script>x</script>#2"


async def test_a_name_for_another_browser_is_not_taken(api, liar, horde):
    liar.claims = {"sub": "sub-ada"}
    page = await come(api, liar)
    (form,) = re.findall(r'name="form" value="([^"]+)"', page.text)
    async with other_browser(api) as other:
        stolen = await other.post(NAME, data={"form": form, "username": "eve"})
    forged = await api.post(NAME, data={"form": "x", "username": "eve"})
    assert [stolen.status_code, forged.status_code] == [400, 400]
    assert await users_in(horde) == 2


async def test_a_raided_horde_makes_no_accounts_and_lets_those_in_who_have_one(api, liar, horde):
    await enter(api, liar)
    await api.put("/api/v2/status/modes", headers=ADMIN, json={"raid": True})
    assert await enter(api, liar)
    for claims in ({"sub": "new", "preferred_username": "eve"}, {"sub": "new"}):
        liar.claims = claims
        page = await come(api, liar)
        assert page.status_code == 403
        assert "makes no new accounts now" in page.text
    assert await users_in(horde) == 3


async def test_a_form_that_was_shown_before_a_raid_is_not_taken_in_it(api, liar, horde):
    liar.claims = {"sub": "sub-ada"}
    (form,) = re.findall(r'name="form" value="([^"]+)"', (await come(api, liar)).text)
    await api.put("/api/v2/status/modes", headers=ADMIN, json={"raid": True})
    page = await api.post(NAME, data={"form": form, "username": "eve"})
    assert page.status_code == 403
    assert await users_in(horde) == 2


async def test_two_browsers_at_once_make_one_account(api, liar, horde):
    liar.claims = {"sub": "sub-ada"}
    keys = []
    async with other_browser(api) as other:
        forms = []
        for browser in (api, other):
            page = await come(browser, liar)
            forms.append(re.findall(r'name="form" value="([^"]+)"', page.text)[0])
        for browser, form in zip((api, other), forms, strict=True):
            page = await browser.post(NAME, data={"form": form, "username": "ada"})
            keys.append(key_on(page))
    assert [(await who(api, key) or {})["id"] for key in keys] == [2, 2]
    assert await users_in(horde) == 3


# Cheating


async def test_an_answer_without_a_sign_in_is_not_taken(api, liar, horde):
    back = liar.came_back(await go(api))
    async with other_browser(api) as other:
        page = await other.get(back)
    assert page.status_code == 400
    assert "This sign-in is over." in page.text
    assert "/token" not in liar.paths()
    assert await users_in(horde) == 2


STATES = [
    pytest.param("&state=x", id="a state of nobody"),
    pytest.param("", id="no state"),
    pytest.param("&state=", id="an empty one"),
    pytest.param("&state=%C3%A9%00", id="one that is no text of ours"),
]


@pytest.mark.parametrize("state", STATES)
async def test_an_answer_to_another_question_is_not_taken(api, liar, state):
    await go(api)
    page = await api.get(f"{CALLBACK}?code=x{state}")
    assert page.status_code == 400
    assert "/token" not in liar.paths()


async def test_the_code_of_another_in_the_sign_in_of_a_victim(api, liar):
    """The answer to the attacker's question, opened by a victim who has a question of their own."""
    async with other_browser(api) as attacker:
        back = liar.came_back(await go(attacker))
    await go(api)
    page = await api.get(back)
    assert page.status_code == 400
    assert "/token" not in liar.paths()


async def test_a_code_of_another_session_is_not_believed(api, liar):
    """The victim's state with the attacker's code: the provider's token has another nonce."""
    mine = liar.came_back(await go(api))
    async with other_browser(api) as attacker:
        liar.came_back(await go(attacker))  # the token is made for this one
    page = await api.get(mine)
    assert page.status_code == 403
    assert "could not be checked" in page.text


async def test_an_answer_is_taken_once(api, liar):
    back = liar.came_back(await go(api))
    cookie = api.cookies[COOKIE]
    assert (await api.get(back)).status_code == 200
    assert (await api.get(back)).status_code == 400
    api.cookies.set(COOKIE, cookie, domain="horde.test", path="/sign-in/liar")
    page = await api.get(back)
    assert page.status_code == 403
    assert not KEY.search(page.text)


def changed(cookie: str, **change: object) -> str:
    content, _, signed = cookie.partition(".")
    raw = msgspec.json.decode(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    forged = base64.urlsafe_b64encode(msgspec.json.encode(raw | change)).decode().rstrip("=")
    return f"{forged}.{signed}"


TAMPERED = [
    pytest.param(lambda cookie: changed(cookie, state="x"), id="another state"),
    pytest.param(
        lambda cookie: changed(cookie, link={"user_id": 1, "proof": "x"}), id="an account to link"
    ),
    pytest.param(lambda cookie: changed(cookie, until=2**52), id="more time"),
    pytest.param(lambda cookie: cookie[:1] + "A" + cookie[2:], id="a letter"),
    pytest.param(lambda cookie: cookie.partition(".")[0], id="no signature"),
    pytest.param(lambda cookie: cookie.partition(".")[0] + ".", id="an empty signature"),
    pytest.param(lambda cookie: "." + cookie.partition(".")[2], id="nothing that is signed"),
    pytest.param(lambda cookie: "x" * 5000, id="a huge one"),
    pytest.param(lambda cookie: "%00..!!", id="rubbish"),
]


@pytest.mark.parametrize("tamper", TAMPERED)
async def test_a_cookie_that_was_changed_is_none(api, liar, tamper):
    address = await go(api)
    cookie = tamper(api.cookies[COOKIE])
    state = parse_qs(urlsplit(address).query)["state"][0]
    api.cookies.clear()
    api.cookies.set(COOKIE, cookie, domain="horde.test", path="/sign-in/liar")
    for each in (state, "x"):
        assert (await api.get(f"{CALLBACK}?code=c&state={each}")).status_code == 400
    assert "/token" not in liar.paths()


async def test_a_cookie_of_another_horde_is_none(api, liar, opened, settings, clock, tmp_path):
    from ordu.server.secret import Secret
    from ordu.server.signing_in import read_cookie

    await go(api)
    jar = {COOKIE: api.cookies[COOKIE]}
    assert read_cookie(opened.secret, jar, "liar", clock.now()) is not None
    assert read_cookie(opened.secret, jar, "other", clock.now()) is None
    assert read_cookie(Secret("x" * 22), jar, "liar", clock.now()) is None


async def test_a_sign_in_has_ten_minutes(api, liar, clock):
    back = liar.came_back(await go(api))
    clock.forward(ms=LASTS_MS)
    assert (await api.get(back)).status_code == 400


LIES = [
    pytest.param({"nonce": "x"}, id="made for another sign-in"),
    pytest.param({"aud": "another"}, id="made for another program"),
    pytest.param({"iss": "http://evil.test"}, id="another issuer"),
    pytest.param({"exp": 1}, id="long over"),
]


@pytest.mark.parametrize("claims", LIES)
async def test_a_lie_signs_nobody_in(api, liar, horde, claims):
    liar.claims |= claims
    page = await come(api, liar)
    assert page.status_code == 403
    assert "could not be checked" in page.text
    assert not KEY.search(page.text)
    assert await users_in(horde) == 2


PLACES = [
    pytest.param("https://evil.test/", id="another site"),
    pytest.param("//evil.test/", id="another site without a scheme"),
    pytest.param("/\\evil.test/", id="a backslash"),
    pytest.param("/\t/evil.test/", id="a tab between the slashes"),
    pytest.param("javascript:alert(1)", id="a script"),
    pytest.param("evil.test", id="no path"),
    pytest.param("", id="nothing"),
    pytest.param("/" + "x" * 5000, id="too long"),
]


@pytest.mark.parametrize("to", PLACES)
async def test_one_goes_on_to_this_site_only(api, liar, to):
    page = await api.get(liar.came_back(await go(api, to)))
    assert 'href="/" data-key' in page.text


async def test_a_link_on_another_site_leads_to_the_page_with_the_button(api, liar):
    for site in ("cross-site", "same-site"):
        reply = await api.get(BEGIN, headers={"Sec-Fetch-Site": site})
        assert reply.headers["location"] == "/account"
        assert "set-cookie" not in reply.headers
    assert not liar.asked


async def test_who_says_no_at_the_provider_is_not_signed_in(api, liar):
    state = parse_qs(urlsplit(await go(api)).query)["state"][0]
    page = await api.get(f"{CALLBACK}?error=access_denied&state={state}")
    assert page.status_code == 403
    assert "The Liar did not say who you are." in page.text
    assert not api.cookies


async def test_a_no_without_the_state_ends_no_sign_in(api, liar):
    back = liar.came_back(await go(api))
    page = await api.get(f"{CALLBACK}?error=access_denied")
    assert page.status_code == 403
    assert (await api.get(back)).status_code == 200


async def test_an_error_of_a_stranger_is_not_shown(api):
    page = await api.get(f"{CALLBACK}?error=%3Cscript%3E&error_description=call+0900")
    assert page.status_code == 400
    assert "0900" not in page.text


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token"])
@pytest.mark.parametrize("how", ["silent", "broken", "huge"])
async def test_a_provider_that_is_down_gives_a_page(api, liar, path, how, horde):
    horde.providers["liar"].timeout_s = 0.2
    if how == "silent":
        liar.silent.add(path)
    else:
        liar.pages[path] = (500, b"{}") if how == "broken" else (200, b"x" * 1_000_000)
    page = await api.get(BEGIN)
    if page.status_code == 303:
        page = await api.get(liar.came_back(page.headers["location"]))
    assert page.status_code == 503
    assert page.headers["retry-after"]
    assert "The Liar does not answer as it should." in page.text


async def test_steps_are_counted_by_address(settings, clock, liar):
    from ordu.server.app import make_app

    settings = msgspec.structs.replace(settings, rate_limits=True)
    async with open_horde(settings, "http://horde.test", clock=clock) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as api:
            statuses = [(await api.get(BEGIN)).status_code for _ in range(31)]
            assert statuses == [303] * 30 + [429]


async def test_a_provider_that_nobody_named_has_no_page(api):
    for path in ("/sign-in/other", "/sign-in/other/callback", "/sign-in", "/sign-in/"):
        assert (await api.get(path)).status_code == 404


# The key of a browser ends


async def test_signing_out_ends_the_key(api, liar):
    one, other = await enter(api, liar), await enter(api, liar)
    reply = await api.delete(SIGN_IN, headers=one)
    assert reply.json() == {"message": "OK"}
    assert await who(api, one) is None
    assert await who(api, other) is not None
    assert (await api.delete(SIGN_IN, headers=one)).json()["rc"] == "InvalidAPIKey"


async def test_the_accounts_own_key_is_not_signed_out(api, register):
    own = await register("ferris")
    reply = await api.delete(SIGN_IN, headers=own)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")
    assert "replace it" in reply.json()["message"]
    assert await who(api, own) is not None
    assert (await api.delete(SIGN_IN, headers=ANONYMOUS)).json()["rc"] == "AnonForbidden"


async def test_the_key_ends_when_its_time_is_over(api, liar, horde, clock):
    key = await enter(api, liar)
    clock.forward(s=30 * DAY_S - 1)
    assert await who(api, key) is not None
    clock.forward(s=1)
    assert await who(api, key) is None
    await forget_expired(horde)
    assert await horde.read(lambda tx: tx.all("SELECT * FROM sign_ins")) == []


async def test_of_too_many_browsers_the_oldest_is_signed_out(api, liar, clock):
    keys = []
    for _ in range(OF_A_USER_MAX + 1):
        keys.append(await enter(api, liar))
        clock.forward(s=1)
    known = [await who(api, key) is not None for key in keys]
    assert known == [False] + [True] * OF_A_USER_MAX


async def new_key(horde: Horde, opened: Opened, user_id: int, key: str) -> None:
    from ordu.store import users

    key_hash = opened.secret.hash_of(key)
    await horde.write(lambda tx: users.set_key_hash(tx, user_id, key_hash))


async def test_the_first_key_of_the_account_ends_none_and_its_replacement_all(
    api, liar, horde, opened
):
    browsers = [await enter(api, liar) for _ in range(2)]
    await new_key(horde, opened, 2, "a" * 22)
    assert [await who(api, key) is not None for key in browsers] == [True, True]
    await new_key(horde, opened, 2, "a" * 22)
    assert [await who(api, key) is not None for key in browsers] == [True, True]
    await new_key(horde, opened, 2, "b" * 22)
    assert [await who(api, key) for key in browsers] == [None, None]
    assert await who(api, {"apikey": "b" * 22}) is not None


@pytest.mark.parametrize("by", ["the user", "a moderator"])
async def test_a_deleted_account_is_signed_out_where_it_was_not_deleted(api, liar, by):
    mine, other = await enter(api, liar), await enter(api, liar)
    key = mine if by == "the user" else ADMIN
    assert (await api.delete("/api/v2/users/2", headers=key)).status_code == 200
    assert await who(api, other) is None
    assert (await who(api, mine) is not None) == (by == "the user")
    again = await enter(api, liar)
    assert (await who(api, again) or {})["deleted"] is True
    await api.put("/api/v2/users/2", headers=again, json={"undelete": True})
    assert (await who(api, again) or {})["deleted"] is False


async def test_of_a_wiped_account_nothing_stays(api, liar, horde, clock):
    from ordu.engine.leaving import KEPT_MS, wipe_deleted

    key = await enter(api, liar)
    await api.delete("/api/v2/users/2", headers=key)
    key = await enter(api, liar)
    clock.forward(ms=KEPT_MS)
    await wipe_deleted(horde)
    assert await who(api, key) is None
    for table in ("sign_ins", "identities"):
        assert await horde.read(lambda tx, table=table: tx.all(f"SELECT * FROM {table}")) == []
    user = await who(api, await enter(api, liar))
    assert user is not None
    assert user["id"] == 3


async def test_a_change_of_the_user_is_seen_by_all_their_keys(api, liar, register):
    keys = [await enter(api, liar) for _ in range(3)]
    for key in keys:
        assert (await who(api, key) or {})["trusted"] is False
    await api.put("/api/v2/users/2", headers=ADMIN, json={"trusted": True})
    for key in keys:
        assert (await who(api, key) or {})["trusted"] is True


async def test_keys_of_a_browser_end_at_once_for_all_that_is_remembered(api, liar, horde):
    key = await enter(api, liar)
    assert await who(api, key) is not None  # remembered from now on
    await horde.write(lambda tx: sign_ins.end_all(tx, 2))
    assert await who(api, key) is None


# Linking an account that has a key

MINE = "/api/v2/users/2/identities"


async def link(api: httpx.AsyncClient, key: dict[str, str], to: str = "/account") -> httpx.Response:
    return await api.post(MINE, headers=key, json={"provider": "liar", "to": to})


async def link_whole(
    api: httpx.AsyncClient, liar: Liar, key: dict[str, str], user_id: int = 2
) -> httpx.Response:
    reply = await api.post(
        f"/api/v2/users/{user_id}/identities", headers=key, json={"provider": "liar"}
    )
    assert reply.status_code == 200, reply.text
    return await api.get(liar.came_back(reply.json()["url"], f"code-{time.monotonic_ns()}"))


async def linked(api: httpx.AsyncClient, key: dict[str, str]) -> list[dict[str, Any]]:
    reply = await api.get(MINE, headers=key)
    assert reply.status_code == 200, reply.text
    identities: list[dict[str, Any]] = reply.json()["identities"]
    return identities


async def test_an_account_is_linked_and_entered_by_the_provider_from_then_on(api, liar, register):
    own = await register("ferris")
    assert (await who(api, own) or {})["pseudonymous"] is True
    reply = await link(api, own)
    assert reply.headers["cache-control"] == "no-store"
    page = await api.get(liar.came_back(reply.json()["url"]))
    assert (page.status_code, page.headers["location"]) == (303, "/account")
    assert not api.cookies
    assert (await who(api, own) or {})["pseudonymous"] is False
    user = await who(api, await enter(api, liar))
    assert user is not None
    assert user["username"] == "ferris#2"
    told = (await api.get(MINE, headers=own)).json()
    (identity,) = told["identities"]
    assert {"provider": "liar", "name": "The Liar"}.items() <= identity.items()
    assert told["providers"] == [{"provider": "liar", "name": "The Liar"}]
    assert told["has_key"] is True


async def test_only_the_browser_that_asked_with_the_key_can_link(api, liar, register):
    """Login confusion: an attacker's link, opened by a victim, would link the victim's identity."""
    own = await register("eve")
    back = liar.came_back((await link(api, own)).json()["url"])
    async with other_browser(api) as victim:
        assert (await victim.get(back)).status_code == 400
        await go(victim)
        assert (await victim.get(back)).status_code == 400
    assert await linked(api, own) == []
    assert "/token" not in liar.paths()


async def test_the_key_must_still_be_the_accounts_when_the_answer_comes(
    api, liar, register, horde, opened
):
    own = await register("ferris")
    back = liar.came_back((await link(api, own)).json()["url"])
    await new_key(horde, opened, 2, "b" * 22)
    page = await api.get(back)
    assert page.status_code == 401
    assert "no longer the account" in page.text
    assert await linked(api, {"apikey": "b" * 22}) == []


async def test_an_account_that_was_deleted_meanwhile_is_not_linked(api, liar, register):
    own = await register("ferris")
    back = liar.came_back((await link(api, own)).json()["url"])
    await api.delete("/api/v2/users/2", headers=own)
    assert (await api.get(back)).status_code == 403
    assert (await link(api, own)).json()["rc"] == "DeletedUser"
    assert await linked(api, own) == []


async def test_an_identity_opens_one_account(api, liar, register):
    await enter(api, liar)
    own = await register("ferris")
    page = await link_whole(api, liar, own, 3)
    assert page.status_code == 400
    assert "Another account is linked with you" in page.text


async def test_an_account_has_one_identity_of_a_provider(api, liar, register):
    own = await register("ferris")
    first, second = await link(api, own), await link(api, own)
    page = await api.get(liar.came_back(second.json()["url"]))
    assert page.status_code == 303
    assert (await link(api, own)).json()["rc"] == "AlreadyLinked"
    assert first.status_code == 200


async def test_two_that_link_at_once_link_one(api, liar, register):
    own = await register("ferris")
    async with other_browser(api) as other:
        backs = [(each, (await link(each, own)).json()["url"]) for each in (api, other)]
        statuses = []
        for number, (browser, url) in enumerate(backs):
            liar.claims["sub"] = f"sub-{number}"
            statuses.append((await browser.get(liar.came_back(url, f"c{number}"))).status_code)
    assert statuses == [303, 400]
    assert len(await linked(api, own)) == 1


async def test_the_same_again_does_no_harm(api, liar, register):
    own = await register("ferris")
    async with other_browser(api) as other:
        urls = [(each, (await link(each, own)).json()["url"]) for each in (api, other)]
        for number, (browser, url) in enumerate(urls):
            page = await browser.get(liar.came_back(url, f"c{number}"))
            assert page.status_code == 303
    assert len(await linked(api, own)) == 1


OTHERS = [
    pytest.param("ferris", 404, "UserNotFound", "/api/v2/users/99/identities", id="nobody"),
    pytest.param("ferris", 403, "NotOwner", "/api/v2/users/1/identities", id="somebody else"),
    pytest.param("admin", 403, "NotOwner", "/api/v2/users/2/identities", id="the administrator"),
    pytest.param("anonymous", 403, "AnonForbidden", "/api/v2/users/0/identities", id="anonymous"),
    pytest.param("nobody", 401, "InvalidAPIKey", "/api/v2/users/2/identities", id="no key"),
]


@pytest.mark.parametrize(("caller", "status", "rc", "path"), OTHERS)
async def test_nobody_else_sees_or_changes_by_what_one_signs_in(
    api, register, caller, status, rc, path
):
    ferris = await register("ferris")
    key = {"ferris": ferris, "admin": ADMIN, "anonymous": ANONYMOUS, "nobody": {}}[caller]
    replies = [
        await api.get(path, headers=key),
        await api.post(path, headers=key, json={"provider": "liar"}),
        await api.delete(f"{path}/x", headers=key),
    ]
    assert [(each.status_code, each.json()["rc"]) for each in replies] == [(status, rc)] * 3


async def test_linking_with_a_provider_that_is_not_named_or_down(api, liar, register):
    own = await register("ferris")
    reply = await api.post(MINE, headers=own, json={"provider": "other"})
    assert (reply.status_code, reply.json()["rc"]) == (404, "ProviderNotFound")
    liar.pages["/.well-known/openid-configuration"] = (500, b"")
    reply = await link(api, own)
    assert (reply.status_code, reply.json()["rc"]) == (503, "ProviderUnavailable")
    assert reply.headers["retry-after"]


@pytest.mark.parametrize("to", ["//evil.test", "https://evil.test", "/\\evil.test"])
async def test_linking_goes_on_to_this_site_only(api, liar, register, to):
    own = await register("ferris")
    url = (await link(api, own, to)).json()["url"]
    assert (await api.get(liar.came_back(url))).headers["location"] == "/"


async def test_what_is_unlinked_opens_another_account(api, liar, register):
    own = await register("ferris")
    await link_whole(api, liar, own)
    browser = await enter(api, liar)
    (identity,) = await linked(api, own)
    path = f"{MINE}/{identity['id']}"
    assert (await api.delete(path, headers=own)).json() == {"message": "OK"}
    assert (await api.delete(path, headers=own)).json()["rc"] == "IdentityNotFound"
    assert (await who(api, browser) or {})["pseudonymous"] is True
    assert (await who(api, await enter(api, liar)) or {})["id"] == 3


async def test_the_last_way_in_stays(api, liar, horde, opened):
    key = await enter(api, liar)
    (identity,) = await linked(api, key)
    path = f"{MINE}/{identity['id']}"
    reply = await api.delete(path, headers=key)
    assert (reply.status_code, reply.json()["rc"]) == (403, "LastWayIn")
    assert (await api.get(MINE, headers=key)).json()["has_key"] is False
    await new_key(horde, opened, 2, "a" * 22)
    assert (await api.delete(path, headers=key)).status_code == 200
    assert await linked(api, key) == []


async def test_an_identity_of_a_provider_that_is_trusted_no_more_is_no_way_in(api, liar, horde):
    from ordu.rules.lifecycle import Millis
    from ordu.rules.money import UserId
    from ordu.store import identities

    key = await enter(api, liar)
    old = identities.Identity(
        id="old",
        issuer="https://id.old.test/x",
        subject="s",
        user_id=UserId(2),
        created_at=Millis(0),
    )
    await horde.write(lambda tx: identities.add(tx, old))
    first, second = await linked(api, key)
    assert (first["id"], first["provider"], first["name"]) == ("old", None, "id.old.test")
    reply = await api.delete(f"{MINE}/{second['id']}", headers=key)
    assert reply.json()["rc"] == "LastWayIn"
    assert (await api.delete(f"{MINE}/old", headers=key)).status_code == 200


async def test_the_export_has_by_what_one_signs_in_and_no_key(api, liar, opened):
    key = await enter(api, liar)
    reply = await api.get("/api/v2/users/2/export", headers=key)
    (identity,) = reply.json()["identities"]
    assert {"issuer": liar.issuer, "subject": "sub-ada"}.items() <= identity.items()
    (browser,) = reply.json()["browsers"]
    assert browser["created"] < browser["expires"]
    assert key["apikey"] not in reply.text
    assert opened.secret.hash_of(key["apikey"]) not in reply.text


async def test_the_first_key_is_made_with_that_of_the_browser(api, liar):
    browser, other = await enter(api, liar), await enter(api, liar)
    reply = await api.post("/api/v2/users/2/key", headers=browser)
    own = {"apikey": reply.json()["api_key"]}
    assert [await who(api, key) is not None for key in (own, browser, other)] == [True] * 3
    await api.post("/api/v2/users/2/key", headers=own)
    assert [await who(api, key) for key in (own, browser, other)] == [None] * 3


# Settings

WRONG = [
    pytest.param({"oidc_client_ids": {}}, "oidc_client_ids does not say", id="no client id"),
    pytest.param({"oidc": {}}, "which the setting oidc does not", id="a client id of nobody"),
    pytest.param({"oidc_names": {"lair": "x"}}, "oidc_names names lair", id="a name of nobody"),
    pytest.param(
        {
            "oidc": {"liar": "https://x", "b": "https://x"},
            "oidc_client_ids": {"liar": "c", "b": "c"},
        },
        "one issuer twice",
        id="one issuer twice",
    ),
]


@pytest.mark.parametrize(("change", "words"), WRONG)
async def test_settings_that_do_not_fit_together(settings, clock, change, words):
    wrong = msgspec.structs.replace(settings, **change)
    with pytest.raises(SettingError, match=words):
        async with open_horde(wrong, "http://horde.test", clock=clock):
            pass


async def test_without_the_library_one_line_says_what_to_install(settings, clock, monkeypatch):
    import sys

    for name in [
        each
        for each in sys.modules
        if each.startswith(("authlib", "ordu.openid.prov", "ordu.openid.tok"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "authlib", None)
    with pytest.raises(
        SettingError, match=r"authlib.* not installed: pip install 'ordu\[server,oidc\]'"
    ):
        async with open_horde(settings, "http://horde.test", clock=clock):
            pass


def test_a_horde_without_providers_loads_none_of_it():
    import subprocess
    import sys

    program = (
        "import sys, ordu.server.app, ordu.server.run, ordu.server.handlers as h; h.load();"
        "print([m for m in sys.modules if m.partition('.')[0] in {'authlib', 'joserfc'}])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


# Several processes


async def test_processes_share_a_sign_in_and_its_end(settings, liar, clock, database_url):
    """One sends somebody off, another takes them back, a third signs them out."""
    from contextlib import AsyncExitStack

    from ordu.server.app import make_app

    if not database_url:
        pytest.skip("a horde on SQLite is one process")
    async with AsyncExitStack() as stack:
        apis = []
        for _ in range(3):
            opened = await stack.enter_async_context(
                open_horde(settings, "http://horde.test", clock=clock)
            )
            transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
            api = httpx.AsyncClient(transport=transport, base_url="http://horde.test")
            apis.append(await stack.enter_async_context(api))
        first, second, third = apis
        back = liar.came_back(await go(first))
        second.cookies = first.cookies
        key = key_on(await second.get(back))
        assert [await who(each, key) is not None for each in apis] == [True] * 3
        assert (await third.delete(SIGN_IN, headers=key)).status_code == 200
        # The clock stands still: what is remembered grows no older, so it was told.
        async with asyncio.timeout(20):
            while any([await who(each, key) for each in apis]):
                await asyncio.sleep(0.005)


async def test_two_processes_that_make_one_account_at_once_make_one(
    settings, liar, clock, database_url
):
    from contextlib import AsyncExitStack

    from ordu.engine.sign_ins import register

    if not database_url:
        pytest.skip("a horde on SQLite is one process")
    async with AsyncExitStack() as stack:
        hordes = [
            (
                await stack.enter_async_context(
                    open_horde(settings, "http://horde.test", clock=clock)
                )
            ).horde
            for _ in range(2)
        ]
        users = await asyncio.gather(
            *(
                register(horde, f"ada{number}", "https://id.test", "one", f"h1:{number}{index}")
                for number in range(5)
                for index, horde in enumerate(hordes)
            )
        )
        assert {user.id for user in users} == {2}
        assert await users_in(hordes[0]) == 3
