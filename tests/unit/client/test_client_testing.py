"""The fake horde does what real ones do, and what it is told to."""

import subprocess
import sys

import httpx
import msgspec
import pytest

from ordu.client import (
    AsyncHorde,
    BadInput,
    Horde,
    KudosRefused,
    NotFound,
    NotImplementedByHorde,
    PictureReady,
    RequestFaulted,
    TookTooLong,
    TooMuch,
    Unreachable,
    wish,
)
from ordu.client.testing import Call, FakeHorde
from ordu.client.testing.answers import ANSWERS, DOT
from ordu.protocol.operations import BY_NAME

pytestmark = pytest.mark.anyio


def test_pictures_are_those_of_the_test_in_turn():
    with FakeHorde(pictures=[b"1", b"2"]).horde() as horde:
        assert [each.data for each in horde.generate("a fox", n=3)] == [b"1", b"2", b"1"]
        assert horde.generate("a fox", r2=False)[0].data == b"2"


def test_pictures_may_be_made_of_the_wish():
    fake = FakeHorde(pictures=lambda wanted: f"{wanted.prompt} {wanted.params.width}".encode())
    with fake.horde() as horde:
        assert horde.generate("a fox", width=640)[0].data == b"a fox 640"


def test_the_usual_picture_can_be_opened():
    with FakeHorde().horde() as horde:
        (picture,) = horde.generate("a fox", models=["sdxl"], seed=7)
    assert picture.image().size == (1, 1)
    assert (picture.suffix, picture.model, picture.seed) == (".png", "sdxl", "7")


@pytest.mark.parametrize("looks", [0, 1, 2, 9])
def test_it_takes_as_many_looks_as_told(looks):
    fake = FakeHorde(looks=looks)
    with fake.horde() as horde:
        horde.generate("a fox")
    assert len(fake.calls_of("get_async_check")) == looks + 1


def test_kudos_are_paid_for_what_is_done():
    fake = FakeHorde(price=7, kudos=100)
    with fake.horde() as horde:
        horde.generate("a fox", n=2)
        assert horde.get_find_user().kudos == 86
        assert horde.post_transfer_kudos({"username": "ada#2", "amount": 6}).transferred == 6
        assert fake.kudos == 80
        with pytest.raises(KudosRefused, match="You have 80 kudos"):
            horde.post_transfer_kudos({"username": "ada#2", "amount": 81})


def test_calls_are_remembered_and_hide_the_key():
    fake = FakeHorde()
    with fake.horde("a-secret-key") as horde:
        horde.generate("a fox", steps=9)
    (call,) = fake.calls_of("post_async_generate")
    assert (call.method, call.body["prompt"], call.body["params"]["steps"]) == ("POST", "a fox", 9)
    assert call.apikey == "a-secret-key"
    assert call.idempotency_key
    assert "a-secret-key" not in repr(fake.calls)


@pytest.mark.parametrize("rc", ["KudosUpfront", "TooManySteps", "MaintenanceMode"])
def test_it_refuses_with_an_rc_as_often_as_told(rc):
    fake = FakeHorde()
    fake.refuse("post_async_generate", rc, "Not today.", times=2)
    with fake.horde() as horde:
        for _ in range(2):
            with pytest.raises(Exception, match="Not today") as caught:
                horde.generate("a fox")
            assert caught.value.rc == rc
        assert horde.generate("a fox")


def test_it_says_when_to_come_back():
    fake = FakeHorde()
    fake.refuse("get_models", "TooManyPrompts", retry_after_s=90)
    with fake.horde() as horde, pytest.raises(TooMuch) as caught:
        horde.get_models()
    assert caught.value.retry_after_s == 90


def test_a_refusal_of_other_servers_needs_a_status():
    fake = FakeHorde()
    with pytest.raises(ValueError, match="FromTomorrow"):
        fake.refuse("get_models", "FromTomorrow")
    fake.refuse("get_models", "FromTomorrow", status=404)
    with fake.horde() as horde, pytest.raises(NotFound):
        horde.get_models()


def test_what_is_asked_for_is_read_as_hordes_read_it():
    with FakeHorde().horde() as horde, pytest.raises(BadInput) as caught:
        horde.generate("a fox", width=63)
    assert list(caught.value.errors) == ["params.width"]


def test_a_request_may_fault():
    fake = FakeHorde()
    fake.fault()
    with fake.horde() as horde:
        with pytest.raises(RequestFaulted) as caught:
            horde.generate("a fox", n=3)
        assert len(caught.value.pictures) == 2
        assert len(horde.generate("a fox", n=3)) == 3


@pytest.mark.parametrize("honours_keys", [True, False])
def test_an_answer_may_be_lost_after_it_was_done(honours_keys):
    fake = FakeHorde(honours_keys=honours_keys)
    with fake.horde() as horde:
        gift = {"username": "ada#2", "amount": 1}
        horde.post_transfer_kudos(gift)
        fake.lose("post_transfer_kudos", is_done=True)
        if honours_keys:
            horde.post_transfer_kudos(gift)
        else:
            with pytest.raises(Unreachable):
                horde.post_transfer_kudos(gift)
    assert fake.kudos == 998


def test_an_answer_may_be_lost_before_it_was_done():
    fake = FakeHorde()
    fake.lose("post_async_generate")
    with fake.horde() as horde, pytest.raises(Unreachable):
        horde.generate("a fox")
    assert fake.requests == {}


def test_it_may_be_away_for_a_while():
    fake = FakeHorde()
    fake.be_away("get_async_check", times=5)
    with fake.horde() as horde:
        assert horde.generate("a fox")
    assert fake.now_s > 5


def test_time_passes_without_sleeping():
    fake = FakeHorde(looks=None)
    with fake.horde() as horde, pytest.raises(TookTooLong):
        horde.generate("a fox", timeout_s=3600)
    assert fake.now_s >= 3600
    assert [each.wanted.prompt for each in fake.cancelled] == ["a fox"]


def test_the_same_key_gets_the_same_answer_and_another_body_none():
    fake = FakeHorde()
    with fake.horde() as horde:
        first = horde.post_async_generate(wish("a fox"), idempotency_key="k")
        again = horde.post_async_generate(wish("a fox"), idempotency_key="k")
        with pytest.raises(BadInput) as caught:
            horde.post_async_generate(wish("a hare"), idempotency_key="k")
        other = horde.post_async_generate(wish("a fox"), "another-user", idempotency_key="k")
    assert caught.value.rc == "IdempotencyKeyConflict"
    assert first == again
    assert other.id != first.id
    assert len(fake.requests) == 2


@pytest.mark.parametrize("looks", [0, 2, 3])
def test_events_are_told_where_there_are_some(looks):
    fake = FakeHorde(looks=looks, has_events=True)
    with fake.horde() as horde:
        request_id = horde.post_async_generate(wish("a fox", n=2)).id
        told = list(horde.events(request_id))
        assert [type(each).__name__ for each in told] == [
            "Queued", *["Processing"] * (looks > 1), "PictureReady", "PictureReady", "Ended",
        ]  # fmt: skip
        links = [each.link for each in told if isinstance(each, PictureReady)]
        assert [horde.fetch(link) for link in links] == [DOT, DOT]
    with FakeHorde().horde() as horde, pytest.raises(NotFound):
        list(horde.events(horde.post_async_generate(wish("a fox")).id))


def test_what_was_cancelled_ends_so():
    fake = FakeHorde(has_events=True)
    with fake.horde() as horde:
        request_id = horde.post_async_generate(wish("a fox")).id
        horde.delete_async_status(request_id)
        assert [each.state for each in horde.events(request_id)] == ["cancelled"]
        assert horde.get_async_check(request_id).done is True


def test_what_is_around_requests():
    fake = FakeHorde(models=["sdxl"])
    with fake.horde() as horde:
        assert [each.name for each in horde.get_models()] == ["sdxl"]
        assert horde.get_heartbeat().message == "OK"
        horde.post_async_generate(wish("a fox"))
        assert horde.get_horde_load().queued_requests == 1
        assert horde.post_register({"username": "ada"}).username == "ada#2"
        status = horde.post_sync_generate(wish("a fox"))
        assert horde.fetch(status.generations[0].img) == DOT
        fake.looks = None
        with pytest.raises(NotFound):
            horde.post_sync_generate(wish("a fox"))


def test_anything_else_is_what_the_test_says():
    fake = FakeHorde()
    with fake.horde() as horde:
        with pytest.raises(NotImplementedByHorde, match=r'fake\.answer\("get_workers", …\)'):
            horde.get_workers()
        fake.answer("get_workers", [{"name": "attic"}])
        for _ in range(2):
            assert [each.name for each in horde.get_workers()] == ["attic"]
        fake.answer("get_find_user", {"message": "Who?", "rc": "UserNotFound"}, status=404)
        with pytest.raises(NotFound):
            horde.get_find_user()


@pytest.mark.parametrize("path", ["/pictures/none/0", "/pictures/x", "/odd", "/api/v2/odd"])
def test_what_is_not_there_is_not_found(path):
    with httpx.Client(transport=FakeHorde(), base_url="http://fake.horde") as http:
        assert http.get(path).status_code == 404


def test_a_body_that_is_no_json_is_refused():
    with httpx.Client(transport=FakeHorde(), base_url="http://fake.horde") as http:
        said = http.post(
            "/api/v2/generate/async", content=b"{", headers={"Content-Type": "application/json"}
        )
    assert (said.status_code, said.json()["rc"]) == (400, "MalformedBody")


def test_there_is_no_such_operation():
    fake = FakeHorde()
    for tell in (fake.lose, fake.be_away, fake.calls_of):
        with pytest.raises(ValueError, match="no operation 'post_async'"):
            tell("post_async")
    with pytest.raises(ValueError, match="no operation"):
        fake.answer("post_async", {})
    assert set(ANSWERS) <= set(BY_NAME)


async def test_it_is_a_transport_for_clients_of_any_making():
    fake = FakeHorde(looks=0)
    with Horde("http://mine.test", transport=fake) as horde:
        assert horde.generate("a fox")
    async with AsyncHorde("http://mine.test", transport=fake) as async_horde:
        assert await async_horde.generate("a fox")
    async with fake.async_horde() as async_horde:
        assert (await async_horde.generate("a fox"))[0].data == DOT
    assert len(fake.requests) == 3


def test_a_call_is_plain_values():
    assert msgspec.to_builtins(Call("get_models", "GET", "/"))["operation"] == "get_models"


def test_it_needs_nothing_of_a_server():
    code = (
        "import sys; sys.modules['PIL'] = None; import ordu.client.testing;"
        "heavy = {'starlette', 'uvicorn', 'sqlite3', 'numpy', 'pytest', 'ordu.engine'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
