"""The connection that writes an answer at once."""

import asyncio

import pytest

from ordu.server.onewrite import OneWrite

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Inner(asyncio.Transport):
    """A connection that notes what is done with it."""

    def __init__(self):
        super().__init__()
        self.done = []
        self.ended = False

    def write(self, data):
        self.done.append(data)

    def writelines(self, parts):
        self.done.append(b"".join(parts))

    def is_closing(self):
        return self.ended

    def pause_reading(self):
        self.done.append("pause")

    def resume_reading(self):
        self.done.append("resume")

    def close(self):
        self.done.append("close")

    def abort(self):
        self.done.append("abort")


@pytest.fixture
async def inner():
    return Inner()


@pytest.fixture
async def connection(inner):
    return OneWrite(inner, asyncio.get_running_loop())


async def test_head_and_body_are_one_write(connection, inner):
    connection.write(HEAD)
    assert inner.done == []
    connection.write(b"body")
    connection.write(b"more")
    await asyncio.sleep(0)
    assert inner.done == [HEAD + b"body", b"more"]


async def test_a_head_whose_body_comes_later_goes_out_soon(connection, inner):
    connection.write(HEAD)
    await asyncio.sleep(0)
    assert inner.done == [HEAD]
    connection.write(b"event")
    assert inner.done == [HEAD, b"event"]


async def test_two_answers_behind_each_other(connection, inner):
    for _ in range(2):
        connection.write(HEAD)
        connection.write(b"body")
    await asyncio.sleep(0)
    assert inner.done == [HEAD + b"body"] * 2


async def test_an_answer_without_a_body_is_written_before_the_end(connection, inner):
    connection.write(HEAD)
    connection.close()
    await asyncio.sleep(0)
    assert inner.done == [HEAD, "close"]


async def test_nothing_is_written_to_a_connection_that_is_gone(connection, inner):
    connection.write(HEAD)
    inner.ended = True
    connection.abort()
    await asyncio.sleep(0)
    assert inner.done == ["abort"]


async def test_the_rest_is_the_connections_own(connection, inner):
    connection.pause_reading()
    connection.resume_reading()
    assert not connection.is_closing()
    assert inner.done == ["pause", "resume"]
