# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls by which control signs an agent's CLI in and out, and asks how it is."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping

from agentd.agent.credentials import (
    credentials_status,
    drop_credentials,
    put_credentials,
)
from agentd.agent.settings import AgentSettings
from agentd.credentials.status import CredentialsStatus
from agentd.errors import CredentialsRefused
from agentd.spawner.dial import Call, CallFailed


class CredentialCalls:
    """Answers in threads, one change at a time."""

    def __init__(self, settings: AgentSettings, cli: str) -> None:
        self._settings = settings
        self._cli = cli
        self._next = asyncio.Lock()

    async def status(self, _given: Mapping[str, object]) -> Mapping[str, object]:
        """Return how the sign-in stands."""
        return (await asyncio.to_thread(self._status)).for_output()

    async def put(self, parameters: Mapping[str, object]) -> Mapping[str, object]:
        """Sign the CLI in; what runs goes on with the sign-in that it has."""
        given = parameters.get("credentials")
        await self._change(lambda: put_credentials(self._settings, given))
        return await self.status({})

    async def drop(self, _given: Mapping[str, object]) -> Mapping[str, object]:
        """Sign the CLI out."""
        await self._change(lambda: drop_credentials(self._settings))
        return await self.status({})

    async def _change(self, deed: Callable[[], object]) -> None:
        try:
            async with self._next:
                await asyncio.to_thread(deed)
        except CredentialsRefused as error:
            raise CallFailed(str(error)) from error
        except OSError as error:
            raise CallFailed(
                f"{self._settings.credentials_directory} cannot be written: "
                f'{error.strerror}. Add "credentials" to deployment_include_optional, '
                "and deploy."
            ) from error

    def _status(self) -> CredentialsStatus:
        found = credentials_status(self._settings, time.time())
        if found.status != "not_used" and not os.access(self._cli, os.X_OK):
            return CredentialsStatus("cli_unavailable")
        return found


def credential_calls(settings: AgentSettings, cli: str) -> Mapping[str, Call]:
    """Return the calls by name."""
    calls = CredentialCalls(settings, cli)
    return {
        "credentials_status": calls.status,
        "put_credentials": calls.put,
        "drop_credentials": calls.drop,
    }
