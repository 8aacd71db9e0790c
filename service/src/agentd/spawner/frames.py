# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The frames between control and an agent: one byte type, four bytes length, payload.

Every limit here holds for both directions, since each side distrusts the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn

HEADER_BYTES = 5
MAX_PAYLOAD_BYTES = 256 * 1024
MAX_JSON_BYTES = 256 * 1024
MAX_JSON_DEPTH = 8
MAX_JSON_VALUES = 10_000


class FrameKind(IntEnum):
    """What a frame carries."""

    HELLO = 1
    CALL = 2
    ANSWER = 3
    PING = 4
    PONG = 5
    INPUT = 16
    END_INPUT = 17
    OUTPUT = 18
    ERROR_OUTPUT = 19
    EXIT = 20


_KINDS = {int(kind): kind for kind in FrameKind}


class FrameInvalid(Exception):
    """The peer sent something that is not a frame within the limits."""


@dataclass(frozen=True)
class Frame:
    """One frame."""

    kind: FrameKind
    payload: bytes = b""


def encode(kind: FrameKind, payload: bytes = b"") -> bytes:
    """Return the frame's bytes; raise FrameInvalid if the payload is too large."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise FrameInvalid(
            f"Cannot send a {kind.name} frame of {len(payload)} bytes: "
            f"a frame holds {MAX_PAYLOAD_BYTES} at most."
        )
    return bytes((kind,)) + len(payload).to_bytes(4, "big") + payload


def encode_json(kind: FrameKind, value: Mapping[str, object]) -> bytes:
    """Return a frame with a JSON object; raise FrameInvalid if it is too large."""
    payload = json.dumps(value, separators=(",", ":")).encode()
    if len(payload) > MAX_JSON_BYTES:
        raise FrameInvalid(
            f"Cannot send a {kind.name} frame with {len(payload)} bytes of JSON: "
            f"it may hold {MAX_JSON_BYTES} at most."
        )
    return encode(kind, payload)


class FrameDecoder:
    """Cuts a stream of bytes into frames, never holding more than one in part.

    The first frame may have a smaller limit than those that come after it.
    """

    def __init__(self, first_bytes: int = MAX_PAYLOAD_BYTES) -> None:
        self._buffer = bytearray()
        self._limit = first_bytes

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are complete now; raise FrameInvalid on others."""
        self._buffer += data
        frames: list[Frame] = []
        position = 0
        while len(self._buffer) - position >= HEADER_BYTES:
            kind = _KINDS.get(self._buffer[position])
            if kind is None:
                raise FrameInvalid(f"unknown frame type {self._buffer[position]}")
            start = position + HEADER_BYTES
            length = int.from_bytes(self._buffer[position + 1 : start], "big")
            if length > self._limit:
                raise FrameInvalid(f"{kind.name} frame announces {length} bytes")
            if len(self._buffer) - start < length:
                break
            frames.append(Frame(kind, bytes(self._buffer[start : start + length])))
            self._limit = MAX_PAYLOAD_BYTES
            position = start + length
        del self._buffer[:position]
        return frames


def decode_json(payload: bytes) -> dict[str, object]:
    """Return the JSON object in a payload; raise FrameInvalid beyond the limits."""
    if len(payload) > MAX_JSON_BYTES:
        raise FrameInvalid(f"{len(payload)} bytes of JSON are too many")
    try:
        value = json.loads(payload, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FrameInvalid("the payload is not acceptable JSON") from error
    if not isinstance(value, dict):
        raise FrameInvalid("the payload is not a JSON object")
    _check_shape(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_shape(value: object) -> None:
    seen = 0
    level: list[object] = [value]
    for _level in range(MAX_JSON_DEPTH + 1):
        if not level:
            return
        seen += len(level)
        if seen > MAX_JSON_VALUES:
            raise FrameInvalid("the JSON has too many values")
        level = [child for item in level for child in _children(item)]
    raise FrameInvalid("the JSON is nested too deeply")


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    return []
