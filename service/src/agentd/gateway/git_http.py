# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""One of git's requests to a forge over HTTP, with the token, and its answer back."""

from __future__ import annotations

from typing import cast

import httpx

from agentd.gateway.forge_access import TIMEOUT, ForgeAccess
from agentd.gateway.git_body import Answered, GitBody, Give
from agentd.gateway.git_rules import KIND, GitRequest, response_headers
from agentd.gateway.headers import Header
from agentd.gateway.refusal import Refused

_REASONS = {
    401: "it refuses the gateway's token. Set a good one in token_file of the forge.",
    403: "the gateway's token does not allow it. Give its user the right to do this.",
    404: "it has no such repository, or the gateway's token may not see it.",
    413: "it takes nothing so large.",
    429: "it was asked too often. Try again later.",
}


async def ask_over_http(
    forge: ForgeAccess,
    request: GitRequest,
    headers: list[Header],
    body: GitBody,
    give: Give,
) -> None:
    """Give the forge's answer as it comes; raise Refused if it is no good one."""
    asked = httpx.Request(
        "GET" if request.advertises else "POST",
        forge.settings.url + request.path,
        headers=[*headers, *forge.sign_git()],
        content=None if request.advertises else body.pieces(),
        extensions={"timeout": TIMEOUT},
    )
    # Without httpx's client around it: a redirect is never followed, so that the
    # token goes to the forge's own address and nowhere else.
    try:
        response = await forge.transport.handle_async_request(asked)
        stream = cast(httpx.AsyncByteStream, response.stream)
        try:
            forge.note(response.status_code)
            _check(forge, request, response)
            passed = response_headers(response.headers.raw, request)
            await give(Answered(passed, aiter(stream)))
        finally:
            body.ending = True
            await stream.aclose()
    except httpx.HTTPError as error:
        status = 504 if isinstance(error, httpx.TimeoutException) else 502
        raise Refused(status, KIND, forge.note_unreached(error)) from error


def _check(forge: ForgeAccess, request: GitRequest, response: httpx.Response) -> None:
    """Raise Refused with words of ours: what a forge writes is not passed on."""
    status = response.status_code
    name = f"{request.forge}:{request.repository}"
    if 300 <= status < 400:
        raise Refused(
            502,
            KIND,
            f"Forge {request.forge} says that {request.repository} is elsewhere, where "
            "the token does not go. Use the repository's new name, or correct the url "
            "of the forge.",
        )
    if status != 200:
        reason = _REASONS.get(status, f"it answers with status {status}.")
        if status == 401 and forge.token is None:
            reason = "it wants a token, and the gateway has none. Set token_file."
        # To 401, git would ask somebody for a password.
        told = 403 if status == 401 else status if 400 <= status < 600 else 502
        raise Refused(told, KIND, f"Forge {request.forge}, {name}: {reason}")
    if response.headers.get("content-type") != request.content_type:
        raise Refused(
            502,
            KIND,
            f"{forge.settings.url} does not answer as a server of git does. "
            "Correct the url of the forge.",
        )
