"""The proxy as it is deployed: the real Caddy and its real file, before servers that tell all."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.conftest import DEPLOY, run, tool

HERE = "127.0.0.1"
WAIT_S = 30


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something of another program, which has no event to wait for."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, f"waited {WAIT_S} s for {what}"
        time.sleep(0.02)


class Answering(BaseHTTPRequestHandler):
    """A server that says what it was asked, and can wait, stream and drain."""

    protocol_version = "HTTP/1.1"
    server: "Upstream"

    def do_GET(self) -> None:
        if self.path == "/readyz":
            self.answer(503 if self.server.draining.is_set() else 200, b"")
        elif self.path == "/wait":
            self.server.waiting.set()
            self.connection.settimeout(WAIT_S)
            if self.rfile.read(1) == b"":  # the other end has gone
                self.server.hung_up.set()
            self.close_connection = True
        elif self.path == "/events":
            self.stream()
        else:
            told = {"name": self.server.name, "path": self.path, "headers": dict(self.headers)}
            self.answer(200, json.dumps(told).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, json.dumps({"name": self.server.name, "bytes": len(body)}).encode())

    def do_PUT(self) -> None:
        self.do_POST()

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"event: queued\ndata: {}\n\n")
        self.server.may_end.wait(WAIT_S)
        self.wfile.write(b"event: done\ndata: {}\n\n")
        self.close_connection = True

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""


class Upstream(ThreadingHTTPServer):
    """One server behind the proxy, on a port of its own."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__((HERE, 0), Answering)
        self.name = name
        self.connections: set[socket.socket] = set()
        self.draining, self.waiting = threading.Event(), threading.Event()
        self.hung_up, self.may_end = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"{HERE}:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def end(self) -> None:
        """As a killed process ends: it listens no more, and all its connections are cut."""
        self.may_end.set()
        self.shutdown()
        self.socket.close()
        for each in list(self.connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.server_close()


@dataclass
class Proxy:
    """Caddy and what stands behind it."""

    port: int
    trust: ssl.SSLContext
    upstreams: dict[str, Upstream]
    opened: list[HTTPSConnection] = field(default_factory=list)

    def open(
        self, method: str, path: str, host: str = "localhost", body: bytes | None = None,
        **headers: str,
    ) -> HTTPResponse:  # fmt: skip
        connection = Named(host, self.port, self.trust)
        self.opened.append(connection)
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        response = self.open(method, path, **more)
        text = response.read()
        is_json = text.startswith(b"{")
        return response.status, json.loads(text) if is_json else text.decode()


class Named(HTTPSConnection):
    """A connection to this machine that asks for a server by name, without looking the name up."""

    def __init__(self, host: str, port: int, trust: ssl.SSLContext) -> None:
        super().__init__(host, port, context=trust, timeout=WAIT_S)
        self.trust = trust

    def connect(self) -> None:
        plain = socket.create_connection((HERE, self.port), WAIT_S)
        self.sock = self.trust.wrap_socket(plain, server_hostname=self.host)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port: int = probe.getsockname()[1]
        return port


def configuration(folder: Path, port: int, upstreams: dict[str, Upstream]) -> Path:
    """The deployed file as JSON: on loopback, before our servers, and otherwise untouched."""
    text = (DEPLOY / "compose" / "Caddyfile").read_text()
    for place, name in (("server-1:7001", "one"), ("server-2:7001", "two"), ("storage:8333", "s3")):
        assert place in text
        text = text.replace(place, upstreams[name].address)
    file = folder / "Caddyfile"
    file.write_text(text)
    sites = {"ORDU_SITE": f"localhost:{port}", "ORDU_PICTURES_SITE": f"pictures.localhost:{port}"}
    done = run(tool("caddy"), "adapt", "--config", file, env={**sites, "HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    (server,) = made["apps"]["http"]["servers"].values()
    server["listen"] = [f"{HERE}:{port}"]
    server["protocols"] = ["h1"]
    server["automatic_https"] = {"disable_redirects": True}
    # Nothing of this machine is changed, and no name is looked up.
    made["admin"] = {"disabled": True}
    made["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    target = folder / "caddy.json"
    target.write_text(json.dumps(made))
    return target


def greets(root: Path, port: int) -> bool:
    """Whether Caddy listens and has its certificates for both names."""
    try:
        trust = ssl.create_default_context(cafile=root)
        for host in ("localhost", "pictures.localhost"):
            connection = Named(host, port, trust)
            connection.connect()
            connection.close()
    except OSError:
        return False
    return True


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    caddy = tool("caddy")
    upstreams = {name: Upstream(name) for name in ("one", "two", "s3")}
    port = free_port()
    file = configuration(tmp_path, port, upstreams)
    places = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([caddy, "run", "--config", file], env=places, stderr=log)
    root = tmp_path / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    opened: list[HTTPSConnection] = []
    try:
        until(lambda: process.poll() is not None or greets(root, port), "Caddy to start")
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield Proxy(port, ssl.create_default_context(cafile=root), upstreams, opened)
    finally:
        for each in opened:
            each.close()
        for upstream in upstreams.values():
            upstream.end()
        process.send_signal(signal.SIGKILL)
        process.wait()
        shutil.rmtree(tmp_path / "caddy", ignore_errors=True)


def test_a_caller_cannot_say_where_it_comes_from(proxy):
    forged = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http"}
    status, told = proxy.ask("GET", "/api/v2/find_user", **forged)
    assert status == 200
    assert told["headers"]["X-Forwarded-For"] == HERE
    assert told["headers"]["X-Forwarded-Proto"] == "https"


def test_no_call_fails_when_a_server_is_gone(proxy):
    proxy.upstreams["one"].end()
    answers = [proxy.ask("POST", "/api/v2/generate/async", body=b"{}") for _ in range(20)]
    assert [(status, told["name"]) for status, told in answers] == [(200, "two")] * 20


def test_a_server_that_drains_gets_no_more_calls(proxy):
    for name in ("one", "two"):
        proxy.upstreams[name].draining.set()
        other = {"one": "two", "two": "one"}[name]

        def all_go_to(wanted: str = other) -> bool:
            answers = [proxy.ask("GET", "/") for _ in range(4)]
            assert {status for status, _ in answers} == {200}
            return {told["name"] for _, told in answers} == {wanted}

        until(all_go_to, f"server {name} to be left alone")
        proxy.upstreams[name].draining.clear()
        until(lambda name=name: proxy.ask("GET", "/")[1]["name"] == name, f"{name} to be back")


def test_events_are_passed_on_at_once(proxy):
    response = proxy.open("GET", "/events")
    assert response.readline() == b"event: queued\n"  # and the stream has not ended
    assert not any(each.may_end.is_set() for each in proxy.upstreams.values())
    for each in proxy.upstreams.values():
        each.may_end.set()
    assert b"event: done" in response.read()


def test_a_server_is_told_that_its_caller_hung_up(proxy):
    connection = Named("localhost", proxy.port, proxy.trust)
    connection.request("GET", "/wait")
    servers = (proxy.upstreams["one"], proxy.upstreams["two"])
    until(lambda: any(each.waiting.is_set() for each in servers), "the call to wait")
    connection.close()
    until(lambda: any(each.hung_up.is_set() for each in servers), "the server to be told")


def test_bodies_pass_that_a_server_takes_and_no_larger_ones(proxy):
    most = 32 * 1024**2
    status, told = proxy.ask("POST", "/api/v2/generate/async", body=bytes(most))
    assert (status, told["bytes"]) == (200, most)
    larger = bytes(33 * 1024**2 + 1)
    assert proxy.ask("POST", "/api/v2/generate/async", body=larger)[0] == 413


def test_a_signed_link_reaches_the_storage_as_it_was_signed(proxy):
    link = "/pictures/a/b.webp?X-Amz-Expires=300&X-Amz-Signature=abc"
    status, told = proxy.ask("GET", link, host="pictures.localhost")
    assert status == 200
    assert (told["name"], told["path"]) == ("s3", link)
    assert told["headers"]["Host"] == f"pictures.localhost:{proxy.port}"
    status, told = proxy.ask("PUT", link, host="pictures.localhost", body=b"picture")
    assert (status, told["bytes"]) == (200, 7)


def test_what_a_worker_uploads_is_no_page_for_a_browser(proxy):
    link = "/pictures/a/b.webp?X-Amz-Signature=abc"
    response = proxy.open("GET", link, host="pictures.localhost")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    response.read()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/pictures/a/b.webp", id="a picture without a signature"),
        pytest.param("GET", "/?X-Amz-Signature=abc", id="the list of buckets"),
        pytest.param("GET", "/pictures?X-Amz-Signature=abc", id="the list of pictures"),
        pytest.param("DELETE", "/pictures/a?X-Amz-Signature=abc", id="an end of a picture"),
        pytest.param("POST", "/pictures/a?X-Amz-Signature=abc", id="a form"),
        pytest.param("GET", "/healthz", id="what the storage says of itself"),
    ],
)
def test_nothing_else_of_the_storage_is_reached(method, path, proxy):
    assert proxy.ask(method, path, host="pictures.localhost") == (
        403, "Pictures are reached by signed links only.",
    )  # fmt: skip
