# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The model key, read anew when its file changes."""

from __future__ import annotations

import os
from collections.abc import Callable

from agentd.errors import SettingsInvalid
from agentd.log import get_log
from agentd.settings import read_secret

SETTING = "api_key_file"

_log = get_log("gateway")


class ModelKey:
    """Holds the key of one file; a key that cannot be used leaves the old in force."""

    def __init__(self, path: str, on_change: Callable[[], None]) -> None:
        """Read the key; raise SettingsInvalid if there is none."""
        self._path = path
        self._on_change = on_change
        self._seen = self._mark()
        self._value = _read(path)
        self.fault: str | None = None

    def __repr__(self) -> str:
        return f"ModelKey({self._path!r})"

    def value(self) -> str:
        """Return the key as the file has it now."""
        seen = self._mark()
        if seen != self._seen:
            self._seen = seen
            self._renew()
        return self._value

    def _renew(self) -> None:
        try:
            value = _read(self._path)
        except SettingsInvalid as error:
            self.fault = f"{error} Until then, the key that was read before is used."
            _log.error("model_key_unusable", reason=str(error))
            return
        self.fault = None
        if value != self._value:
            self._value = value
            self._on_change()
            _log.info("model_key_changed", path=self._path)

    def _mark(self) -> tuple[int, ...]:
        try:
            status = os.stat(self._path)
        except OSError:
            return ()
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _read(path: str) -> str:
    key = read_secret(path, SETTING)
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsInvalid(
            f'Cannot use the key in "{path}": it has characters that no key has. '
            "Write the key alone into it."
        )
    return key
