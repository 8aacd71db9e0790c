# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options declare, taken only when all of it is acceptable."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Mapping

from .._errors import InvalidInput
from .values import (
    AGENTS,
    FILE_MODE,
    KINDS,
    MOST_BYTES,
    MOST_FILES,
    PRIVATE_FILE_MODE,
    PROGRAM_MODE,
    REQUIRED,
    WEBHOOK_NAMES,
    WEBHOOKS,
    Content,
    Item,
)

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MOST_PARTS = 16
MOST_PART_BYTES = 200
# The service reads no more of either, and keeps this directory for itself.
MOST_ENTRIES = 5000
MOST_SETTINGS_BYTES = 64 * 1024
OWN_DIRECTORY = ".agentkeep"
# Names that mean the agent's own directory.
NO_DEFINITION = ("brain",)
WORDS = {"definitions": "definition", "skills": "skill", "webhooks": "webhook"}


def items_of(params: Mapping[str, Any]) -> tuple[Item, ...]:
    """Given the options, return what they declare; raise InvalidInput naming it."""
    found: dict[str, Item] = {}
    for option, kind in KINDS.items():
        for given in params[option]:
            item = _item(option, kind, given)
            if item.place in found:
                raise InvalidInput(
                    f'Cannot use the {WORDS[option]} "{item.name}"',
                    "it is declared twice",
                    f"Leave one of both in {option}.",
                )
            found[item.place] = item
    return tuple(found[place] for place in sorted(found))


def _item(option: str, kind: str, given: Mapping[str, Any]) -> Item:
    name = str(given["name"])
    what = f'Cannot use the {WORDS[option]} "{name}"'
    if NAME.fullmatch(name) is None or ".." in name:
        raise InvalidInput(
            what,
            'a name is 1 to 64 of a-z, 0-9, ".", "_" and "-", begins with a letter or '
            'a digit and has no ".."',
            f"Give it another name in {option}.",
        )
    if kind == WEBHOOKS:
        return _webhook(what, name, given)
    if given["state"] == "absent":
        return Item(kind, name, None)
    if kind == AGENTS and name in NO_DEFINITION:
        raise InvalidInput(
            what,
            "that name means the agent's own directory",
            f"Give it another name in {option}.",
        )
    if given.get("files") is None:
        raise InvalidInput(
            what,
            "neither src nor files say what it holds",
            "Name its directory in src, or give its files.",
        )
    return Item(kind, name, _files(what, kind, given["files"]))


def _webhook(what: str, name: str, given: Mapping[str, Any]) -> Item:
    if name not in WEBHOOK_NAMES:
        raise InvalidInput(
            what,
            "there are settings for " + ", ".join(WEBHOOK_NAMES) + " only",
            "Correct its name in webhooks.",
        )
    if given["state"] == "absent":
        return Item(WEBHOOKS, f"{name}.json", None)
    settings = given.get("settings")
    if settings is None:
        raise InvalidInput(what, "it has no settings", "Give its settings.")
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    content = Content(PRIVATE_FILE_MODE, text.encode())
    if len(content.data) > MOST_SETTINGS_BYTES:
        raise InvalidInput(
            what,
            f"its settings have {len(content.data)} bytes; {MOST_SETTINGS_BYTES} are "
            "the most",
            "Leave out what is not needed.",
        )
    return Item(WEBHOOKS, f"{name}.json", {"": content})


def _files(what: str, kind: str, given: Mapping[str, Any]) -> dict[str, Content]:
    files = {}
    for path, value in given.items():
        fault = fault_of_path(str(path))
        if fault is not None:
            raise InvalidInput(
                what,
                f'the file "{path}" cannot be placed: {fault}',
                "Give the files paths below the directory.",
            )
        files[str(path)] = _content(what, str(path), value)
    _demand_small(what, files)
    _demand_apart(what, files)
    required = REQUIRED[kind]
    if required not in files:
        word = "definition" if kind == AGENTS else "skill"
        raise InvalidInput(
            what,
            f"it has no {required} at its root, without which it is no {word}",
            f"Add {required}.",
        )
    return files


def fault_of_path(path: str) -> str | None:
    """Return why a file may not have that path below its directory, or None."""
    parts = path.split("/")
    if path.startswith("/"):
        return "it is absolute"
    if any(part in ("", ".", "..") for part in parts):
        return 'it has an empty part, "." or ".."'
    if "\\" in path or not path.isprintable():
        return "it holds a backslash, or what cannot be printed"
    if parts[0] == OWN_DIRECTORY:
        return f"{OWN_DIRECTORY} is a directory of the service's own"
    if len(parts) > MOST_PARTS or max(map(_size, parts)) > MOST_PART_BYTES:
        return "it is too deep or too long"
    return None


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _content(what: str, path: str, value: Any) -> Content:
    if isinstance(value, str):
        return Content(FILE_MODE, value.encode("utf-8", "surrogateescape"))
    try:
        if set(value) - {"base64", "executable"}:
            raise ValueError("keys")
        data = base64.b64decode(value["base64"], validate=True)
        mode = PROGRAM_MODE if value.get("executable", False) else FILE_MODE
    except (TypeError, KeyError, ValueError, binascii.Error) as error:
        raise InvalidInput(
            what,
            f'the file "{path}" is neither a text nor a mapping of base64 and '
            "executable",
            "Correct it in files.",
        ) from error
    return Content(mode, data)


def _demand_small(what: str, files: Mapping[str, Content]) -> None:
    size = sum(len(one.data) for one in files.values())
    if size > MOST_BYTES or len(files) > MOST_FILES:
        raise InvalidInput(
            what,
            f"it has {len(files)} files of {size} bytes; {MOST_FILES} files of "
            f"{MOST_BYTES} bytes are the most",
            "Leave out what the agent does not need.",
        )


def _demand_apart(what: str, files: Mapping[str, Content]) -> None:
    directories = set()
    for path in files:
        parts = path.split("/")
        for end in range(1, len(parts)):
            above = "/".join(parts[:end])
            directories.add(above)
            if above in files:
                raise InvalidInput(
                    what,
                    f'"{above}" is a file, and "{path}" lies below it',
                    "Correct its files.",
                )
    entries = len(files) + len(directories)
    if entries > MOST_ENTRIES:
        raise InvalidInput(
            what,
            f"it has {entries} files and directories; {MOST_ENTRIES} are the most",
            "Make it flatter.",
        )
