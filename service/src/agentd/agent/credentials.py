# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The CLI's own sign-in: in the very file that the CLI reads, with sign_in direct."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from agentd.agent.settings import AgentSettings
from agentd.credentials.credential import (
    MAX_BYTES,
    WRAPPER,
    Credential,
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
from agentd.credentials.status import CredentialsStatus, status_of
from agentd.errors import CredentialsRefused

NAME = ".credentials.json"
OLD_NAME = "claude.json"


def credentials_status(settings: AgentSettings, now: float) -> CredentialsStatus:
    """Return the state of the sign-in; not_used when the gateway adds the key."""
    if settings.sign_in != "direct":
        return CredentialsStatus("not_used")
    try:
        content = read_kept(_directory(settings), NAME, MAX_BYTES)
    except KeptUnusable:
        return CredentialsStatus("signed_out")
    if content is None:
        return CredentialsStatus("missing")
    return status_of(_value(content), now)


def put_credentials(settings: AgentSettings, value: object) -> None:
    """Let the CLI be signed in by that; raise CredentialsRefused or OSError.

    What else the CLI keeps in its file stays, such as tokens of MCP servers.
    """
    demand_own_sign_in(settings)
    found = parse_credential(value, time.time())
    _demand_oauth(found)
    directory = _directory(settings)
    try:
        content = read_kept(directory, NAME, MAX_BYTES)
    except KeptUnusable:
        content = None
    before = _value(content) if content is not None else {}
    kept = before if isinstance(before, dict) else {}
    _write(directory, {**kept, WRAPPER: dict(found.sign_in)})


def drop_credentials(settings: AgentSettings) -> bool:
    """Sign the CLI out for good; return whether there was a file; raise OSError."""
    demand_own_sign_in(settings)
    return drop(_directory(settings), NAME)


def demand_own_sign_in(settings: AgentSettings) -> None:
    """Raise CredentialsRefused if the CLI would not read what is put there."""
    if settings.sign_in != "direct":
        raise CredentialsRefused(
            f'Cannot sign agent "{settings.agent}" in: the gateway adds its key. Leave '
            "agent out, or set sign_in of the agent to direct."
        )


def move_old_sign_in(settings: AgentSettings) -> list[str]:
    """Move the token file of an earlier system to where the CLI reads it (P12).

    It was called claude.json, or lay where the CLI kept it of its own accord.
    """
    if settings.sign_in != "direct":
        return []
    directory = _directory(settings)
    clear_drafts(directory, NAME)
    warnings: list[str] = []
    for old in (directory / OLD_NAME, Path(settings.config_directory) / NAME):
        if old.parent == directory and old.name == NAME:
            continue
        try:
            warnings += _moved(old, directory)
        except (CredentialsRefused, KeptUnusable, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            warnings.append(
                f"The old sign-in {old} was not moved to {directory}: {why} Sign in "
                "again, and remove it."
            )
    return warnings


def _moved(old: Path, directory: Path) -> list[str]:
    found = read_old(old)
    if found is None:
        return []
    credential, document = found
    _demand_oauth(credential)
    there = read_kept(directory, NAME, MAX_BYTES)
    if there is None:
        _write(directory, document)
    elif _value(there) != document:
        return [
            f"The old sign-in {old} is not used: {directory / NAME} is. Remove the one "
            "that is not wanted."
        ]
    # Of a move that a kill broke off, only this is left to do.
    kept = set_aside(old)
    return [
        f"The old sign-in {old} was moved to {directory / NAME}, and kept as {kept}."
    ]


def _demand_oauth(found: Credential) -> None:
    if found.kind == "api_key":
        raise CredentialsRefused(
            "Cannot use the key: the CLI is signed in by a token only. Leave agent "
            "out, so that the gateway has the key, or send an oauth_token."
        )


def _write(directory: Path, value: Mapping[str, object]) -> None:
    keep(directory, NAME, json.dumps(value).encode())


def _value(content: bytes) -> object:
    try:
        found: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found


def _directory(settings: AgentSettings) -> Path:
    return Path(settings.credentials_directory)
