# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that a deployment puts into the directory of one of its entries."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import Any, Mapping

from .._errors import InvalidInput
from .._state.names import mode_fault, relative_fault, shown
from .values import Fault, flag, keys_of, text, whole

POLICIES = ("replace", "keep", "generate")
KEYS = (
    "entry",
    "agent",
    "name",
    "content",
    "policy",
    "length",
    "renew",
    "live",
    "owner",
    "group",
    "mode",
    "generated",
)
GENERATED = "{generated}"
LEAST_LENGTH = 22  # of 64 characters each: 132 bits


@dataclass(frozen=True)
class DeclaredFile:
    """Hold a file: where it lies, what it holds, and when it is written.

    ``replace`` keeps its content as declared, ``keep`` writes it only where there is
    none (D22), ``generate`` makes a random token once, and again only on ``renew``
    (D12). Owner and group are roles, as in an entry; the entry's own if None. A
    ``live`` file is read again by whoever uses it, so that no container is made anew.
    """

    entry: str
    name: str
    agent: str | None = None
    content: str | None = field(default=None, repr=False)
    policy: str = "replace"
    length: int = 43
    renew: bool = False
    live: bool = False
    owner: str | None = None
    group: str | None = None
    mode: int = 0o640
    generated: str | None = None

    @classmethod
    def from_params(cls, params: Any) -> DeclaredFile:
        """Given a file as declared, return it; raise InvalidInput."""
        label = _label(params)
        try:
            given = keys_of("it", params, KEYS)
            missing = [key for key in ("entry", "name") if key not in given]
            if missing:
                raise Fault(f'it has no "{missing[0]}"', f'Add "{missing[0]}".')
            found = cls(
                entry=text("entry", given["entry"]),
                name=_name(given["name"]),
                agent=text("agent", given["agent"]) if "agent" in given else None,
                content=_content(given.get("content")),
                policy=_policy(given.get("policy", "replace")),
                length=whole("length", given.get("length", 43), LEAST_LENGTH, 4096),
                renew=flag("renew", given.get("renew", False)),
                live=flag("live", given.get("live", False)),
                owner=text("owner", given["owner"]) if "owner" in given else None,
                group=text("group", given["group"]) if "group" in given else None,
                mode=_mode(given.get("mode", "0640")),
                generated=_reference(given.get("generated")),
            )
            _check_sense(found)
        except Fault as fault:
            raise fault.of(label) from fault
        return found

    @property
    def directory(self) -> str:
        """Return the directory below the entry that holds it, or an empty text."""
        return posixpath.dirname(self.name)

    def tells(self, other: DeclaredFile) -> bool:
        """Return whether the token that *other* asks for is this file's."""
        mine = self.agent in (None, other.agent)
        return mine and other.generated == f"{self.entry}/{self.name}"


def files_of(params: Any) -> tuple[DeclaredFile, ...]:
    """Given the option files, return them; raise InvalidInput, also on two alike."""
    found = tuple(DeclaredFile.from_params(one) for one in params or ())
    seen: set[tuple[str, str | None, str]] = set()
    for one in found:
        key = (one.entry, one.agent, one.name)
        if key in seen:
            raise InvalidInput(
                f'Cannot use file "{one.name}" of entry "{one.entry}"',
                "it is declared twice",
                "Remove one of them from files.",
            )
        seen.add(key)
    _check_tokens(found)
    return found


def _check_tokens(files: tuple[DeclaredFile, ...]) -> None:
    generated = [one for one in files if one.policy == "generate"]
    for one in files:
        if one.generated is None or any(other.tells(one) for other in generated):
            continue
        raise InvalidInput(
            f'Cannot use file "{one.name}" of entry "{one.entry}"',
            f'it holds the token of "{shown(one.generated)}", which is not generated',
            "Write <entry>/<name> of a file with the policy generate.",
        )


def _label(params: Any) -> str:
    name = params.get("name") if isinstance(params, Mapping) else None
    entry = params.get("entry") if isinstance(params, Mapping) else None
    return f'file "{shown(str(name))}" of entry "{shown(str(entry))}"'


def _name(value: Any) -> str:
    fault = relative_fault(value)
    if fault:
        raise Fault(f"name {fault}", "Write a name such as settings.json.")
    return str(value)


def _content(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise Fault(
        f"content is of type {type(value).__name__}, which is no text",
        "Write it in quotes, or make text of it with to_nice_json.",
    )


def _reference(value: Any) -> str | None:
    return None if value is None else text("generated", value)


def _policy(value: Any) -> str:
    if value not in POLICIES:
        raise Fault(f"policy is {value!r}", f"Choose one of {', '.join(POLICIES)}.")
    return str(value)


def _mode(value: Any) -> int:
    fault = mode_fault(value)
    if fault:
        raise Fault(f"mode {fault}", 'Write it in quotes, such as "0640".')
    return int(value, 8)


def _check_sense(one: DeclaredFile) -> None:
    if one.policy == "generate" and one.content is not None:
        raise Fault("it is generated and has content", "Remove one of both.")
    if one.policy != "generate" and one.content is None:
        raise Fault("it has no content", "Add content, or set policy to generate.")
    if one.renew and one.policy != "generate":
        raise Fault("it is renewed and not generated", "Set policy to generate.")
    if one.generated is not None and GENERATED not in (one.content or ""):
        raise Fault(
            f'it asks for a token, and its content has no "{GENERATED}"',
            f'Write "{GENERATED}" where the token belongs, or remove generated.',
        )
    if one.live and one.policy == "keep":
        raise Fault(
            "it is live and written only once",
            "Set policy to replace, or live to false.",
        )
