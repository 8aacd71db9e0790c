# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How one value of a service is read, and what is said of one that cannot be used."""

from __future__ import annotations

import re
from typing import Any, Mapping

from .._errors import InvalidInput
from .._state.names import absolute_fault, shown

VARIABLE_RULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
LINE_ENDS = re.compile(r"[\x00\n\r]")


class Fault(Exception):
    """Say what is wrong with a value, and how to write it."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy

    def of(self, what: str) -> InvalidInput:
        """Return the error for the object that holds the value."""
        return InvalidInput(f"Cannot use {what}", self.why, self.remedy)


def keys_of(key: str, value: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    """Given a mapping, return it without empty values; raise Fault on unknown keys."""
    if not isinstance(value, Mapping):
        raise Fault(f"{key} is {value!r}", "Write a mapping with its keys.")
    unknown = sorted(str(name) for name in set(value) - set(known))
    if unknown:
        raise Fault(
            f'{key} has the unknown key "{shown(unknown[0])}"',
            f"Remove it or correct it; the keys are {', '.join(known)}.",
        )
    return {name: one for name, one in value.items() if one is not None}


def items_of(key: str, value: Any) -> tuple[Any, ...]:
    """Given a list, return its items; raise Fault."""
    if not isinstance(value, (list, tuple)):
        raise Fault(f"{key} is {value!r}", "Write a list.")
    return tuple(value)


def text(key: str, value: Any) -> str:
    """Given plain text without control characters, return it; raise Fault."""
    found = argument(key, value)
    if not found.strip() or found != shown(found):
        raise Fault(f"{key} is {value!r}", "Write plain text in one line.")
    return found


def argument(key: str, value: Any) -> str:
    """Given text for a process, return it; raise Fault."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Fault(f"{key} is {value!r}, which is no text", "Write it in quotes.")
    found = str(value)
    if "\x00" in found:
        raise Fault(f"{key} holds a NUL", "Remove it; no process can be given one.")
    try:
        found.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Fault(f"{key} is not valid Unicode", "Write it as UTF-8.") from error
    return found


def arguments(key: str, value: Any) -> tuple[str, ...]:
    """Given the arguments of a process, return them; raise Fault."""
    return tuple(argument(key, one) for one in items_of(key, value))


def variables(key: str, value: Any) -> dict[str, str]:
    """Given environment variables, return them by name; raise Fault.

    The fault names the variable and never shows its value.
    """
    if not isinstance(value, Mapping):
        raise Fault(f"{key} is no mapping", "Write NAME: value.")
    found = {}
    for name, one in sorted(value.items(), key=lambda pair: str(pair[0])):
        if not isinstance(name, str) or not VARIABLE_RULE.match(name):
            raise Fault(
                f'{key} has the name "{shown(str(name))}"',
                "Use letters, digits and underscores, a letter or underscore first.",
            )
        found[name] = _value(f'{key} "{name}"', one)
    return found


def _value(label: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Fault(
            f"{label} is of type {type(value).__name__}, which is no text",
            "Write its value in quotes.",
        )
    found = str(value)
    if LINE_ENDS.search(found):
        raise Fault(
            f"{label} holds a line end or a NUL",
            "Put it in a file of an entry and give the variable the file's path.",
        )
    try:
        found.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Fault(f"{label} is not valid Unicode", "Write it as UTF-8.") from error
    return found


def whole(key: str, value: Any, lowest: int, highest: int = 2**63 - 1) -> int:
    """Given a whole number in a range, return it; raise Fault."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Fault(f"{key} is {value!r}, which is no whole number", "Write a number.")
    if not lowest <= value <= highest:
        raise Fault(
            f"{key} is {value}", f"Write a number between {lowest} and {highest}."
        )
    return value


def number(key: str, value: Any) -> float:
    """Given a number that is not negative, return it; raise Fault."""
    try:
        found = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = -1.0
    if not 0 <= found < 2**31:
        raise Fault(f"{key} is {value!r}", "Write a number such as 1.5.")
    return found


def flag(key: str, value: Any) -> bool:
    """Given true or false, return it; raise Fault."""
    if not isinstance(value, bool):
        raise Fault(f"{key} is {value!r}", "Write true or false.")
    return value


def absolute(key: str, value: Any) -> str:
    """Given an absolute path in a container, return it; raise Fault."""
    fault = absolute_fault(value)
    if fault is None and ":" in str(value):
        fault = f'"{value}" holds ":"'
    if fault:
        raise Fault(f"{key}: {fault}", "Write an absolute path such as /data/memory.")
    return str(value)
