# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the gateway answers control, on a socket that no agent reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agentd.gateway.account import Account
from agentd.gateway.credentials_app import CredentialsEndpoint
from agentd.gateway.exchange import Upstream
from agentd.gateway.forge_access import ForgeAccess, faults_of
from agentd.gateway.forge_app import ForgesEndpoint
from agentd.gateway.ledger import Ledger
from agentd.gateway.status import GatewayStatus


@dataclass(frozen=True)
class Report:
    """Where the status document comes from."""

    started_at: float
    upstream: Upstream
    ledger: Ledger
    forges: Mapping[str, ForgeAccess] = field(default_factory=dict)

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Return the accounts by the agents' names."""
        return self.ledger.accounts

    def status(self) -> GatewayStatus:
        """Return the document as it is now."""
        mine = self.upstream.credentials.find_faults() if self._is_used else ()
        faults = (*mine, self.upstream.fault)
        return GatewayStatus(
            upstream=self.upstream.url,
            started_at=self.started_at,
            agents={name: one.status() for name, one in self.accounts.items()},
            faults=(
                *(one for one in faults if one),
                *self.ledger.faults,
                *faults_of(self.forges),
            ),
        )

    @property
    def _is_used(self) -> bool:
        """Return whether any agent goes with the gateway's own credentials."""
        signed = {one.rules.sign_in for one in self.accounts.values()}
        return "gateway" in signed and not self.upstream.is_offline

    def is_signed_out(self) -> bool:
        """Return whether the model refused what the gateway adds."""
        return any(
            one.rules.sign_in == "gateway" and one.condition().state == "signed_out"
            for one in self.accounts.values()
        )


def create_status_app(report: Report) -> Starlette:
    """Return the application of the status socket."""

    async def status(request: Request) -> Response:
        return JSONResponse(report.status().for_output())

    async def sessions(request: Request) -> Response:
        name = request.query_params.get("agent", "")
        account = report.accounts.get(name)
        if account is None:
            reason = f'Cannot list the sessions of agent "{name[:64]}": it is unknown.'
            return JSONResponse({"error": reason}, status_code=404)
        found = [session.for_output() for session in account.sessions()]
        return JSONResponse({"agent": name, "sessions": found})

    endpoint = CredentialsEndpoint(report.upstream, report.is_signed_out)
    told = [Route("/status", status), Route("/sessions", sessions)]
    forges = ForgesEndpoint(report.forges)
    return Starlette(routes=[*told, *endpoint.routes(), *forges.routes()])
