"""The headers that keep answers safe: one table, by what is answered. `Edge` adds them to all.

| header                      | everything    | pages        | pictures     | files of pages |
|-----------------------------|---------------|--------------|--------------|----------------|
| X-Content-Type-Options      | nosniff       | nosniff      | nosniff      | nosniff        |
| Referrer-Policy             | no-referrer   | no-referrer  | no-referrer  | no-referrer    |
| Cache-Control               | no-store      | no-cache (1) | ten minutes  | a year (2)     |
| Content-Security-Policy     | nothing       | web/render   | sandbox      | that of pages  |
| Access-Control-Allow-Origin | *             | none         | *            | *              |
| Cross-Origin-…-Policy       | none          | same-origin  | cross-origin | none           |
| Strict-Transport-Security   | a year, where `public_url` is https                         |

(1) no-store where a key or somebody's request is on it; (2) or as long as its name lasts.

What is answered may say something else of these, and then that is sent. So an answer whose author
thought of none of them may not be stored by anybody, be taken for another type, or be more to a
browser than the bytes it is. No answer names the server.

No answer allows credentials: whoever reads by `*` sends no cookie, and no cookie here says who
somebody is. So a foreign page gets what everybody gets, unless it is given a key. Pages are for
people, and no foreign page reads them at all.
"""

from collections.abc import Sequence
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

A_YEAR_S = 366 * 86_400
HTML = b"text/html"
JSON = (b"content-type", b"application/json")

# Every browser user interface needs these (protocol sheets 01 §6 and 60 §1.14).
CORS: Headers = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        (
            b"X-Request-Id, Retry-After, ETag, Link, Location, Preference-Applied,"
            b" Idempotency-Key, Idempotency-Replayed, RateLimit, RateLimit-Policy,"
            b" X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
        ),
    ),
)
USUAL: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
# Over plain http browsers do not heed it, so it only stands where the horde is reached by https.
ONLY_HTTPS: Headers = ((b"strict-transport-security", b"max-age=%d" % A_YEAR_S),)
PICTURE = {
    "Cache-Control": "private, max-age=600",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def usual(public_url: str) -> Headers:
    """What the answers of a horde at this address have where they say nothing else."""
    return USUAL + (ONLY_HTTPS if public_url.startswith("https://") else ())


def complete(given: Sequence[tuple[bytes, bytes]], defaults: Headers) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with what it does not say itself; names are in small letters."""
    if len(given) == 2 and given[0] == JSON:  # and its length: nearly all answers, so it is quick
        return [*given, *defaults, *CORS]
    said = dict(given)
    headers = [*given, *(each for each in defaults if each[0] not in said)]
    if not said.get(b"content-type", b"").startswith(HTML):
        headers += CORS
    return headers
