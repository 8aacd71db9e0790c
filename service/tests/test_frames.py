# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The frame codec: what is cut, what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from agentd.spawner.frames import (
    HEADER_BYTES,
    MAX_JSON_BYTES,
    MAX_JSON_DEPTH,
    MAX_JSON_VALUES,
    MAX_PAYLOAD_BYTES,
    Frame,
    FrameDecoder,
    FrameInvalid,
    FrameKind,
    decode_json,
    encode,
    encode_json,
)


@dataclass(frozen=True)
class Row:
    """Bytes as they come, piece by piece, and the frames in them."""

    name: str
    pieces: tuple[bytes, ...]
    frames: tuple[Frame, ...]


OUTPUT = encode(FrameKind.OUTPUT, b"abc")
ROWS = [
    Row("one frame", (OUTPUT,), (Frame(FrameKind.OUTPUT, b"abc"),)),
    Row("nothing", (b"",), ()),
    Row("an empty payload", (encode(FrameKind.PING),), (Frame(FrameKind.PING),)),
    Row("two at once", (OUTPUT + OUTPUT,), (Frame(FrameKind.OUTPUT, b"abc"),) * 2),
    Row(
        "byte by byte",
        tuple(bytes((byte,)) for byte in OUTPUT),
        (Frame(FrameKind.OUTPUT, b"abc"),),
    ),
    Row("a header in part", (OUTPUT[: HEADER_BYTES - 1],), ()),
    Row("a payload in part", (OUTPUT[:-1],), ()),
    Row(
        "one and a half",
        (OUTPUT + OUTPUT[:6],),
        (Frame(FrameKind.OUTPUT, b"abc"),),
    ),
    Row(
        "the largest payload",
        (encode(FrameKind.INPUT, b"x" * MAX_PAYLOAD_BYTES),),
        (Frame(FrameKind.INPUT, b"x" * MAX_PAYLOAD_BYTES),),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_frames_are_cut_wherever_the_pieces_end(row: Row) -> None:
    decoder = FrameDecoder()

    frames = [frame for piece in row.pieces for frame in decoder.feed(piece)]

    assert tuple(frames) == row.frames


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x00\x00",
        b"\xff\x00\x00\x00\x00",
        bytes((FrameKind.OUTPUT,)) + (MAX_PAYLOAD_BYTES + 1).to_bytes(4, "big"),
        bytes((FrameKind.OUTPUT,)) + b"\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\n",
    ],
    ids=["type zero", "unknown type", "one byte too long", "4 GiB", "HTTP"],
)
def test_what_is_not_a_frame_is_refused_from_its_header_on(data: bytes) -> None:
    decoder = FrameDecoder()

    with pytest.raises(FrameInvalid):
        decoder.feed(data)


def test_a_payload_that_is_too_large_is_not_sent() -> None:
    with pytest.raises(FrameInvalid, match=f"{MAX_PAYLOAD_BYTES + 1} bytes"):
        encode(FrameKind.OUTPUT, b"x" * (MAX_PAYLOAD_BYTES + 1))


def test_json_that_is_too_large_is_not_sent() -> None:
    with pytest.raises(FrameInvalid, match="bytes of JSON"):
        encode_json(FrameKind.CALL, {"text": "x" * MAX_JSON_BYTES})


def nested(depth: int) -> bytes:
    """Return an object with lists nested that deep."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b'"text"',
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": ' + b"9" * 10_000 + b"}",
        nested(MAX_JSON_DEPTH + 1),
        nested(50_000),
        json.dumps({"a": list(range(MAX_JSON_VALUES))}).encode(),
        b'{"a": "' + b"x" * MAX_JSON_BYTES + b'"}',
    ],
    ids=[
        "nothing",
        "cut off",
        "a list",
        "a number",
        "a string",
        "not text",
        "NaN",
        "infinity",
        "a huge number",
        "one level too deep",
        "deeper than the interpreter goes",
        "too many values",
        "too many bytes",
    ],
)
def test_json_beyond_the_limits_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameInvalid):
        decode_json(payload)


def test_json_within_the_limits_is_read() -> None:
    value = {"id": 1, "result": {"errors": ["a"], "ok": True}}

    assert decode_json(json.dumps(value).encode()) == value
    assert decode_json(nested(MAX_JSON_DEPTH))


def test_the_first_frame_may_have_a_smaller_limit_than_the_others() -> None:
    greeting, large = b"x" * 100, b"y" * 10_000
    decoder = FrameDecoder(first_bytes=100)

    frames = decoder.feed(
        encode(FrameKind.HELLO, greeting) + encode(FrameKind.OUTPUT, large)
    )

    assert [frame.payload for frame in frames] == [greeting, large]


def test_a_first_frame_that_is_too_large_is_refused_by_its_header() -> None:
    header = encode(FrameKind.HELLO, b"x" * 101)[:HEADER_BYTES]

    with pytest.raises(FrameInvalid, match="announces 101 bytes"):
        FrameDecoder(first_bytes=100).feed(header)
