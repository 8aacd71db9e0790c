# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The key or sign-in that goes to the model: an uploaded one before the declared."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agentd.credentials.credential import (
    MAX_BYTES,
    Credential,
    Kind,
    of_secret,
    parse_credential,
)
from agentd.credentials.kept import (
    KeptUnusable,
    clear_drafts,
    drop,
    keep,
    read_kept,
)
from agentd.credentials.old_file import read_old, set_aside
from agentd.credentials.status import status_at
from agentd.errors import CredentialsRefused
from agentd.gateway.key import ModelKey
from agentd.log import get_log

NAME = "uploaded.json"
OLD_NAMES = (".credentials.json", "claude.json")

_log = get_log("gateway")


class NotKept(Exception):
    """The upload is good and cannot be kept; the text says why and what to do."""


@dataclass(frozen=True)
class CredentialsView:
    """How the gateway's own credentials stand; none of them is in it."""

    status: str
    source: Literal["declared", "uploaded"] | None = None
    kind: Kind | None = None
    expires_at: float | None = None
    declared_unused: bool = False

    def for_output(self) -> dict[str, object]:
        """Return the document's form."""
        return {
            "status": self.status,
            "source": self.source,
            "kind": self.kind,
            "expires_at": self.expires_at,
            "declared_unused": self.declared_unused,
        }


class Credentials:
    """Holds what authorises requests; a change counts for those that come after it."""

    def __init__(
        self,
        declared: ModelKey | None,
        directory: Path | None,
        on_change: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._declared = declared
        self._directory = directory
        self._on_change = on_change
        self._clock = clock
        self._changing = asyncio.Lock()
        self._fault: str | None = None
        self._unused: str | None = None
        self._uploaded = None if directory is None else self._load(directory)

    def current(self) -> Credential | None:
        """Return what the next request goes with, or None if there is nothing."""
        if self._uploaded is not None:
            return self._uploaded
        return None if self._declared is None else of_secret(self._declared.value())

    def find_faults(self) -> tuple[str, ...]:
        """Return what keeps agents from the model, in sentences."""
        self._note_unused()
        is_used = self._declared is not None and self._uploaded is None
        declared = self._declared.fault if self._declared and is_used else None
        return tuple(one for one in (self._fault, declared, self._lack()) if one)

    def view(self, *, signed_out: bool) -> CredentialsView:
        """Return how they stand; *signed_out* is whether the model refused them."""
        found = self.current()
        if found is None:
            return CredentialsView("missing")
        known = status_at(found.expires_at, self._clock()).status
        return CredentialsView(
            "signed_out" if signed_out and known != "expired" else known,
            "declared" if self._uploaded is None else "uploaded",
            found.kind,
            found.expires_at,
            declared_unused=None not in (self._uploaded, self._declared),
        )

    async def put(self, credential: Credential) -> None:
        """Keep an uploaded credential and use it; raise NotKept."""
        # The gateway renews nothing: what it does not use it does not hold.
        kept = credential.bare
        content = json.dumps(kept.document()).encode()
        async with self._changing:
            await self._write(lambda place: keep(place, NAME, content))
            self._use(kept)
        _log.info("credentials_uploaded", kind=kept.kind)

    async def remove(self) -> bool:
        """Forget the uploaded credential; return whether there was one."""
        if self._directory is None:
            return False
        async with self._changing:
            removed = await self._write(lambda place: drop(place, NAME))
            self._use(None)
        if removed:
            _log.info("credentials_removed")
        return bool(removed)

    async def _write(self, deed: Callable[[Path], bool | None]) -> bool | None:
        directory = self._directory
        if directory is None:
            raise NotKept(
                "Cannot keep credentials: the gateway has no place for them. Set "
                "credentials_directory of the gateway."
            )
        try:
            return await asyncio.to_thread(deed, directory)
        except OSError as error:
            raise NotKept(
                f"Cannot keep credentials in {directory}: {error.strerror}. Those of "
                "before stay in force. Lay out the deployment's state again."
            ) from error

    def _use(self, credential: Credential | None) -> None:
        self._fault = None
        self._uploaded = credential
        self._on_change()

    def _load(self, directory: Path) -> Credential | None:
        clear_drafts(directory, NAME)
        try:
            content = read_kept(directory, NAME, MAX_BYTES)
            if content is None:
                return _adopted(directory)
            return _credential(content)
        except (KeptUnusable, CredentialsRefused, OSError) as error:
            why = str(error) if isinstance(error, KeptUnusable) else "it is damaged"
            if isinstance(error, OSError):
                why = f"they cannot be moved there: {error.strerror}"
            self._fault = (
                f"The uploaded credentials in {directory / NAME} are not used: {why}. "
                "Upload them again, or remove them."
            )
            _log.error("credentials_unusable", reason=self._fault)
            return None

    def _note_unused(self) -> None:
        """Say in the log of each declared key that an uploaded one goes before it."""
        if self._uploaded is None or self._declared is None:
            return
        value = self._declared.value()
        if value != self._unused:
            self._unused = value
            reason = "What was uploaded goes before it. DELETE /api/credentials forgets"
            _log.warning("declared_key_not_used", reason=f"{reason} that.")

    def _lack(self) -> str | None:
        found = self.current()
        if found is None:
            return (
                "The gateway has no key and no sign-in. Upload one to "
                "POST /api/credentials, or set deployment_anthropic_api_key."
            )
        if status_at(found.expires_at, self._clock()).status == "expired":
            return "The uploaded sign-in has expired. Upload a new one, or remove it."
        return None


def _adopted(directory: Path) -> Credential | None:
    """Take the token file of an earlier system over, once (P12)."""
    for name in OLD_NAMES:
        found = read_old(directory / name)
        if found is not None:
            kept = found[0].bare
            keep(directory, NAME, json.dumps(kept.document()).encode())
            _log.info("credentials_moved", kept=str(set_aside(directory / name)))
            return kept
    return None


def _credential(content: bytes) -> Credential:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CredentialsRefused("it is damaged") from error
    # One that has expired meanwhile is still the one that was uploaded.
    return parse_credential(value, 0.0)
