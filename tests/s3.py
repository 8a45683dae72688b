"""An S3 server for tests: moto on loopback, with what it leaves out and a real one does.

It looks at presigned links as a real one does: method, path, host and time must be what was signed.
And bytes are bytes: moto takes a body that is called a form for a form, and the object is empty (or
the answer never comes). A program that uploads with urllib calls everything a form.
"""

import hashlib
import hmac
import itertools
import threading
import time
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "not a secret at all"}
ACCOUNT = "123456789012"  # moto's own

Answers = Callable[..., Any]
FORM = "application/x-www-form-urlencoded"


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's own
        """Nothing."""


class StandIn:
    """The server, as tests see it."""

    def __init__(self, moto: Answers) -> None:
        self.moto = moto
        self.url = ""
        self.calls: list[tuple[str, str, str]] = []  # method, path, range: what was asked for
        self.is_broken = False
        self._numbers = itertools.count(1)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer, if who asks may."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.calls.append((method, path, environ.get("HTTP_RANGE", "")))
        if self.is_broken or (path.count("/") > 1 and not may(environ)):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code></Error>"]
        if environ.get("CONTENT_TYPE") == FORM:
            environ["CONTENT_TYPE"] = "binary/octet-stream"
        answer: Iterable[bytes] = self.moto(environ, start)
        return answer

    def bucket(self) -> str:
        """A new bucket's name."""
        name = f"bucket-{next(self._numbers)}"
        assert httpx.put(f"{self.url}/{name}").status_code == 200
        return name

    def make_older(self, bucket: str, key: str, seconds: float) -> None:
        """Move back when an object was written."""
        self._objects(bucket)[key].last_modified -= timedelta(seconds=seconds)

    def keys(self, bucket: str) -> list[str]:
        """The keys in a bucket."""
        return sorted(self._objects(bucket))

    def content_type(self, bucket: str, key: str) -> str:
        """As what an object is served."""
        kind: str = self._objects(bucket)[key].metadata["Content-Type"]
        return kind

    def _objects(self, bucket: str) -> Any:
        return s3_backends[ACCOUNT]["aws"].buckets[bucket].keys


def may(environ: dict[str, Any]) -> bool:
    """Whether a call is signed: by its headers, which nobody here forges, or by its link."""
    query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    if "X-Amz-Signature" not in query:
        return environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4-HMAC-SHA256 ")
    began = timegm(datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").timetuple())  # noqa: DTZ007
    is_late = time.time() > began + int(query["X-Amz-Expires"])
    return not is_late and query.pop("X-Amz-Signature") == signature(environ, query)


def signature(environ: dict[str, Any], query: dict[str, str]) -> str:
    """What Amazon's Signature Version 4 makes of a link that is used."""
    pairs = "&".join(
        f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items())
    )
    path = urlsplit(environ["RAW_URI"]).path
    asked = [environ["REQUEST_METHOD"], path, pairs, f"host:{environ['HTTP_HOST']}\n", "host"]
    digest = hashlib.sha256("\n".join([*asked, "UNSIGNED-PAYLOAD"]).encode()).hexdigest()
    key_id, _, scope = query["X-Amz-Credential"].partition("/")
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, digest])
    assert key_id == KEYS["AWS_ACCESS_KEY_ID"]
    key = f"AWS4{KEYS['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


@contextmanager
def an_s3_server() -> Iterator[StandIn]:
    """A server that is there until the end."""
    stand_in = StandIn(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, stand_in, threaded=True, request_handler=Quiet)
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()
