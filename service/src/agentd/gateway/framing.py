# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What a request's headers have to be before any of its body is taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agentd.gateway.headers import Header
from agentd.gateway.refusal import Refused

SESSION_HEADER = b"x-claude-code-session-id"
INVALID = "invalid_request_error"

_SESSION = re.compile(
    rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)


@dataclass(frozen=True)
class Framing:
    """What is known of a request by its headers."""

    session: str | None
    is_signed: bool


def framing_of(headers: Iterable[Header], limit: int) -> Framing:
    """Return what the headers say; raise Refused if they could mean two things."""
    found: dict[bytes, list[bytes]] = {}
    for one, value in headers:
        found.setdefault(one.lower(), []).append(value.strip())
    _check_body(found, limit)
    sessions = found.get(SESSION_HEADER, [])
    if len(sessions) > 1 or not all(_SESSION.fullmatch(one) for one in sessions):
        name = SESSION_HEADER.decode()
        raise Refused(400, INVALID, f"The header {name} is not one session id.")
    return Framing(
        session=sessions[0].decode().lower() if sessions else None,
        is_signed=len(found.get(b"authorization", ())) == 1,
    )


def _check_body(found: dict[bytes, list[bytes]], limit: int) -> None:
    lengths = found.get(b"content-length", [])
    if lengths and b"transfer-encoding" in found:
        raise Refused(400, INVALID, "The request says in two ways where it ends.")
    encodings = found.get(b"content-encoding", [])
    if any(one.lower() not in {b"", b"identity"} for one in encodings):
        raise Refused(
            415, INVALID, "The gateway passes no compressed request. Send it as it is."
        )
    if any(int(one) > limit for one in lengths):
        raise too_large(limit)


def too_large(limit: int) -> Refused:
    """Return the refusal of a body that is larger than allowed."""
    return Refused(
        413,
        "request_too_large",
        f"The request is larger than {limit} bytes. Send less, "
        "or raise max_request_bytes of the gateway.",
    )
