# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control asks of forges, on the gateway's status socket."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentd.gateway.forge_access import ForgeAccess
from agentd.gateway.forge_issues import KIND, parse_question, state_of
from agentd.gateway.refusal import Refused


class ForgesEndpoint:
    """Answers questions with the tokens that nobody else has."""

    def __init__(self, forges: Mapping[str, ForgeAccess]) -> None:
        self._forges = forges

    def routes(self) -> list[Route]:
        """Return the paths."""
        return [Route("/forges/{forge}/issues", self._issues, methods=["GET"])]

    async def _issues(self, request: Request) -> Response:
        asked = request.query_params
        try:
            forge = self._forge(request.path_params["forge"])
            question = parse_question(
                forge, asked.get("repository", ""), asked.get("issue", "")
            )
            state = await state_of(forge, question)
        except Refused as refused:
            return JSONResponse({"error": str(refused)}, status_code=refused.status)
        return JSONResponse({"state": state})

    def _forge(self, name: str) -> ForgeAccess:
        found = self._forges.get(name)
        if found is None:
            known = ", ".join(sorted(self._forges)) or "none"
            reason = (
                f'No forge is named "{name[:64]}". The setting forges has: {known}.'
            )
            raise Refused(404, KIND, reason)
        return found
