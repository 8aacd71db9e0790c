# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What control asks the gateway to do with credentials."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from agentd.api.gateway_socket import Answered, Question, ask
from agentd.errors import (
    AgentdError,
    CredentialsRefused,
    CredentialsUnused,
    GatewayUnavailable,
)
from agentd.spawner.calls import printable

TIMEOUT_SECONDS = 20.0
MAX_BYTES = 64 * 1024
REFUSALS: dict[int, type[AgentdError]] = {
    400: CredentialsRefused,
    409: CredentialsUnused,
}


async def ask_gateway(
    socket: str | None, method: str, document: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """Return how the gateway's credentials stand after the deed.

    Raise CredentialsRefused, CredentialsUnused or GatewayUnavailable.
    """
    if socket is None:
        raise GatewayUnavailable(
            "Cannot ask the gateway: gateway_status_socket is null. Set it, and "
            "status_socket of the gateway."
        )
    body = b"" if document is None else json.dumps(document).encode()
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            question = Question(method, "/credentials", body)
            answered = await ask(socket, question, MAX_BYTES)
        found = json.loads(answered.body)
    except (OSError, ValueError, RecursionError) as error:
        why = "it did not answer in time" if isinstance(error, TimeoutError) else ""
        raise GatewayUnavailable(
            f'Cannot ask the gateway at "{socket}": {why or printable(str(error))}. '
            "Look at its container, and try again."
        ) from error
    if answered.status != 200 or not isinstance(found, dict):
        raise _refusal(answered, found)
    return found


def _refusal(answered: Answered, found: object) -> AgentdError:
    error = found.get("error") if isinstance(found, dict) else None
    kind = REFUSALS.get(answered.status, GatewayUnavailable)
    if isinstance(error, str) and error:
        return kind(printable(error))
    return kind(f"The gateway answered {answered.status} and no reason.")
