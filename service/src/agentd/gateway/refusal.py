# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The gateway's own answers, in the form of the Messages API's errors.

The statuses are chosen by what the CLI does with them: it shows 402 and 403 at
once, and so it does any answer with ``x-should-retry: false``; 429 and 5xx it
asks again ten times.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

Headers = list[tuple[bytes, bytes]]
AT_ONCE: tuple[tuple[bytes, bytes], ...] = ((b"x-should-retry", b"false"),)


class Refused(Exception):
    """A request that does not go to the model, with its status and error type."""

    def __init__(
        self,
        status: int,
        kind: str,
        reason: str,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind
        self.headers = headers


def no_credential() -> Refused:
    """Return the refusal while the gateway has nothing to add."""
    return Refused(
        401,
        "authentication_error",
        "The gateway has no key and no sign-in yet. Upload one to "
        "POST /api/credentials, or set deployment_anthropic_api_key.",
        AT_ONCE,
    )


def not_signed_in(agent: str) -> Refused:
    """Return the refusal of an agent that should come signed in, and does not."""
    return Refused(
        401,
        "authentication_error",
        f'Agent "{agent}" has no sign-in of its own, and the gateway adds no key for '
        'it. Sign its CLI in, or set sign_in of the agent to "gateway".',
        AT_ONCE,
    )


@dataclass(frozen=True)
class Answer:
    """One whole answer of the gateway's own."""

    status: int
    headers: Headers
    body: bytes


def answer_of(refused: Refused) -> Answer:
    """Return the answer that tells of a refusal."""
    error = {"type": refused.kind, "message": str(refused)}
    body = json.dumps({"type": "error", "error": error}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *refused.headers,
    ]
    return Answer(refused.status, headers, body)
