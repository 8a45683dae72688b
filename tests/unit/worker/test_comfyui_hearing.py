"""What is understood of a WebSocket: frames in any pieces, and of their contents the progress."""

import json
from collections.abc import Callable, Iterator

import pytest
from tests.programs.serving import Call, Serving, frame

from ordu.worker.backends.comfyui.graphs import Node
from ordu.worker.backends.comfyui.hearing import (
    Hearing,
    accept_of,
    frames,
    pong,
    sampling_nodes,
)
from ordu.worker.backends.programs import Program

GRAPH = {"1": Node("KSampler", {}), "2": Node("KSampler", {}), "3": Node("VAEDecode", {})}


def progress(value: object, node: object = "1", most: object = 4) -> bytes:
    data = {"value": value, "max": most, "node": node}
    return frame(json.dumps({"type": "progress", "data": data}).encode())


class Telling(Serving):
    """Sends over its WebSocket what it is given, and then closes it."""

    has_sockets = True

    def __init__(self, *told: bytes) -> None:
        super().__init__()
        self.told = told

    def frames(self, call: Call) -> Iterator[bytes]:
        yield from self.told


Heard = Callable[..., float]


@pytest.fixture
def heard() -> Heard:
    def share(*told: bytes) -> float:
        with Telling(*told) as far, Hearing(Program("ComfyUI", "t", far.url), "me", GRAPH) as near:
            for _ in range(20):
                near.listen(0.01)
            return near.share

    return share


def test_the_key_is_answered_as_the_standard_says():
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_frames_of_every_length_are_read_in_any_pieces(size):
    sent = frame(b"x" * size) + frame(b"y", 2)
    received = bytearray()
    found = []
    for start in range(0, len(sent), 997):
        received += sent[start : start + 997]
        found += frames(received)
    assert found == [(1, b"x" * size), (2, b"y")]
    assert received == b""


def test_a_part_of_a_message_is_no_text():
    assert list(frames(bytearray(b"\x01\x01a"))) == [(0, b"a")]


def test_a_frame_that_is_too_large_is_not_waited_for():
    with pytest.raises(ValueError, match="too large"):
        list(frames(bytearray(b"\x82\x7f" + (2**40).to_bytes(8, "big"))))


def test_a_pong_is_masked_and_short():
    assert pong(b"hi") == b"\x8a\x82\x00\x00\x00\x00hi"
    assert len(pong(b"x" * 500)) == 131


def test_only_nodes_that_take_steps_count():
    kinds = ("KSampler", "KSamplerAdvanced", "KSamplerSelect", "SamplerCustomAdvanced", "LoadImage")
    graph = {kind: Node(kind, {}) for kind in kinds}
    assert sampling_nodes(graph) == ["KSampler", "KSamplerAdvanced", "SamplerCustomAdvanced"]


@pytest.mark.parametrize(
    ("told", "share"),
    [
        pytest.param([], 0.0, id="nothing"),
        pytest.param([progress(2)], 0.25, id="half of the first of two"),
        pytest.param([progress(4), progress(1, "2")], 0.625, id="some of the second"),
        pytest.param([progress(4), progress(1)], 0.5, id="never back"),
        pytest.param([progress(9)], 0.5, id="never more than all"),
        pytest.param([progress(2, None)], 0.25, id="an old version names no node"),
        pytest.param([progress(2, "3")], 0.0, id="a node that takes no steps"),
        pytest.param([progress(2, "1", 0)], 0.0, id="of nothing"),
        pytest.param([progress("x"), progress(2)], 0.25, id="of another form"),
        pytest.param([frame(b"\xff\xfe"), frame(b"[]"), progress(2)], 0.25, id="no message"),
        pytest.param([frame(b"p", 9), progress(2)], 0.25, id="a ping"),
        pytest.param([frame(b"", 8), progress(2)], 0.0, id="after the end"),
        pytest.param([progress(2)[:9]], 0.0, id="cut short"),
        pytest.param([b"\x82\x7f" + b"\xff" * 8, progress(2)], 0.0, id="far too large"),
    ],
)
def test_what_is_heard(heard, told, share):
    assert heard(*told) == pytest.approx(share * 0.95)


def test_a_graph_without_steps_is_heard_without_a_share():
    far = Telling(progress(2, None))
    with far, Hearing(Program("ComfyUI", "t", far.url), "me", {}) as near:
        near.listen(0.05)
        assert near.share == 0.0


def test_where_nobody_answers_there_is_silence():
    far = Telling().start()
    far.stop()
    with Hearing(Program("ComfyUI", "t", far.url), "me", GRAPH) as near:
        near.listen(0.01)
        assert near.share == 0.0
