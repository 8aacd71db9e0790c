# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The allowlist: below which directories of the host operators may mount."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from .._state.names import absolute_fault, shown

KEYS = ("allowed_roots", "blocked_patterns")
ROOT_KEYS = ("path", "allow_read_write", "description")
LIMIT_BYTES = 1_000_000

# Blocked everywhere; an allowlist can add to them and cannot take one away (C07).
DEFAULT_PATTERNS = (
    ".ssh",
    ".gnupg",
    ".gpg",
    ".aws",
    ".azure",
    ".gcloud",
    ".kube",
    ".docker",
    "credentials",
    ".env",
    ".netrc",
    ".npmrc",
    ".pypirc",
    "id_rsa",
    "id_ed25519",
    "private_key",
    ".secret",
)


class Malformed(ValueError):
    """The allowlist cannot be used; the text says why."""


@dataclass(frozen=True)
class Root:
    """Hold a directory below which operators may mount, and whether for writing."""

    path: str
    allow_read_write: bool = False
    description: str = ""


@dataclass(frozen=True)
class Allowlist:
    """Hold the roots that are allowed and the patterns that are blocked."""

    roots: tuple[Root, ...] = ()
    patterns: tuple[str, ...] = DEFAULT_PATTERNS

    @classmethod
    def from_text(cls, text: str) -> Allowlist:
        """Given the file's text, return the allowlist; raise Malformed (C02, C03)."""
        try:
            found = json.loads(text)
        except ValueError as error:
            raise Malformed(f"it is no JSON: {error}") from error
        given = _mapping("it", found, KEYS)
        roots = _list("allowed_roots", given.get("allowed_roots", []))
        patterns = _list("blocked_patterns", given.get("blocked_patterns", []))
        return cls(
            roots=tuple(_root(one) for one in roots),
            patterns=(*DEFAULT_PATTERNS, *(_pattern(one) for one in patterns)),
        )


def blocked_part(path: str, patterns: Iterable[str]) -> tuple[str, str] | None:
    """Return the first part of a path that a pattern blocks, with it, or None (C08).

    A pattern blocks a part that it equals as a whole, in any case of letters: ".env"
    blocks ".env" and ".ENV", not ".environment" nor "my.env". ``*`` and ``?`` stand for
    any letters and for one.
    """
    for part in path.split("/"):
        for pattern in patterns:
            if fnmatch.fnmatchcase(part.lower(), pattern.lower()):
                return part, pattern
    return None


def _mapping(label: str, value: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{label} is {value!r}, not a mapping")
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise Malformed(
            f'{label} has the unknown key "{shown(unknown[0])}"; the keys are '
            f"{', '.join(known)}"
        )
    return value


def _list(key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed(f"{key} is {value!r}, not a list")
    return value


def _root(value: Any) -> Root:
    given = _mapping("an allowed root", value, ROOT_KEYS)
    fault = absolute_fault(given.get("path"))
    if fault:
        raise Malformed(f"the path of an allowed root cannot be used, {fault}")
    writable = given.get("allow_read_write", False)
    if not isinstance(writable, bool):
        raise Malformed(f"allow_read_write is {writable!r}, not true or false")
    description = given.get("description", "")
    if not isinstance(description, str):
        raise Malformed(f"description is {description!r}, not text")
    return Root(given["path"], writable, description)


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "/" in value:
        raise Malformed(f"a blocked pattern is {value!r}, not one part of a path")
    return value
