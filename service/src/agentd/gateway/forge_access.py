# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The way to one forge: its address, its token, and what is wrong with either."""

from __future__ import annotations

import base64
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx

from agentd.errors import SettingsInvalid
from agentd.gateway.headers import Header
from agentd.gateway_settings import Forge, GatewaySettings
from agentd.log import get_log
from agentd.settings import read_secret

TIMEOUT = {"connect": 10.0, "write": 60.0, "read": 600.0, "pool": 60.0}
# A forge that nobody has asked since then may be well again.
FAULT_SECONDS = 900.0
GITHUB, GITHUB_API = "https://github.com", "https://api.github.com"

_log = get_log("gateway")


class ForgeToken:
    """The token of a file, read anew when that changes; never shown."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._value: str | None = None
        self.fault: str | None = None

    def __repr__(self) -> str:
        return f"ForgeToken({self._path!r})"

    def value(self) -> str | None:
        """Return the token as the file has it now, or the last one that it had."""
        seen = self._mark()
        if seen != self._seen:
            self._seen = seen
            self._renew()
        return self._value

    def _renew(self) -> None:
        try:
            token = read_secret(self._path, "token_file")
            if not token.isascii() or not token.isprintable() or " " in token:
                raise SettingsInvalid(
                    f'Cannot use the token in "{self._path}": it has characters that '
                    "no token has. Write the token alone into it."
                )
        except SettingsInvalid as error:
            self.fault = str(error)
            _log.error("forge_token_unusable", reason=str(error))
        else:
            self._value, self.fault = token, None

    def _mark(self) -> tuple[int, ...]:
        try:
            status = os.stat(self._path)
        except OSError:
            return ()
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@dataclass
class ForgeAccess:
    """One forge, reached by connections of its own."""

    name: str
    settings: Forge
    transport: httpx.AsyncBaseTransport
    token: ForgeToken | None = field(default=None, repr=False)
    clock: Callable[[], float] = time.monotonic
    _fault: str | None = None
    _fault_at: float = 0.0

    @property
    def api_url(self) -> str:
        """Return the address of its API."""
        if self.settings.api_url is not None:
            return self.settings.api_url
        if self.settings.url == GITHUB:
            return GITHUB_API
        below = {"forgejo": "/api/v1", "github": "/api/v3", "jira": "/rest/api/2"}
        return self.settings.url + below[self.settings.kind]

    def faults(self) -> tuple[str, ...]:
        """Return in sentences what is wrong, if anything is."""
        # Read here too, so that a token that is missing is told before it is needed.
        if self.token is not None:
            self.token.value()
        is_old = self.clock() - self._fault_at > FAULT_SECONDS
        fault = None if is_old else self._fault
        found = (self.token.fault if self.token else None, fault)
        return tuple(f'Forge "{self.name}": {one}' for one in found if one)

    def sign_git(self) -> list[Header]:
        """Return the token in the way that git's servers take it."""
        token = self.token.value() if self.token is not None else None
        return [] if token is None else [_basic(self.settings.user, token)]

    def sign_api(self) -> list[Header]:
        """Return the token in the way that the forge's API takes it."""
        token = self.token.value() if self.token is not None else None
        if token is None:
            return []
        if self.settings.kind == "jira":
            return [_basic(self.settings.user, token)]
        word = {"forgejo": "token", "github": "Bearer"}[self.settings.kind]
        return [(b"authorization", f"{word} {token}".encode())]

    def note(self, status: int) -> None:
        """Take the status of an answer: only 401 tells that the token is no good."""
        # Without a token, whoever asks for more than is public is told 401 too.
        if status == 401 and self.token is not None:
            self.note_fault("it refuses the token. Set a good one in token_file.")
        elif status < 500:
            self.note_reached()

    def note_reached(self) -> None:
        """Forget what was wrong."""
        self._fault = None

    def note_unreached(self, error: httpx.HTTPError) -> str:
        """Return why the forge was not reached, and remember it."""
        # The text of a protocol error may quote a header, and so the token.
        reason = str(error) if isinstance(error, httpx.ConnectError) else ""
        if isinstance(error, httpx.TimeoutException):
            reason = "it did not answer in time"
        told = f"Cannot reach {self.settings.url}: {reason or type(error).__name__}."
        self.note_fault(told + " See that url and the gateway's network are right.")
        return told

    def note_fault(self, fault: str) -> None:
        """Remember what is wrong, and log it once."""
        if fault != self._fault:
            _log.warning("forge_degraded", forge=self.name, reason=fault)
        self._fault, self._fault_at = fault, self.clock()


def _basic(user: str, token: str) -> Header:
    whole = base64.b64encode(f"{user}:{token}".encode())
    return b"authorization", b"Basic " + whole


@asynccontextmanager
async def forges_of(settings: GatewaySettings) -> AsyncIterator[dict[str, ForgeAccess]]:
    """Yield the way to each forge; close the connections afterwards."""
    async with AsyncExitStack() as stack:
        found: dict[str, ForgeAccess] = {}
        for name, forge in settings.forges.items():
            way = await stack.enter_async_context(_transport())
            path = forge.token_file
            token = None if path is None else ForgeToken(path)
            found[name] = ForgeAccess(name, forge, way, token)
        yield found


def _transport() -> httpx.AsyncHTTPTransport:
    # The machine's certificates, to which an image may add one of its own forge.
    verify = ssl.create_default_context()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=16)
    return httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)


def faults_of(forges: Mapping[str, ForgeAccess]) -> tuple[str, ...]:
    """Return what is wrong with any of them."""
    return tuple(fault for one in forges.values() for fault in one.faults())
