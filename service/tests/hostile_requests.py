# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Requests to the gateway that mean harm, byte by byte."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

BODY = b'{"model":"claude-x","messages":[]}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
POST = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\n"
SESSION = b"X-Claude-Code-Session-Id: "
UUID = b"0b7c8f7e-3d5a-4c0e-9a39-5d8f0f6a1c11"
PACKED = gzip.compress(b"\0" * 10**6)


@dataclass(frozen=True)
class Row:
    """A request, and the status that it is answered with."""

    name: str
    request: bytes
    status: int


CLOSE = b"Connection: close\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
ROWS = [
    Row("both lengths", POST + CLOSE + LENGTH + CHUNKED + b"\r\n0\r\n\r\n", 400),
    Row(
        "two lengths",
        POST + CLOSE + LENGTH + b"Content-Length: 1\r\n\r\n" + BODY,
        400,
    ),
    Row("a length below zero", POST + CLOSE + b"Content-Length: -1\r\n\r\n", 400),
    Row("a length that is none", POST + CLOSE + b"Content-Length: 1e3\r\n\r\n", 400),
    Row(
        "a length without end",
        POST + CLOSE + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        400,
    ),
    Row(
        "a length over the bound",
        POST + CLOSE + b"Content-Length: 99999999999\r\n\r\n",
        413,
    ),
    Row(
        "an unknown coding",
        POST + CLOSE + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    Row(
        "a coding in disguise",
        POST + CLOSE + LENGTH + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY,
        400,
    ),
    Row("a broken chunk", POST + CLOSE + CHUNKED + b"\r\nzz\r\nxx\r\n", 400),
    Row("a chunk without end", POST + CLOSE + CHUNKED + b"\r\n" + b"f" * 100_000, 400),
    Row(
        "a packed body",
        POST
        + CLOSE
        + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED)
        + PACKED,
        415,
    ),
    Row(
        "another host's address",
        b"POST http://evil.example/v1/messages HTTP/1.1\r\nHost: x\r\n"
        + CLOSE
        + LENGTH
        + b"\r\n"
        + BODY,
        404,
    ),
    Row(
        "a way out of the path",
        b"POST /v1/messages/../../evil HTTP/1.1\r\nHost: x\r\n"
        + CLOSE
        + LENGTH
        + b"\r\n"
        + BODY,
        404,
    ),
    Row(
        "a tunnel",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n",
        404,
    ),
    Row("a line in a header", POST + CLOSE + b"X-A: a\rX-B: b\r\n\r\n", 400),
    Row("a zero in a header", POST + CLOSE + b"X-A: a\0b\r\n\r\n", 400),
    Row(
        "a folded session id",
        POST + CLOSE + LENGTH + SESSION + b"a\r\n b: c\r\n\r\n" + BODY,
        400,
    ),
    Row(
        "two session ids",
        POST + CLOSE + LENGTH + (SESSION + UUID + b"\r\n") * 2 + b"\r\n" + BODY,
        400,
    ),
    Row(
        "a session id with a path",
        POST + CLOSE + LENGTH + SESSION + b"../../etc/passwd\r\n\r\n" + BODY,
        400,
    ),
    Row(
        "a long session id",
        POST + CLOSE + LENGTH + SESSION + b"a" * 5000 + b"\r\n\r\n" + BODY,
        400,
    ),
    Row("headers without end", POST + b"X-A: " + b"a" * 100_000, 400),
    Row("many headers", POST + b"X-A: b\r\n" * 20_000, 400),
    Row("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50, 400),
    Row("no version", b"POST /v1/messages\r\n\r\n", 400),
]
