# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The settings of webhooks: one JSON object for each forge or tracker.

They may hold secrets, and the directory above is mounted into every agent: no other
uid may read them here, and no secret is told again.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agentd.definitions.staging import sync_directory, write_file
from agentd.errors import DefinitionsFailed, DefinitionUnknown, UploadRefused

NAMES = ("forgejo", "github", "jira")
MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
MASK = "********"
_SECRET = re.compile(
    r"secret|token|passw|passphrase|credential|authorization|cookie|signature|hmac|"
    r"(api|private|signing|access|shared|encryption)[_-]?key",
    re.I,
)
# A name and a password in the address of a server.
_SIGNED_ADDRESS = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_DRAFT = re.compile(rf"\.(?:{'|'.join(NAMES)})\.[0-9a-f]{{16}}")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Settings = dict[str, object]
# Raises UploadRefused for settings that could not be used.
Check = Callable[[str, Settings], None]


class Webhooks:
    """The settings by name; secrets in them are stored and shown as a mask."""

    def __init__(self, directory: Path, check: Check | None = None) -> None:
        self._directory = directory
        self._check = check
        self._one_at_a_time = threading.Lock()

    def list(self) -> list[str]:
        """Return the names of those that have settings."""
        return [name for name in NAMES if self._is_there(name)]

    def settle(self) -> None:
        """Remove what a kill left half: it holds secrets that nobody would remove."""
        with suppress(FileNotFoundError), self._one_at_a_time:
            for name in filter(_DRAFT.fullmatch, os.listdir(self._directory)):
                (self._directory / name).unlink()

    def get(self, name: str) -> Settings:
        """Return the settings without their secrets; raise DefinitionUnknown."""
        return masked(self.read(name))

    def put(self, name: str, settings: Settings) -> Settings:
        """Store the settings; a mask in them keeps the secret that is there."""
        self._demand_name(name)
        with self._one_at_a_time:
            former: Settings = {}
            with suppress(DefinitionUnknown):
                former = self.read(name)
            whole = unmasked(settings, former)
            if self._check is not None:
                self._check(name, whole)
            data = _encoded(name, whole)
            if len(data) > MAX_BYTES:
                raise UploadRefused(
                    f'Cannot store the settings of "{name}": they have {len(data)} '
                    f"bytes, more than {MAX_BYTES}. Leave out what is not needed."
                )
            self._write(name, data)
        return masked(whole)

    def remove(self, name: str) -> None:
        """Remove the settings; raise DefinitionUnknown."""
        self._demand_name(name)
        try:
            self._path(name).unlink()
            sync_directory(self._directory)
        except FileNotFoundError:
            raise _unknown(name) from None
        except OSError as error:
            raise self._failed("remove", name, error) from error

    def _is_there(self, name: str) -> bool:
        try:
            mode = os.stat(self._path(name), follow_symlinks=False).st_mode
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._failed("read", name, error) from error
        return stat.S_ISREG(mode)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _demand_name(self, name: str) -> None:
        if name not in NAMES:
            raise DefinitionUnknown(
                f'There are no settings of webhooks for "{name[:100]}": there are for '
                f"{', '.join(NAMES)}."
            )

    def read(self, name: str) -> Settings:
        """Return the settings with their secrets; raise DefinitionUnknown."""
        self._demand_name(name)
        try:
            file = os.open(self._path(name), _READ)
            with open(file, "rb") as stream:
                regular = stat.S_ISREG(os.fstat(file).st_mode)
                data = stream.read(MAX_BYTES + 1) if regular else b""
            value = json.loads(data)
        except FileNotFoundError:
            raise _unknown(name) from None
        except OSError as error:
            raise self._failed("read", name, error) from error
        except (ValueError, RecursionError) as error:
            raise DefinitionsFailed(
                f'Cannot read the settings of "{name}" in {self._path(name)}: they are '
                "no JSON. Put them there again."
            ) from error
        if not isinstance(value, dict):
            raise DefinitionsFailed(
                f'Cannot read the settings of "{name}" in {self._path(name)}: they are '
                "no JSON object. Put them there again."
            )
        return value

    def _write(self, name: str, data: bytes) -> None:
        beside = self._directory / f".{name}.{secrets.token_hex(8)}"
        try:
            with suppress(FileExistsError):
                self._directory.mkdir(DIRECTORY_MODE)
            os.chmod(self._directory, DIRECTORY_MODE)
            write_file(beside, data, FILE_MODE)
            os.rename(beside, self._path(name))
            sync_directory(self._directory)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            raise self._failed("store", name, error) from error

    def _failed(self, deed: str, name: str, error: OSError) -> DefinitionsFailed:
        where = error.filename or self._directory
        return DefinitionsFailed(
            f'Cannot {deed} the settings of "{name}": {where}: {error.strerror} as uid '
            f"{os.geteuid()}. Lay out the deployment's state again with repair, mount "
            "it writable, or make room."
        )


def masked(value: Settings) -> Settings:
    """Return the settings with a mask in place of each secret."""
    return {key: _masked(key, inner, False) for key, inner in value.items()}


def _masked(key: str, value: object, hidden: bool) -> object:
    hidden = hidden or _is_hidden(key)
    if isinstance(value, dict):
        return {name: _masked(name, inner, hidden) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(key, one, hidden) for one in value]
    return MASK if _is_secret(hidden, value) else value


def unmasked(
    value: Settings, former: Settings, depth: int = 0, hidden: bool = False
) -> Settings:
    """Return the settings with the former secret where a mask stands."""
    if depth > MAX_DEPTH:
        raise UploadRefused(
            f"Cannot store these settings: they are deeper than {MAX_DEPTH}. "
            "Make them flatter."
        )
    whole: Settings = {}
    for key, inner in value.items():
        known = former.get(key)
        covered = hidden or _is_hidden(key)
        if isinstance(inner, dict):
            below = known if isinstance(known, dict) else {}
            whole[key] = unmasked(inner, below, depth + 1, covered)
        elif inner == MASK and (covered or _is_secret(covered, known)):
            if not _is_secret(covered, known):
                raise UploadRefused(
                    f'Cannot store these settings: "{key[:100]}" is the mask of a '
                    "secret, and none is there. Send the secret itself."
                )
            whole[key] = known
        else:
            if isinstance(inner, list) and MASK in json.dumps(inner):
                raise UploadRefused(
                    f'Cannot store these settings: in the list "{key[:100]}" is the '
                    "mask of a secret. Send the secret itself."
                )
            whole[key] = inner
    return whole


def _encoded(name: str, settings: Settings) -> bytes:
    try:
        text = json.dumps(
            settings, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False
        )
        return text.encode() + b"\n"
    except ValueError as error:
        raise UploadRefused(
            f'Cannot store the settings of "{name}": they hold what JSON cannot. '
            "Send numbers that are finite, and text in UTF-8."
        ) from error


def _is_hidden(key: str) -> bool:
    # The name of a file with a secret is none.
    return _SECRET.search(key) is not None and not key.endswith("_file")


def _is_secret(hidden: bool, value: object) -> bool:
    """Return whether a value is not told: a text, or a number that was not quoted."""
    if isinstance(value, str):
        return hidden or _SIGNED_ADDRESS.search(value) is not None
    return hidden and isinstance(value, int | float) and not isinstance(value, bool)


def _unknown(name: str) -> DefinitionUnknown:
    return DefinitionUnknown(
        f'There are no settings of webhooks for "{name}" yet. '
        f"Put them there with PUT /api/registry/webhooks/{name}."
    )
