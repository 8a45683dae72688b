"""What must be refused, case by case: bodies, pictures, heads, paths, parameters."""

import base64
import gzip
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import ADMIN_KEY
from tests.hostile import pictures
from tests.hostile.conftest import BODY_BYTES_MAX, Besieged
from tests.hostile.wire import Answer, Wire, ask, call

from ordu.protocol.operations import TABLE
from ordu.web import examples

HEARTBEAT = "/api/v2/status/heartbeat"
ASYNC = "/api/v2/generate/async"
DEEP = 100_000
BIG = "9" * 5000
BODIES = [row for row in TABLE if row.request is not None and row.consumes == "application/json"]


def send(siege: Besieged, raw: bytes) -> Answer:
    """What is answered, within bounds of time and memory."""
    with siege.bounded():
        return ask(siege.url, raw, of=raw.split(b" ", 1)[0].decode())


def post(siege: Besieged, body: bytes, path: str = ASYNC, **headers: str) -> Answer:
    """What is answered to this body."""
    given = {"apikey": siege.user_key, "Content-Type": "application/json", **headers}
    return send(siege, call("POST", path, body, given))


# Bodies

NOT_READ = {
    "lists, 100,000 deep": b"[" * DEEP + b"]" * DEEP,
    "lists, 100,000 deep and not closed": b"[" * DEEP,
    "objects, 100,000 deep": b'{"a":' * DEEP + b"0" + b"}" * DEEP,
    "objects, 100,000 deep in a field": b'{"prompt":"a","params":'
    + b'{"a":' * DEEP
    + b"0"
    + b"}" * DEEP,
    "lists and objects, 50,000 deep": b'[{"a":' * (DEEP // 2) + b"0" + b"}]" * (DEEP // 2),
    "a number that is none": b'{"prompt":"a","params":{"cfg_scale":NaN}}',
    "infinity": b'{"prompt":"a","params":{"cfg_scale":Infinity}}',
    "a number of 400 digits too large": b'{"prompt":"a","params":{"steps":1e400}}',
    "an integer of 5,000 digits": f'{{"prompt":"a","params":{{"steps":{BIG}}}}}'.encode(),
    "a negative integer of 5,000 digits": f'{{"prompt":"a","params":{{"n":-{BIG}}}}}'.encode(),
    "a NUL in a text": b'{"prompt":"a\\u0000b"}',
    "a NUL in the name of a field": b'{"prompt":"a","\\u0000":1}',
    "a NUL between": b'{"prompt":\0"a"}',
    "half a pair": b'{"prompt":"\\ud800"}',
    "two halves the wrong way round": b'{"prompt":"\\udc00\\ud800"}',
    "bytes that are no UTF-8": b'{"prompt":"\xff\xfe"}',
    "UTF-8 that is too long": b'{"prompt":"\xc0\x80"}',
    "half a pair as bytes": b'{"prompt":"\xed\xa0\x80"}',
    "half a character": b'{"prompt":"\xc3"}',
    "beyond Unicode": b'{"prompt":"\xf4\x90\x80\x80"}',
    "UTF-16": '{"prompt":"a"}'.encode("utf-16"),
    "control characters as they are": b'{"prompt":"a\x01\x1b[31m"}',
    "nothing": b"",
    "blanks": b" " * 100_000,
    "a text": b'"' + b"a" * 500_000 + b'"',
    "a list": b"[{}]",
    "two objects": b'{"prompt":"a"}{"prompt":"a"}',
    "a comma too many": b'{"prompt":"a",}',
    "a comment": b'{"prompt":"a"/* */}',
    "single quotes": b"{'prompt':'a'}",
    "gzip": gzip.compress(b'{"prompt":"a"}'),
    "a gzip bomb": gzip.compress(bytes(200_000_000), 9),
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "a form": b"prompt=a&n=1",
    "no prompt": b"{}",
    "no text as prompt": b'{"prompt":{"$ne":null}}',
    "a prompt of 900 KB": b'{"prompt":"' + b"a" * 900_000 + b'"}',
    "negative pictures": b'{"prompt":"a","params":{"n":-1}}',
    "more pictures than anybody wants": b'{"prompt":"a","params":{"n":2147483648}}',
    "a picture larger than any": b'{"prompt":"a","params":{"width":1073741824}}',
    "three hundred thousand empty objects": b'{"prompt":"a","models":['
    + b"{}," * 300_000
    + b"{}]}",
    "a hundred thousand models": json.dumps({"prompt": "a", "models": ["m"] * 100_000}).encode(),
    "a hundred thousand workers": json.dumps({"prompt": "a", "workers": ["m"] * 90_000}).encode(),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_a_body_that_makes_no_sense_is_refused(siege: Besieged, name):
    answer = post(siege, NOT_READ[name])
    assert 400 <= answer.status < 500, answer.body[:500]
    assert answer.rc
    assert len(answer.body) < 10_000
    assert not answer.is_closed


@pytest.mark.parametrize("row", BODIES, ids=lambda row: row.name)
def test_no_operation_reads_deep_or_broken_bodies(siege: Besieged, row):
    path = row.path.replace("{user_id}", siege.victim_id).replace("{worker_id}", "a")
    headers = {"apikey": siege.stranger_key, "Content-Type": "application/json"}
    for name in ("lists, 100,000 deep", "objects, 100,000 deep", "half a pair", "gzip", "nothing"):
        answer = send(siege, call(row.method, path, NOT_READ[name], headers))
        assert (answer.status, answer.rc) == (400, "MalformedBody"), name


READ = {
    "the same field twice": b'{"prompt":"a","prompt":"b","dry_run":true}',
    "a field five thousand times": b'{"prompt":"a",' + b'"nsfw":true,' * 5000 + b'"dry_run":true}',
    "fields that nobody knows": json.dumps(
        {"prompt": "a", "dry_run": True} | {f"x{n}": n for n in range(5000)}
    ).encode(),
    "a prompt that turns around": json.dumps(
        {"prompt": "a \u202e b \u2066", "dry_run": True}
    ).encode(),
    "a prompt with marks on marks": json.dumps(
        {"prompt": "a" + "\u0301" * 900, "dry_run": True}
    ).encode(),
    "escapes of a terminal": json.dumps({"prompt": "\x1b[2J\x07\x9b31m", "dry_run": True}).encode(),
}


@pytest.mark.parametrize("name", READ)
def test_a_body_that_is_only_odd_is_read(siege: Besieged, name):
    answer = post(siege, READ[name])
    assert answer.status == 200, answer.body[:500]


LENGTHS = {
    "announced": call(
        "POST", ASYNC, b"", {"Content-Length": str(BODY_BYTES_MAX + 1)}, has_length=False
    ),
    "announced as more than there is": call(
        "POST", ASYNC, b"", {"Content-Length": str(2**63 - 1)}, has_length=False
    ),
    "announced to who asks first": call(
        "POST",
        ASYNC,
        b"",
        {"Content-Length": "99999999", "Expect": "100-continue"},
        has_length=False,
    ),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_body_that_is_too_large_is_refused_before_it_comes(siege: Besieged, name):
    answer = send(siege, LENGTHS[name])
    assert (answer.status, answer.rc) == (413, "BodyTooLarge")


def test_a_body_of_just_the_size_is_read(siege: Besieged):
    body = b'{"prompt":"a","dry_run":true}'.ljust(BODY_BYTES_MAX)
    assert post(siege, body).status == 200
    assert post(siege, body + b" ").rc == "BodyTooLarge"


# Pictures


@pytest.fixture(scope="module")
def job(siege: Besieged) -> dict[str, Any]:
    """A job that nobody finishes, and what its worker was told."""
    headers = {"apikey": siege.user_key, "Content-Type": "application/json"}
    placed = ask(siege.url, call("POST", ASYNC, b'{"prompt":"a fox"}', headers))
    assert placed.status == 202
    pop = {"name": "attic", "models": ["stable_diffusion"], "bridge_agent": "Ordu:1:x"}
    headers["apikey"] = siege.owner_key
    raw = call("POST", "/api/v2/generate/pop", json.dumps(pop).encode(), headers)
    popped = ask(siege.url, raw).json()
    assert popped["id"]
    return {**popped, "request": placed.json()["id"]}


def as_source(siege: Besieged, data: bytes, job: dict[str, Any]) -> Answer:
    """A picture as somebody sends it to be drawn from."""
    text = base64.b64encode(data).decode() or "="
    body = {"prompt": "a", "source_image": text, "source_processing": "img2img"}
    return post(siege, json.dumps(body).encode())


def as_result(siege: Besieged, data: bytes, job: dict[str, Any]) -> Answer:
    """A picture as a worker submits it."""
    body = {"id": job["id"], "generation": base64.b64encode(data).decode() or "=", "seed": "1"}
    raw = json.dumps(body).encode()
    return post(siege, raw, "/api/v2/generate/submit", apikey=siege.owner_key)


def as_upload(siege: Besieged, data: bytes, job: dict[str, Any]) -> Answer:
    """A picture as a worker puts it to its link."""
    path = job["r2_upload"].removeprefix(siege.url)
    return send(siege, call("PUT", path, data, {"Content-Type": "image/webp"}))


@pytest.mark.parametrize("way", [as_source, as_result, as_upload])
@pytest.mark.parametrize("name", pictures.BAD)
def test_what_is_no_picture_is_refused(siege: Besieged, job, way, name):
    answer = way(siege, pictures.BAD[name], job)
    assert answer.status in {400, 413}, answer.body[:300]
    assert answer.rc in {"BadPicture", "BodyTooLarge"}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_damaged_pictures_pass_or_are_refused(siege: Besieged, job, form):
    chance = random.Random(form)
    with siege.bounded():
        for data in pictures.mutated(pictures.real(form), chance, 60):
            for way in (as_source, as_upload):
                answer = way(siege, data, job)
                assert answer.status < 500
                assert answer.rc in {None, "BadPicture"}


POLYGLOTS = {
    "a PNG and a program": pictures.real("PNG") + b"<script>alert(1)</script>",
    "a JPEG and a ZIP": pictures.real("JPEG") + b"PK\x03\x04" + bytes(100),
    "a WebP and a web page": pictures.real("WEBP") + b"<html><script>alert(1)</script>",
    "a JPEG with a web page as its comment": pictures.jpeg(
        64, 64, b"\xff\xfe\0\x14<html><script>a"
    ),
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_picture_that_is_something_else_too_is_served_as_a_picture(siege: Besieged, name):
    data = POLYGLOTS[name]
    headers = {"apikey": siege.user_key, "Content-Type": "application/json"}
    wish = b'{"prompt":"a fox","models":["of polyglots"],"r2":true}'
    placed = ask(siege.url, call("POST", ASYNC, wish, headers)).json()
    pop = {"name": "loft", "models": ["of polyglots"], "bridge_agent": "Ordu:1:x"}
    popped = post(
        siege, json.dumps(pop).encode(), "/api/v2/generate/pop", apikey=siege.owner_key
    ).json()
    submitted = as_result(siege, data, popped)
    if submitted.status == 400:
        assert submitted.rc == "BadPicture"
        ask(siege.url, call("DELETE", f"/api/v2/generate/status/{placed['id']}"))
        return
    status = ask(siege.url, call("GET", f"/api/v2/generate/status/{placed['id']}")).json()
    link = status["generations"][0]["img"].removeprefix(siege.url)
    picture = ask(siege.url, call("GET", link))
    assert picture.body == data
    assert b"content-type: image/" in picture.head


# Heads

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

MALFORMED = {
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "two lengths in one": POST + b"Content-Length: 1, 2\r\n\r\nab",
    "a length and chunks": POST
    + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "chunks that are none": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks that come first": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks behind a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunks behind a tab": POST + b"Transfer-Encoding:\tchun\x0bked\r\n\r\n0\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a length with a plus": POST + b"Content-Length: +1\r\n\r\na",
    "a length in hexadecimal": POST + b"Content-Length: 0x1\r\n\r\na",
    "a length of 100 digits": POST + b"Content-Length: " + b"9" * 100 + b"\r\n\r\n",
    "a length that is empty": POST + b"Content-Length:\r\n\r\n",
    "a chunk of 18 digits": CHUNKED + b"ffffffffffffffffff\r\n",
    "a chunk of a negative size": CHUNKED + b"-1\r\n",
    "a chunk that is longer": CHUNKED + b"1\r\nabc\r\n",
    "a chunk that ends with LF": CHUNKED + b"1\na\n0\n\n",
    "a folded header": GET + b"X-A: b\r\n c\r\n\r\n",
    "a header that begins with a blank": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "a header without a colon": GET + b"nonsense\r\n\r\n",
    "a header without a name": GET + b": b\r\n\r\n",
    "a blank before the colon": GET + b"X-A : b\r\n\r\n",
    "a CR alone": GET + b"X-A: b\rX-B: c\r\n\r\n",
    "an LF alone": b"GET / HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n",
    "a NUL": GET + b"X-A: b\0c\r\n\r\n",
    "a control character in a name": GET + b"X\x01A: b\r\n\r\n",
    "an address with a blank": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address with bytes": "GET /ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "an address with a NUL": b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address without a path": b"GET http://evil.test HTTP/1.1\r\nHost: x\r\n\r\n",
    "no address": b"GET HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method that is none": b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in small letters": b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method of 60 KB": b"A" * 60_000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT evil.test:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP/1.1 with something behind": b"GET / HTTP/1.1a\r\nHost: x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(190),
    "a mail": b"HELO evil.test\r\nMAIL FROM:<a@b>\r\n",
    "a database": b"\0\0\0\x08\x04\xd2\x16\x2f" * 4,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_head_that_can_be_read_in_two_ways_is_refused(siege: Besieged, name):
    with siege.bounded(), Wire(siege.url) as wire:
        wire.say(MALFORMED[name])
        answer = wire.hear()
        assert answer.status == 400
        assert answer.rc in {"BadRequest", "MalformedBody"}
        assert wire.is_hung_up()
        assert wire.read == b"", "there was a second answer"


TOO_LARGE = {
    "101 headers": [("X-A", "b")] * 100,
    "a header of 70 KB": [("X-A", "b" * 70_000)],
    "2,000 headers": [(f"X-{n}", "b") for n in range(2000)],
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_head_that_is_too_large_is_refused(siege: Besieged, name):
    answer = send(siege, call("GET", HEARTBEAT, headers=TOO_LARGE[name]))
    assert (answer.status, answer.rc) == (431, "BadRequest")


def test_a_path_that_is_too_long_is_refused(siege: Besieged):
    answer = send(siege, call("GET", "/" + "a" * 20_000))
    assert (answer.status, answer.rc) == (431, "BadRequest")


HOSTS = (
    "",
    "evil.test",
    "evil.test/a?b#c",
    "a@evil.test",
    "[::1",
    "evil.test:99999",
    "a" * 9000,
    "%0d%0a",
)


@pytest.mark.parametrize(
    "path",
    ["/", "/horde", "/register", "/api/", "/swagger.json", "/openapi.json", "/nothing", "/%2e%2e"],
)
def test_no_answer_believes_the_host_it_was_asked_by(siege: Besieged, path):
    usual = ask(siege.url, call("GET", path))
    for host in HOSTS:
        raw = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: evil.test\r\n\r\n".encode()
        answer = send(siege, raw)
        assert answer.status == usual.status
        assert b"evil.test" not in answer.head + answer.body


def test_who_forwards_without_being_trusted_is_not_believed(siege: Besieged):
    with Wire(siege.url, "127.5.0.1") as wire:
        for _ in range(3):
            wire.say(
                call("GET", HEARTBEAT, headers={"X-Forwarded-For": "8.8.8.8, " * 2000 + "9.9.9.9"})
            )
            assert wire.hear().status == 200
    pop = {"name": "lies", "models": ["stable_diffusion"], "bridge_agent": "Ordu:1:x"}
    body, headers = json.dumps(pop).encode(), {"apikey": ADMIN_KEY, "X-Forwarded-For": "8.8.8.8"}
    assert ask(siege.url, call("POST", "/api/v2/generate/pop", body, headers)).status == 200
    assert "8.8.8.8" not in siege.server.said()


# Paths and methods

PATHS = (
    *(
        "/..",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../settings/server.py",
    ),
    *(
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/static/..%5c..%5capp.py",
        "/static//etc/passwd",
    ),
    *("/static/%00", "/static/tokens.css%00.html", "/static/tokens.css/", "/static/.", "/static/"),
    *(
        "//",
        "///api//v2//status",
        "/api/v2/../v2/status/heartbeat",
        "/api/v2/status/heartbeat/",
        "/API/V2/STATUS",
    ),
    *(
        "/api/v2/status/heartbeat%00",
        "/api/v2/status/heartbeat%2f",
        "/api/v2/status%2fheartbeat",
        "/api/v2/users/%00",
    ),
    *(
        "/api/v2/users/..%2f1",
        "/api/v2/workers/name/%0d%0aSet-Cookie:a=b",
        "/api/v2/workers/name/" + "a" * 9000,
    ),
    *(
        "/api/v2/workers/name/%F0%9F%A6%8A%E2%80%AE",
        "/api/v2/status/models/%ff%fe",
        "/pictures/..%2fhorde.sqlite3",
    ),
    *(
        "/pictures/%2e%2e%2fsecret",
        "/pictures/secret?expires=9999999999&signature=a",
        "/pictures/",
        "/pictures/a%00.webp",
    ),
    *(
        "/problems/../../etc",
        "/problems/%3Cscript%3E",
        "/.git/config",
        "/.env",
        "/server-status",
        "/wp-login.php",
    ),
    *(
        "/api/v2/generate/check/%7B%7B7*7%7D%7D",
        "/api/v2/generate/status/" + "a" * 9000,
        "/" + "%61" * 5000,
        "/;a=b",
        "/a;/..",
    ),
)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
def test_a_path_leads_nowhere_but_where_it_says(siege: Besieged, path):
    for method in ("GET", "PUT", "DELETE"):
        answer = send(siege, call(method, path))
        assert 400 <= answer.status < 500 or method == "GET", answer.body[:300]
        assert answer.status < 500
        for secret in (b"root:", b"SQLite format", b"import ", b"[core]"):
            assert secret not in answer.body
        assert b"set-cookie: a" not in answer.head.lower()


@pytest.mark.parametrize(
    "method",
    ["TRACE", "PROPFIND", "PATCH", "MKCOL", "SEARCH", "PURGE", "LOCK", "SUBSCRIBE", "DELETE"],
)
@pytest.mark.parametrize("path", ["/", HEARTBEAT, "/static/tokens.css", "/v1/models", "/nothing"])
def test_a_method_that_is_not_served_is_refused(siege: Besieged, method, path):
    answer = send(siege, call(method, path, headers={"X-Secret": "canary"}))
    assert answer.status in {404, 405}
    assert b"canary" not in answer.body


def test_what_asks_for_another_protocol_is_answered_in_this_one(siege: Besieged):
    for protocol in ("websocket", "h2c", "TLS/1.2", "a" * 5000):
        headers = {"Connection": "Upgrade", "Upgrade": protocol, "Sec-WebSocket-Version": "13"}
        with Wire(siege.url) as wire:
            for _ in range(2):
                wire.say(call("GET", HEARTBEAT, headers=headers))
                assert wire.hear().status == 200


def test_a_second_call_is_not_smuggled_in_a_body(siege: Besieged):
    hidden = call("GET", "/nothing/hidden")
    with Wire(siege.url) as wire:
        wire.say(call("GET", HEARTBEAT, hidden) + call("GET", "/nothing/shown"))
        assert wire.hear().status == 200
        second = wire.hear()
        assert second.status == 404
        assert b"shown" in second.body
        wire.within_s = 0.2
        with pytest.raises(TimeoutError):
            wire.hear()


# Masks, cursors, other parameters

MASKS = (
    "{" * 2000,
    "a{" * 600,
    "{a" + ",a" * 900 + "}",
    "a" * 60_000,
    "*{*{*{*}}}",
    "ä" * 900,
    "\t" * 1900,
)


@pytest.mark.parametrize("mask", MASKS, ids=range(len(MASKS)))
def test_a_mask_that_is_a_bomb_is_refused_or_harmless(siege: Besieged, mask):
    raw = call("GET", "/api/v2/users", headers=[("X-Fields", mask)])
    answer = send(siege, raw)
    assert answer.status in {200, 400}
    if answer.status == 400:
        assert answer.rc == "BadMask"


def test_many_masks_are_not_kept(siege: Besieged):
    with siege.bounded(16), Wire(siege.url) as wire:
        for number in range(500):
            wire.say(call("GET", "/api/v2/users", headers={"X-Fields": f"a{number}," * 150}))
            assert wire.hear().status == 200


def strange_queries() -> Iterator[str]:
    """Parameters as nobody means them, for every operation that has some."""
    values = (
        "-1",
        "0",
        "9" * 400,
        "1e9",
        "NaN",
        "%00",
        "%ff",
        "a" * 5000,
        "[]",
        "AAAA",
        "null",
        "%E2%80%AE",
    )
    for row in TABLE:
        path = row.path.replace("{user_id}", "1").replace("{id}", "a").replace("{worker_id}", "a")
        names = [each.name for each in row.parameters if each.place == "query"]
        if row.method == "GET" and names and "{" not in path:
            for value in values:
                yield path + "?" + "&".join(f"{name}={value}" for name in names)
                yield path + "?" + "&".join(f"{name}={value}" for name in names * 50)


def test_parameters_that_make_no_sense_are_refused_or_ignored(siege: Besieged):
    queries = list(strange_queries())
    assert len(queries) > 100
    with siege.bounded(), Wire(siege.url) as wire:
        for path in queries:
            wire.say(call("GET", path, headers={"apikey": ADMIN_KEY}))
            answer = wire.hear()
            assert answer.status in {200, 400, 403, 404, 431}, (path[:200], answer.body[:300])
            if answer.status == 431:
                break


def test_every_example_is_still_understood(siege: Besieged):
    body = json.dumps(dict(examples.BODIES["post_async_generate"]) | {"dry_run": True}).encode()
    assert post(siege, body).status == 200


# Logs, and addresses that lead inside


def test_a_path_writes_no_line_into_the_log(siege: Besieged):
    for path in (
        "/x%0d%0a12:00:00%20INFO%20forged",
        "/x%1b%5b2J%07%9b",
        "/x%E2%80%AE%00",
        "/v1/x%0aforged",
    ):
        assert ask(siege.url, call("GET", path)).status == 404
    said = siege.server.said()
    assert "operation=other rc=NotFound status=404" in said
    assert "forged" not in said
    assert "\x1b[2J" not in said


INSIDE = (
    *(
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
    ),
    *(
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
    ),
    *(
        "127.1",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
    ),
    *(
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
        "127.0.0.1.",
        "LOCALHOST",
        "a@127.0.0.1",
        "127.0.0.1%2f",
    ),
)


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize("field", ["source_image", "source_mask", "webhook"])
def test_no_field_leads_inside(siege: Besieged, host, field):
    body = {"prompt": "a", "source_image": base64.b64encode(pictures.real("PNG")).decode()}
    for scheme in ("http", "https"):
        body[field] = f"{scheme}://{host}:{siege.url.rpartition(':')[2]}/api/v2/status/heartbeat"
        way = {} if field == "webhook" else {"source_processing": "inpainting"}
        answer = post(siege, json.dumps(body | way).encode())
        if field == "webhook" and answer.status == 202:  # a name: looked up when it is called
            assert (host.lower(), scheme) == ("localhost", "https")
            continue
        assert answer.status == 400, answer.body
        assert answer.rc in {
            "SourceImageUrlInvalid",
            "ImageValidationFailed",
            "BadRequest",
            "ValidationFailed",
        }
