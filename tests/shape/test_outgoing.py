"""Who may open a connection to somewhere else: what strangers name goes through one guarded door.

A server's package that could reach the network stands in the table with what it reaches. Whoever
adds another has to say so here, and will be asked why it does not go through `outside.guard`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "ordu"
SERVER = ("server", "engine", "kinds", "store", "images", "outside", "openid", "web", "backups",
          "rules", "protocol", "settings")  # fmt: skip

# What opens connections, or is the way to something that does.
MODULES = {
    "aiohttp", "asyncpg", "ftplib", "http", "httpcore", "httpx", "imaplib", "obstore", "poplib",
    "requests", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib3", "websockets",
    "xmlrpc",
}  # fmt: skip
PARTS = {"urllib.request", "urllib.error", "urllib.robotparser", "asyncio.streams"}
CALLS = {
    "connect", "connect_ex", "create_connection", "create_datagram_endpoint",
    "create_subprocess_exec", "create_subprocess_shell",
    "create_unix_connection", "getaddrinfo", "open_connection",
    "open_unix_connection", "sock_connect", "start_tls", "urlopen", "Popen",
}  # fmt: skip

# Where these stand, and what for. All but the first four lead where the operator says, never where
# a caller does.
ALLOWED = {
    "outside/guard.py": "the guard itself: looks a host up once, checks it, dials what it checked",
    "outside/post.py": "webhooks, through the guard",
    "outside/targets.py": "reads addresses; connects to nothing",
    "images/door.py": "source pictures by link, through the guard",
    "openid/calls.py": "the providers in the setting oidc",
    "images/apart.py": "starts itself as the process that decodes",
    "images/s3.py": "the storage in the setting images",
    "store/postgres.py": "the database in the setting database",
    "store/channel.py": "the same database",
    "store/reaching.py": "says why it cannot be reached",
    "store/moving/postgres.py": "the databases named on the command line",
    "store/migrations/postgres.py": "the database in the setting database",
    "store/migrations/runner.py": "the same database",
    "backups/books.py": "opens SQLite files",
    "store/sqlite.py": "opens SQLite files",
    "store/moving/sqlite.py": "opens SQLite files",
    "store/moving/catalog.py": "opens SQLite files",
    "store/migrations/__init__.py": "opens SQLite files",
    "backups/checking.py": "asks an application in this process, by no socket",
    "server/listening.py": "the socket it listens on",
    "server/own_port.py": "the same, for metrics",
    "server/refusals.py": "the names of statuses; connects to nothing",
    "server/stopping.py": "the same",
    "server/supervisor.py": "starts servers of its own kind",
}


def reaches(path: Path) -> set[str]:
    """By which names a module could reach the network."""
    return set(names(ast.parse(path.read_text(encoding="utf-8"))))


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if is_way(each.name))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in (node.module, *(f"{node.module}.{each.name}" for each in node.names)):
                if is_way(name):
                    yield name
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in CALLS:
                yield f"{called}()"


def is_way(name: str) -> bool:
    return name.partition(".")[0] in MODULES or name in PARTS


def found() -> dict[str, set[str]]:
    """Every module of the server that could reach the network, and how."""
    return {
        path.relative_to(PACKAGE).as_posix(): ways
        for folder in SERVER
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        if (ways := reaches(path))
    }


def test_nothing_else_of_the_server_reaches_the_network():
    assert {path: ways for path, ways in found().items() if path not in ALLOWED} == {}


def test_the_table_names_only_what_does():
    assert ALLOWED.keys() - found().keys() == set()


@pytest.mark.parametrize("path", ["outside/post.py", "images/door.py"])
def test_what_a_stranger_names_is_dialled_by_the_guard_alone(path):
    """They take the guard's connections; of httpcore they use types and errors."""
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    assert "ordu.outside.guard" in {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    made = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not made & {"AsyncConnectionPool", "ConnectionPool", "AsyncClient", "Client", "stream"}


@pytest.mark.parametrize(
    "source",
    [
        "import httpx",
        "from urllib.request import urlopen",
        "from urllib import request",
        "import http.client",
        "def f(loop):\n    loop.create_connection(None)",
        "import asyncio\nasync def f():\n    await asyncio.open_connection('h', 1)",
        "from socket import create_connection",
    ],
)
def test_these_would_be_found(source):
    assert list(names(ast.parse(source)))
