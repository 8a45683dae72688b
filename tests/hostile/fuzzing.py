"""A seeded fuzzer: real calls of each operation, changed in ways that have broken other servers.

A seed makes the same calls again. What is changed are values, fields, bytes, headers and addresses.
"""

import gzip
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.hostile.wire import call

from ordu.protocol.operations import TABLE, Operation, Place
from ordu.web import examples

NOTHING = "00000000-0000-0000-0000-000000000000"
DEEP = 100_000

# As they stand in JSON: some are no JSON at all.
VALUES = (
    *("null", "true", "false", "0", "-0", "-1", "1e400", "-1e400", "1e-400", "0.1e1", "1.5"),
    *("NaN", "Infinity", "-Infinity", "9223372036854775807", "9223372036854775808", "9" * 400),
    *("-9223372036854775809", "1" * 5000, "0x10", "01", "1_000", "+1", ".5", "5.", "1e", "''"),
    *(
        '""',
        '" "',
        '"\\u0000"',
        '"\\ud800"',
        '"\\udfff\\ud800"',
        '"\\u202e\\u2066"',
        '"\\u001b[2J"',
    ),
    *('"\\r\\nX-Injected: 1"', '"../../../etc/passwd"', '"%00"', '"\\ufeff"', '"\\uffff"', '"\\x"'),
    *("[]", "{}", "[[]]", "[null]", '[""]', '{"":""}', '{"a":1,"a":2}', "[1,]", '{"a"}', "[", "{"),
    *('"' + "a" * 70_000 + '"', '"' + "\\u0301" * 3000 + '"', '"' + "𝒳" * 3000 + '"'),
    *('"\x1b[31m\x07\x9b"', '"\x00"', '"http://169.254.169.254/latest"', '"file:///etc/passwd"'),
    *('"\' OR 1=1 --"', '"{{7*7}}${7*7}"', '"<script>alert(1)</script>"', '"0000000000"'),
    *("[" + "0," * 5000 + "0]", "{" + '"a":0,' * 5000 + '"b":0}', '"a' + "\\" * 501 + '"'),
)
RAW_VALUES = (
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b'"\xc3"',
    b"\xef\xbb\xbf",
)
HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("apikey", ("", " ", "0" * 10, "a" * 22, "a" * 4000, "ÿþ", "null", "../", "%00", NOTHING)),
    (
        "X-Fields",
        ("*", "{", "}", "{" * 500, "a{" * 9, "a," * 900, "ä", "{*}", "a" * 2001, ",", "*{*}"),
    ),
    ("Idempotency-Key", ("", "a", "a" * 5000, "ä\x7f", '"', "a b", NOTHING)),
    (
        "Prefer",
        ("wait", "wait=", "wait=-1", "wait=0", "wait=a", "respond-async, wait=0", "wait=1e9"),
    ),
    ("If-None-Match", ("*", '"', 'W/"', '"a", ' * 400, "ä", '""')),
    ("Last-Event-ID", ("", "-1", "9" * 500, "a;b", "ä", "0" * 4000)),
    (
        "Accept",
        ("", "*/*", "a/b;q=9", ",", "text/html", "q=" * 900, "application/problem+json;q=nan"),
    ),
    ("Accept-Language", ("", "xx-" * 300, "de;q=a", "*", "../../etc", "en-US-x-" + "a" * 900)),
    ("Cookie", ("", "a", "language=../..; theme=<script>", "=" * 900, "language=" + "a" * 4000)),
    (
        "Content-Type",
        ("", "text/plain", "multipart/form-data", "a" * 4000, "application/json;charset=x"),
    ),
    ("Content-Encoding", ("gzip", "deflate, gzip", "br", "identity")),
    ("Client-Agent", ("", ":", ":" * 900, "a" * 4000, "\x1b[2J", "ordu:a:b:c:d")),
    (
        "X-Forwarded-For",
        ("127.0.0.1", "::1", "a, b, c", "1.2.3.4, " * 500, "ä", "[::", "1.2.3.4:99999"),
    ),
    ("X-Forwarded-Proto", ("https", "ws", "javascript")),
    ("Forwarded", ("for=127.0.0.1;proto=https;host=evil.test",)),
    ("Host", ("", "a/b?c#d", "[::1", "a" * 4000, "evil.test:99999", "ä", "a@b", "%00")),
    ("Range", ("bytes=0-", "bytes=-1", "bytes=" + "0-1," * 900, "lines=1-")),
    ("Authorization", ("Bearer", "Bearer " + "a" * 4000, "Basic ====", "Basic 8J+YgA==", "\x7f")),
    ("Connection", ("keep-alive, a, b", "apikey", "close, close")),
    ("Expect", ("100-continue", "200-ok")),
    ("Origin", ("null", "http://evil.test", "a" * 900)),
)
QUERIES = (
    *(
        "",
        "?",
        "?a",
        "?=&=&=",
        "?a=%ff%fe",
        "?a=%00",
        "?" + "a=1&" * 3000,
        "?cursor=",
        "?cursor=-1",
    ),
    *(
        "?cursor=" + "9" * 500,
        "?cursor=AAAA",
        "?cursor=eyJ9",
        "?limit=-1",
        "?limit=0",
        "?limit=1e9",
    ),
    *(
        "?limit=" + "9" * 500,
        "?limit=NaN",
        "?page=-1",
        "?page=9223372036854775808",
        "?page=a",
        "?sort=;",
    ),
    *("?sort=kudos'--", "?since=9999-99-99", "?since=-1", "?until=0001-01-01T00:00:00-23:59"),
    *(
        "?since=2026-01-01&until=2026-01-01",
        "?since=" + "2" * 900,
        "?type=%E2%80%AE",
        "?name=%0d%0a",
    ),
    *("?by=day&since=0001-01-01", "?kind=nothing", "?worker_id=%00", "?expires=a&signature=b"),
    *(
        "?expires=" + "9" * 500 + "&signature=" + "a" * 900,
        "?reason=" + "a" * 600,
        "?key=" + "a" * 22,
    ),
    *(
        "?min_count=-1",
        "?model_state=nothing",
        "?username=%F0%9F%A6%8A",
        "?apikey=0000000000",
        "?a=" + "%" * 99,
    ),
)
IDS = (
    *(
        "0",
        "-1",
        "9" * 400,
        "1e9",
        "%00",
        "%2e%2e",
        "..",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "a" * 3000,
    ),
    *(
        "%F0%9F%A6%8A",
        "%ff%fe",
        "'%20OR%201=1--",
        "%0d%0aX:1",
        "*",
        "{id}",
        ".",
        "~",
        ";a=b",
        "a%2Fb",
    ),
    *(
        "9223372036854775808",
        NOTHING.upper(),
        NOTHING + "0",
        "null",
        "%5c..%5c..",
        "con",
        "%E2%80%AE",
    ),
)

Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """An operation, or a call of a door, and what an honest program sends to it."""

    name: str
    method: str
    path: str
    body: Body | None
    keep: frozenset[str] = frozenset()  # fields without which the call would wait for long


def targets(user_id: str) -> list[Target]:
    """What is called: every operation, and the doors that have no row in the table."""
    found = [of_row(row, user_id) for row in TABLE]
    nobody = {"models": ["nobody has this"]}
    asks = {"prompt": "a fox", "n": 1, "size": "512x512", "model": "nobody has this"}
    draws = {"prompt": "a fox", "width": 512, "steps": 1, "override_settings": {}, **nobody}
    return [
        *found,
        Target("openai images", "POST", "/v1/images/generations", asks, frozenset({"model"})),
        Target("openai models", "GET", "/v1/models", None),
        Target("openai edits", "POST", "/v1/images/edits", {"prompt": "a fox"}),
        Target("a1111 models", "GET", "/sdapi/v1/sd-models", None),
        Target("a1111 progress", "GET", "/sdapi/v1/progress", None),
        Target("a1111 unknown", "POST", "/sdapi/v1/nothing", draws),
        Target("page of the horde", "GET", "/horde", None),
        Target("page of problems", "GET", "/problems/Nothing", None),
        Target("page of the API", "GET", "/api/", None),
    ]


def of_row(row: Operation, user_id: str) -> Target:
    """A row as somebody calls it who knows nothing that exists but one user, and not their key."""
    ids = {each.name: NOTHING for each in row.parameters if each.place is Place.PATH}
    if "user_id" in ids:
        ids["user_id"] = user_id
    body = examples.BODIES.get(row.name)
    if body is not None and "prompt" in body:
        body = {**body, "models": ["nobody has this"]}
    keep = frozenset({"models", "dry_run"}) if row.name == "post_sync_generate" else frozenset()
    return Target(row.name, row.method, row.path.format(**ids), body, keep)


def calls(
    targets: list[Target], key: str, seed: int, many: int
) -> Iterator[tuple[Target, bytes, str]]:
    """So many calls, the same for the same seed; with what was done to each."""
    chance = random.Random(seed)
    for number in range(many):
        target = targets[number % len(targets)]
        raw, what = changed(target, key, chance)
        yield target, raw, f"seed {seed}, call {number}: {target.name}, {what}"


def changed(target: Target, key: str, chance: random.Random) -> tuple[bytes, str]:
    """A call with something wrong in it, as bytes, and in words."""
    headers = [("apikey", key), ("Content-Type", "application/json")]
    path, body, what = target.path, b"", []
    if target.body is not None:
        body, said = changed_body(target, chance)
        what.append(said)
    if target.body is None or chance.random() < 0.25:
        for _ in range(chance.choice((1, 1, 3))):
            name, values = chance.choice(HEADERS)
            headers = [each for each in headers if each[0] != name or chance.random() < 0.3]
            headers.append((name, chance.choice(values)))
            what.append(name)
    if chance.random() < 0.3:
        path += chance.choice(QUERIES)
        what.append("query")
    if NOTHING in path and chance.random() < 0.5:
        path = path.replace(NOTHING, chance.choice(IDS))
        what.append("id")
    method = target.method
    if chance.random() < 0.02:
        method = chance.choice(("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FOO"))
        what.append(method)
    return call(method, path, body, headers), ", ".join(what)


def changed_body(target: Target, chance: random.Random) -> tuple[bytes, str]:
    """The bytes of a body with something wrong in it."""
    ways: tuple[Callable[[Target, random.Random], bytes], ...] = (
        with_values,
        with_values,
        with_values,
        with_doubles,
        without_fields,
        with_bytes,
        as_other,
    )
    way = chance.choice(ways)
    return way(target, chance), way.__name__


def with_values(target: Target, chance: random.Random) -> bytes:
    """Some values are others."""
    body = dict(target.body or {})
    marks = {}
    for _ in range(chance.choice((1, 1, 1, 3))):
        inner = body
        params = body.get("params")
        if isinstance(params, dict) and chance.random() < 0.5:
            inner = body["params"] = dict(params)
        names = [name for name in (*inner, "params", "unknown", "") if name not in target.keep]
        mark = f"@{len(marks)}@"
        marks[mark] = chance.choice(VALUES)
        inner[chance.choice(names)] = mark
    text = json.dumps(body)
    for mark, value in marks.items():
        text = text.replace(f'"{mark}"', value)
    return text.encode("utf-8", "surrogatepass")


def with_doubles(target: Target, chance: random.Random) -> bytes:
    """A field is there twice, or a thousand times."""
    text = json.dumps(target.body)
    names = [name for name in target.body or {"a": 1} if name not in target.keep] or ["a"]
    doubled = f'"{chance.choice(names)}": {chance.choice(VALUES)}, '
    return ("{" + doubled * chance.choice((1, 2, 1000)) + text[1:]).encode(
        "utf-8", "surrogatepass"
    )[: 900 * 1024]


def without_fields(target: Target, chance: random.Random) -> bytes:
    """Some fields are missing."""
    body = target.body or {}
    kept = {name for name in body if name in target.keep or chance.random() < 0.5}
    return json.dumps({name: body[name] for name in kept}).encode()


def with_bytes(target: Target, chance: random.Random) -> bytes:
    """Some bytes are damaged; a body that must be whole to be harmless is cut off as well."""
    raw = bytearray(json.dumps(target.body).encode())
    for _ in range(chance.choice((1, 2, 10))):
        place = chance.randrange(len(raw))
        match chance.randrange(4):
            case 0:
                raw[place] = chance.randrange(256)
            case 1:
                raw[place:place] = chance.choice(RAW_VALUES)
            case 2:
                del raw[place : place + chance.randrange(1, 9)]
            case _:
                raw[place:place] = raw[: chance.randrange(1, 60)]
        if not raw:
            return b"{"
    return bytes(raw[:-1] if target.keep else raw)


def as_other(target: Target, chance: random.Random) -> bytes:
    """It is no object, or in another encoding."""
    text = json.dumps(target.body)
    others: tuple[bytes, ...] = (
        text.encode("utf-16"),
        text.encode("utf-32"),
        gzip.compress(text.encode()),
        b"",
        b" " * 50_000,
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP,
        b'{"a":' * DEEP + b"0" + b"}" * DEEP,
        text.encode() * 2,
        text.encode() + b"\0",
        b"\xef\xbb\xbf" + text.encode() + b"x",
        b"null",
        b"0",
        b'"' + b"a" * 500_000,
        text.replace('"', "'").encode(),
        b"<a>" + text.encode() + b"</a>",
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--",
        b"prompt=a&n=1",
        chance.randbytes(300),
        ("{" + '"params":{' * 40 + "}" * 41).encode(),
        b'{"\xff":1}',
    )
    return chance.choice(others)
