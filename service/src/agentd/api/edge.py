# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What every request passes first: its id, its token and its size."""

from __future__ import annotations

import asyncio
import hmac
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentd.api.answer import Answer
from agentd.api.dense_bodies import MAX_PARTS, is_dense
from agentd.api.open_bodies import BUSY, OpenBodies, TooManyBodies, is_signed_path
from agentd.api.socket_edge import is_own_page, refusal_of, refuse_socket
from agentd.dashboard.sign_in import (
    MAX_SIGN_IN_BYTES,
    SignIn,
    is_open,
    is_ours,
    sign_in_page,
)
from agentd.log import get_log

MAX_BODY_BYTES = 1_000_000
BODY_SECONDS = 30.0
OPEN_PATHS = frozenset({"/health"})
QUIET_PATHS = frozenset({"/health", "/metrics"})
MAX_LOGGED_PATH = 200
# Where definitions and skills are uploaded: larger, and one at a time.
LARGE_PATHS = re.compile(r"/api/agents/upload|/api/registry/(agents|skills)/.+")
DENSE = f"The body has more than {MAX_PARTS} parts. Send fewer, or the files as a form."
FOREIGN = (
    "Refused: without an API token, pages of this service only may send this. Set "
    "api_token_file to allow others."
)
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")

log = get_log("api")


@dataclass(frozen=True)
class EdgeRules:
    """The token that callers need, and what each answer tells of this build."""

    token: str | None
    version: str
    commit: str
    body_seconds: float = BODY_SECONDS
    large_bytes: int = MAX_BODY_BYTES
    sign_in: SignIn | None = None

    @property
    def marks(self) -> Mapping[bytes, str]:
        """Return what each answer tells of this build."""
        return {b"x-build-version": self.version, b"x-build-commit": self.commit}

    def most_bytes(self, path: str) -> int:
        """Return how large the body of a request to that path may be."""
        if is_open(path):
            return MAX_SIGN_IN_BYTES
        return self.large_bytes if LARGE_PATHS.fullmatch(path) else MAX_BODY_BYTES


class Edge:
    """Refuses what lacks the token or is too large, and names each request."""

    def __init__(self, app: ASGIApp, rules: EdgeRules) -> None:
        self._app = app
        self._rules = rules
        self._one_large = asyncio.Semaphore(1)
        self._signed_bodies = OpenBodies()
        # Apart: whoever floods the webhooks keeps nobody from signing in.
        self._open_bodies = OpenBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        request_id = request_id_of(headers.get(b"x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        answer = Answer(send, request_id, self._rules.marks)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            began = time.monotonic()
            try:
                if scope["type"] == "websocket":
                    await self._open(scope, headers, receive, answer)
                else:
                    await self._pass(scope, headers, receive, answer)
            finally:
                _note(scope, answer.status, time.monotonic() - began)

    async def _open(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        answer: Answer,
    ) -> None:
        refused = refusal_of(scope, headers, self._rules.token)
        if refused is None:
            await self._app(scope, receive, answer.send)
            return
        status, error = refused
        body = {"error": error, "request_id": answer.request_id}
        await refuse_socket(answer.send, status, body)

    async def _pass(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        answer: Answer,
    ) -> None:
        if not self._allowed(scope["path"], headers):
            if scope["method"] in {"GET", "POST"} and is_ours(scope["path"]):
                await answer.redirect(sign_in_page(scope))
                return
            await answer.refuse(401, "Unauthorized: send the bearer token.")
            return
        if self._is_foreign(scope, headers):
            await answer.refuse(403, FOREIGN)
            return
        signed = is_signed_path(scope["path"])
        if signed or is_open(scope["path"]):
            bodies = self._signed_bodies if signed else self._open_bodies
            with bodies.counted(receive) as counted:
                await self._take(scope, headers, counted, answer)
            return
        if not is_large(headers, self._rules.most_bytes(scope["path"])):
            await self._take(scope, headers, receive, answer)
            return
        # Each takes several times its size in memory while it is read.
        try:
            async with asyncio.timeout(self._rules.body_seconds):
                await self._one_large.acquire()
        except TimeoutError:
            await answer.refuse(503, "Another upload takes long. Try again shortly.")
            return
        try:
            await self._take(scope, headers, receive, answer)
        finally:
            self._one_large.release()

    async def _take(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        answer: Answer,
    ) -> None:
        most = self._rules.most_bytes(scope["path"])
        try:
            body = await self._body(scope["path"], headers, receive)
        except _CallerGone:
            return
        except TooManyBodies:
            await answer.refuse(503, BUSY)
            return
        except TimeoutError:
            await answer.refuse(
                408,
                f"The body was not whole within {self._rules.body_seconds:g} s. "
                "Send it again.",
            )
            return
        if body is None:
            await answer.refuse(
                413, f"The body is larger than {most} bytes. Send less."
            )
            return
        if len(body) > MAX_BODY_BYTES and await asyncio.to_thread(
            is_dense, headers, body
        ):
            await answer.refuse(413, DENSE)
            return
        await self._app(scope, _replay(body, receive), answer.send)

    async def _body(
        self, path: str, headers: Mapping[bytes, bytes], receive: Receive
    ) -> bytes | None:
        # Who needs no token may not make us hold what nobody reads.
        if path in OPEN_PATHS:
            return b""
        async with asyncio.timeout(self._rules.body_seconds):
            return await _read_body(headers, receive, self._rules.most_bytes(path))

    def _is_foreign(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        # Any page can have its visitor's browser send a form to loopback.
        reads = scope.get("method") in {"GET", "HEAD"}
        return self._rules.token is None and not reads and not is_own_page(headers)

    def _allowed(self, path: str, headers: Mapping[bytes, bytes]) -> bool:
        if self._rules.token is None or path in OPEN_PATHS or is_open(path):
            return True
        if is_signed_path(path):
            return True
        door, cookies = self._rules.sign_in, headers.get(b"cookie", b"")
        if door is not None and is_ours(path) and door.admits(cookies):
            return True
        scheme, _space, given = headers.get(b"authorization", b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(
            given.strip(), self._rules.token.encode("utf-8")
        )


class _CallerGone(Exception):
    """The caller went away before its request was whole."""


def request_id_of(given: bytes | None) -> str:
    """Return the caller's request id if it may be echoed, else a new one."""
    text = (given or b"").decode("latin-1")
    return text if REQUEST_ID.fullmatch(text) else str(uuid.uuid4())


def _note(scope: Scope, status: int | None, seconds: float) -> None:
    """Log a request that ended; without a status, nobody was there to answer."""
    said = {
        "method": scope.get("method"),
        "path": scope["path"][:MAX_LOGGED_PATH],
        "status": status,
        "duration_ms": round(seconds * 1000),
    }
    if scope["path"] in QUIET_PATHS and status is not None and status < 500:
        log.debug("request_done", **said)
    else:
        log.info("request_done", **said)


def large_bytes(upload_max_bytes: int) -> int:
    """Return how large an upload's body may be: base64 and JSON take room too."""
    return 2 * upload_max_bytes + MAX_BODY_BYTES


def is_large(headers: Mapping[bytes, bytes], most: int) -> bool:
    """Return whether a body may be larger than most are, or does not say so."""
    announced = headers.get(b"content-length", b"0")
    told = b"transfer-encoding" not in headers and announced.isdigit()
    small = told and len(announced) <= 12 and int(announced) <= MAX_BODY_BYTES
    return most > MAX_BODY_BYTES and not small


async def _read_body(
    headers: Mapping[bytes, bytes], receive: Receive, most: int
) -> bytes | None:
    announced = headers.get(b"content-length", b"0")
    if len(announced) > 12 or (announced.isdigit() and int(announced) > most):
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerGone
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
