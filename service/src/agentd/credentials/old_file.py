# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A token file of an earlier system: read where it lay, then renamed, never lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

from agentd.credentials.credential import (
    MAX_BYTES,
    WRAPPER,
    Credential,
    parse_credential,
)
from agentd.credentials.kept import FILE_MODE, read_kept
from agentd.errors import CredentialsRefused

SUFFIX = ".migrated.bak"


def read_old(path: Path) -> tuple[Credential, dict[str, object]] | None:
    """Return the sign-in of an old file, and the file as the CLI keeps it now.

    None is no file; raise CredentialsRefused or KeptUnusable. One that has expired is
    taken too: the CLI may renew it.
    """
    content = read_kept(path.parent, path.name, MAX_BYTES)
    if content is None:
        return None
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CredentialsRefused(f"{path} is no JSON that could be read") from error
    found = parse_credential(value, 0.0)
    if found.kind == "oauth" and WRAPPER in value:
        return found, value
    return found, {WRAPPER: dict(found.sign_in)}


def set_aside(path: Path) -> Path:
    """Rename an old file to what says that it was moved; return that name (P12)."""
    number = 0
    while os.path.lexists(kept := path.with_name(_aside(path.name, number))):
        number += 1
    os.chmod(path, FILE_MODE, follow_symlinks=True)
    os.rename(path, kept)
    return kept


def _aside(name: str, number: int) -> str:
    return f"{name}{SUFFIX}" + (f".{number}" if number else "")
