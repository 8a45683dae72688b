"""Signatures of webhooks: vectors, and what a receiver does not believe."""

import base64
import hashlib
import hmac

import pytest

from ordu.client.webhooks import BadWebhook, verify
from ordu.protocol.webhooks import key_of, secret_of, signature, signed_headers

# The example of the Standard Webhooks specification and of its libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, TIME_S, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(**change):
    given = {"webhook-id": ID, "webhook-timestamp": str(TIME_S), "webhook-signature": SIGNED}
    return given | {name.replace("_", "-"): value for name, value in change.items()}


def test_the_signature_is_that_of_the_specification():
    assert signature(key_of(SECRET), ID, TIME_S, BODY) == SIGNED


def test_the_signature_is_what_the_words_say():
    digest = hmac.new(key_of(SECRET), b"i.7.body", hashlib.sha256).digest()
    assert signature(key_of(SECRET), "i", 7, b"body") == "v1," + base64.b64encode(digest).decode()


def test_a_secret_is_shown_and_read():
    assert key_of(secret_of(b"k" * 32)) == b"k" * 32
    assert key_of(SECRET.removeprefix("whsec_")) == key_of(SECRET)


@pytest.mark.parametrize("secret", ["whsec_", "", "whsec_?", "ordu"[:3]])
def test_what_is_no_secret_is_said(secret):
    with pytest.raises(ValueError, match="secret"):
        verify(headers(), BODY, secret, now_s=TIME_S)


def test_verify_gives_the_message():
    assert verify(headers(), BODY, SECRET, now_s=TIME_S) == {"test": 2432232314}
    loud = {name.upper(): value for name, value in headers().items()}
    assert verify(loud, BODY, SECRET, now_s=TIME_S - 299.5)
    several = headers(webhook_signature=f"v1a,x v1,AAAA {SIGNED}")
    assert verify(several, BODY, SECRET, now_s=TIME_S)


def test_during_a_change_both_secrets_hold():
    keys = [b"n" * 32, b"o" * 32]
    given = signed_headers(keys, "i", 7, b"{}")
    for key in keys:
        assert verify(given, b"{}", secret_of(key), now_s=7) == {}


@pytest.mark.parametrize(
    ("change", "body", "now_s", "words"),
    [
        pytest.param({"webhook_id": "msg_2"}, BODY, TIME_S, "not signed", id="another id"),
        pytest.param({}, b'{"test": 1}', TIME_S, "not signed", id="another body"),
        pytest.param({"webhook_timestamp": "1614265331"}, BODY, TIME_S, "not signed", id="time"),
        pytest.param({"webhook_signature": "v1,"}, BODY, TIME_S, "not signed", id="empty"),
        pytest.param({"webhook_signature": "v1,é"}, BODY, TIME_S, "not signed", id="no ASCII"),
        pytest.param({"webhook_signature": SIGNED[3:]}, BODY, TIME_S, "not signed", id="no v1"),
        pytest.param(
            {"webhook_signature": "v1,A " * 20 + SIGNED}, BODY, TIME_S, "not signed", id="too many"
        ),
        pytest.param({}, BODY, TIME_S + 301, "clock", id="too old"),
        pytest.param({}, BODY, TIME_S - 301, "clock", id="of the future"),
        pytest.param({"webhook_timestamp": "x"}, BODY, TIME_S, "no number", id="no time"),
        pytest.param({"webhook_timestamp": "²"}, BODY, TIME_S, "no number", id="a small two"),
        pytest.param({"webhook_id": ""}, BODY, TIME_S, "`webhook-id` is missing", id="no id"),
    ],
)
def test_what_is_not_to_be_believed(change, body, now_s, words):
    with pytest.raises(BadWebhook, match=words):
        verify(headers(**change), body, SECRET, now_s=now_s)


@pytest.mark.parametrize("body", [b"", b"[1]", b"\xff", b"{"])
def test_what_is_signed_and_no_message(body):
    given = signed_headers([key_of(SECRET)], ID, TIME_S, body)
    with pytest.raises(BadWebhook, match="no JSON object"):
        verify(given, body, SECRET, now_s=TIME_S)
