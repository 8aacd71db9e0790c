# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What every WebSocket passes first: refused in JSON, and before the upgrade.

Browsers cannot send a header with one, so that the token may also be a subprotocol.
They tell which page opened the socket; without a token only our own pages may.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from starlette.types import Message, Scope, Send

EVENTS_PROTOCOL = "agentkeep.events"
TOKEN_PROTOCOL = "agentkeep.bearer."
Headers = Mapping[bytes, bytes]


def refusal_of(
    scope: Scope, headers: Headers, token: str | None
) -> tuple[int, str] | None:
    """Return the status and the reason to refuse a socket, or None."""
    if token is None:
        return None if is_own_page(headers) else (403, _FOREIGN)
    offered = scope.get("subprotocols", ())
    given = [one for one in offered if one.startswith(TOKEN_PROTOCOL)]
    if len(given) > 1 or (given and EVENTS_PROTOCOL not in offered):
        return 400, _UNNAMED
    scheme, _space, sent = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"bearer":
        sent = b"".join(one.encode()[len(TOKEN_PROTOCOL) :] for one in given)
    if not hmac.compare_digest(sent.strip(), token.encode("utf-8")):
        return 401, "Unauthorized: send the bearer token."
    return None


def protocol_of(scope: Scope) -> str | None:
    """Return the subprotocol that is chosen: never the one that is a token."""
    offered = scope.get("subprotocols", ())
    return EVENTS_PROTOCOL if EVENTS_PROTOCOL in offered else None


async def refuse_socket(send: Send, status: int, body: Mapping[str, object]) -> None:
    """Answer a handshake with a refusal in the place of an upgrade."""
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status == 503:
        headers.append((b"retry-after", b"5"))
    start: Message = {
        "type": "websocket.http.response.start",
        "status": status,
        "headers": headers,
    }
    await send(start)
    await send({"type": "websocket.http.response.body", "body": content})


def is_own_page(headers: Headers) -> bool:
    """Return whether no browser sent this for a page of somebody else."""
    origin, host = headers.get(b"origin"), headers.get(b"host", b"")
    return origin is None or origin in {b"http://" + host, b"https://" + host}


_FOREIGN = (
    "Refused: this socket may be opened by pages of this service only. Set an API "
    "token to allow others."
)
_UNNAMED = (
    f"Offer the subprotocol {EVENTS_PROTOCOL} beside one that is {TOKEN_PROTOCOL} and "
    "the token."
)
