# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One entry of the state inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .mount import ACCESS, Mount
from .names import mode_fault, name_fault, relative_fault, shown
from .owner import Owner
from .refusal import refused
from .sense import check_sense
from .template import plain

SCOPES = ("agent", "deployment")
KINDS = (
    "workspace",
    "transcripts",
    "database",
    "queue",
    "credentials",
    "definitions",
    "skill_data",
    "workdirs",
    "config",
    "socket",
    "cache",
    "logs",
)
BACKUPS = ("files", "sqlite", "redis", "postgres", "none")
PLACES = ("source", "volume", "within")
FORMS = ("directory", "file")
ORIGINS = ("built-in", "provider")
WHEN_PRESENT = "when_present"
REQUIRED = ("name", "scope", "owner", "mode", "kind", "backup")
KEYS = (
    *REQUIRED,
    *PLACES,
    *("group", "mounts", "optional", "directories", "purpose", "form", "origin"),
)


@dataclass(frozen=True)
class Entry:
    """Hold one thing that must survive: where it is, whose, and who sees it.

    An ``optional`` entry is used if an operator includes it, and one that is there
    ``when_present`` if its source exists on the host.
    """

    name: str
    scope: str
    owner: Owner
    mode: int
    kind: str
    backup: str
    source: str | None = None
    volume: str | None = None
    within: str | None = None
    mounts: tuple[Mount, ...] = ()
    optional: bool = False
    when_present: bool = False
    directories: tuple[str, ...] = ()
    purpose: str = ""
    form: str = "directory"
    origin: str = "built-in"

    @classmethod
    def from_params(cls, params: Any, position: int) -> Entry:
        """Given an entry as declared, return it; raise InvalidInventory."""
        if not isinstance(params, Mapping):
            raise refused(f"number {position + 1}", f"it is {params!r}", _AS_MAPPING)
        name = _name(params, position)
        _check_keys(name, params)
        _check_choices(name, params)
        place = _place(name, params)
        entry = cls(
            name=name,
            scope=params["scope"],
            owner=_owner(name, params),
            mode=_mode(name, params["mode"]),
            kind=params["kind"],
            backup=params["backup"],
            mounts=_mounts(name, params.get("mounts") or ()),
            optional=_optional(name, params.get("optional")) is True,
            when_present=params.get("optional") == WHEN_PRESENT,
            directories=_directories(name, params.get("directories") or ()),
            purpose=_purpose(name, params.get("purpose")),
            form=_choice(name, "form", params.get("form"), FORMS),
            origin=_choice(name, "origin", params.get("origin"), ORIGINS),
            **place,
        )
        check_sense(entry)
        return entry


_AS_MAPPING = "Write each entry as a mapping with its keys."


def _name(params: Mapping[str, Any], position: int) -> str:
    name = params.get("name")
    fault = "it has no name" if name is None else name_fault(name)
    if fault:
        raise refused(
            f"number {position + 1}",
            fault if name is None else f"its name {fault}",
            'Give it a short name such as "memory".',
        )
    return str(name)


def _check_keys(name: str, params: Mapping[str, Any]) -> None:
    unknown = sorted(str(key) for key in set(params) - set(KEYS))
    if unknown:
        raise refused(
            name,
            f'the key "{shown(unknown[0])}" is unknown',
            f"Remove it or correct it; the keys are {', '.join(KEYS)}.",
        )
    missing = [key for key in REQUIRED if params.get(key) is None]
    if missing:
        raise refused(name, f'it has no "{missing[0]}"', f'Add "{missing[0]}".')


def _check_choices(name: str, params: Mapping[str, Any]) -> None:
    for key, choices in (("scope", SCOPES), ("kind", KINDS), ("backup", BACKUPS)):
        _choice(name, key, params[key], choices)


def _choice(name: str, key: str, value: Any, choices: tuple[str, ...]) -> str:
    if value is None:
        return choices[0]
    if value not in choices:
        raise refused(
            name, f"{key} is {value!r}", f"Choose one of {', '.join(choices)}."
        )
    return str(value)


def _place(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: params[key] for key in PLACES if params.get(key) is not None}
    if len(given) != 1:
        raise refused(
            name,
            f"it has {' and '.join(given) if given else 'no place'}",
            "Give exactly one of source, volume and within.",
        )
    ((key, value),) = given.items()
    fault = name_fault(value) if key != "source" else relative_fault(plain(value))
    if fault:
        raise refused(
            name,
            f"{key} {fault}",
            "Write a path below the data root, such as memory."
            if key == "source"
            else "Write a plain name.",
        )
    return given


def _owner(name: str, params: Mapping[str, Any]) -> Owner:
    try:
        return Owner.from_params(params["owner"], params.get("group"))
    except ValueError as error:
        raise refused(
            name,
            str(error),
            'Write owner as agent, root, the name of a component or as "uid:gid", and '
            "group as one of these words or a number.",
        ) from error


def _mode(name: str, mode: Any) -> int:
    fault = mode_fault(mode)
    if fault:
        raise refused(
            name, f"mode {fault}", 'Write it in quotes, such as "0750" or "2750".'
        )
    return int(mode, 8)


def _mounts(name: str, mounts: Any) -> tuple[Mount, ...]:
    if not isinstance(mounts, (list, tuple)):
        raise refused(name, f"mounts is {mounts!r}", "Write a list of mounts.")
    try:
        return tuple(Mount.from_params(mount) for mount in mounts)
    except ValueError as error:
        raise refused(
            name,
            str(error),
            "Give component (agent or the name of a component), target (an absolute "
            f"path in the container) and access ({', '.join(ACCESS)}).",
        ) from error


def _optional(name: str, value: Any) -> bool | str:
    if value is None:
        return False
    if not isinstance(value, bool) and value != WHEN_PRESENT:
        raise refused(
            name, f"optional is {value!r}", f"Write true, false or {WHEN_PRESENT}."
        )
    return value if isinstance(value, bool) else WHEN_PRESENT


def _directories(name: str, directories: Any) -> tuple[str, ...]:
    if not isinstance(directories, (list, tuple)):
        raise refused(name, f"directories is {directories!r}", "Write a list of paths.")
    for path in directories:
        fault = relative_fault(path)
        if fault:
            raise refused(
                name,
                f"the directory {fault}",
                "Write paths below the entry, such as skills.",
            )
    return tuple(directories)


def _purpose(name: str, purpose: Any) -> str:
    if purpose is None:
        return ""
    if not isinstance(purpose, str):
        raise refused(name, f"purpose is {purpose!r}", "Write one sentence.")
    return purpose
