"""What a call ends with instead of an answer, for each way a horde can say no."""

import httpx
import pytest

from ordu import client as sdk
from ordu.client import BadInput, BrokenHorde, HordeError, NotAllowed, TooMuch, Unreachable
from ordu.client.errors import FAMILIES
from ordu.protocol.errors import RC, Family

pytestmark = pytest.mark.anyio


def test_every_family_has_a_class_of_its_own_that_can_be_imported():
    assert set(FAMILIES) == set(Family)
    assert len(set(FAMILIES.values())) == len(Family)
    for family, kind in FAMILIES.items():
        assert kind.family is family
        assert getattr(sdk, kind.__name__) is kind


@pytest.mark.parametrize("rc", RC)
async def test_an_rc_decides_whatever_the_status(connect, rc):
    status, family = RC[rc]
    body = {"message": "No.", "rc": rc}
    client = connect(lambda call: httpx.Response(status, json=body))
    with pytest.raises(HordeError) as caught:
        await client.get_horde_load()
    assert type(caught.value) is FAMILIES[family]
    assert (caught.value.rc, caught.value.status, caught.value.message) == (rc, status, "No.")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "BadInput"),
        (401, "UnknownKey"),
        (402, "NotAllowed"),
        (403, "NotAllowed"),
        (404, "NotFound"),
        (410, "NotFound"),
        (413, "BadInput"),
        (429, "TooMuch"),
        (500, "BrokenHorde"),
        (501, "NotImplementedByHorde"),
        (502, "BrokenHorde"),
        (503, "Closed"),
    ],
)
@pytest.mark.parametrize("rc", [{}, {"rc": None}, {"rc": "FromTomorrow"}, {"rc": 7}])
async def test_without_a_known_rc_the_status_decides(connect, status, kind, rc):
    client = connect(lambda call: httpx.Response(status, json={"message": "No.", **rc}))
    with pytest.raises(getattr(sdk, kind)) as caught:
        await client.get_horde_load()
    assert caught.value.status == status


async def test_everything_said_is_kept(connect):
    headers = {"X-Request-Id": "abc", "Retry-After": "7"}
    body = {"message": "No.", "rc": "ValidationFailed", "errors": {"params.steps": "too many"}}
    client = connect(lambda call: httpx.Response(400, json=body, headers=headers))
    with pytest.raises(BadInput) as caught:
        await client.get_horde_load()
    assert caught.value.errors == {"params.steps": "too many"}
    assert caught.value.request_id == "abc"
    assert caught.value.retry_after_s == 7
    assert str(caught.value) == "No. (params.steps: too many)"
    assert not caught.value.may_pass


@pytest.mark.parametrize(
    ("status", "kind"), [(404, BrokenHorde), (502, BrokenHorde), (429, TooMuch), (308, BrokenHorde)]
)
async def test_a_page_instead_of_json_is_shortened(connect, status, kind):
    page = "<html>" + "sorry " * 1000
    client = connect(lambda call: httpx.Response(status, text=page))
    with pytest.raises(kind) as caught:
        await client.get_horde_load()
    assert len(str(caught.value)) < 300
    assert caught.value.may_pass is (status in {429, 502})


async def test_a_move_says_where_to(connect):
    headers = {"Location": "https://elsewhere.test/api"}
    client = connect(lambda call: httpx.Response(301, headers=headers))
    with pytest.raises(BrokenHorde, match=r"moved to https://elsewhere\.test/api"):
        await client.get_horde_load()
    assert len(client.sent) == 1  # the key is not carried to another place


@pytest.mark.parametrize("text", ["<html>", '{"done": "perhaps"}', "[]", "", "\x00"])
async def test_an_answer_that_makes_no_sense_is_a_broken_horde(connect, text):
    client = connect(lambda call: httpx.Response(200, text=text))
    with pytest.raises(BrokenHorde, match="get_async_check") as caught:
        await client.get_async_check("r")
    assert not caught.value.may_pass


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("refused"), "is it running"),
        (httpx.ConnectTimeout("slow"), "is it running"),
        (httpx.ReadTimeout("slow"), "did not answer in time"),
        (httpx.RemoteProtocolError("cut"), "broke the connection off"),
    ],
)
async def test_no_answer_says_which_address(connect, error, words):
    def far(call):
        raise error

    client = connect(far, url="http://horde.test:7001/api")
    with pytest.raises(Unreachable, match=words) as caught:
        await client.get_horde_load()
    assert str(caught.value).startswith("http://horde.test:7001 ")
    assert caught.value.may_pass


async def test_a_picture_link_is_not_shown_in_errors(connect):
    def far(call):
        raise httpx.ReadTimeout("slow")

    client = connect(far)
    with pytest.raises(Unreachable) as caught:
        await client.fetch("http://horde.test/pictures/j.webp?signature=secret")
    assert "secret" not in str(caught.value)


async def test_an_answer_that_does_not_end_is_cut_off(connect, monkeypatch):
    monkeypatch.setattr("ordu.client.wire.PICTURE_BYTES_MAX", 10)
    client = connect(lambda call: httpx.Response(200, content=b"x" * 11))
    with pytest.raises(BrokenHorde, match="more than 10 bytes"):
        await client.fetch("http://horde.test/p.webp")


@pytest.mark.parametrize("rc", ["NotAdmin", None])
async def test_402_is_not_allowed(connect, rc):
    client = connect(lambda call: httpx.Response(402, json={"message": "No.", "rc": rc}))
    with pytest.raises(NotAllowed):
        await client.put_horde_modes({"raid": True})
