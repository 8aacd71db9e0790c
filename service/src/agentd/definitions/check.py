# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What may be uploaded: names, paths, sizes, and the file that each must have."""

from __future__ import annotations

from collections.abc import Mapping

from agentd.definitions.names import DEFAULTS, is_name
from agentd.definitions.paths import directories_of, fault_of_path, fault_of_paths
from agentd.definitions.values import (
    AGENTS,
    SCANNED,
    SKILLS,
    Content,
    Files,
    Kind,
    UploadLimits,
)
from agentd.errors import UploadRefused, UploadTooLarge

MAX_QUOTED = 100
MAX_DESCRIBED_BYTES = 64 * 1024
MAX_DESCRIPTION = 1024
FENCE = "---"


def demand_name(kind: Kind, name: str) -> str:
    """Return the name; raise UploadRefused unless it may be one (P03)."""
    if not is_name(name):
        raise UploadRefused(
            f'Cannot use "{name[:MAX_QUOTED]}" as the name of a {kind.word}: it is not '
            '1 to 64 of a-z, 0-9, ".", "_" and "-" that begin with a letter or a digit '
            'and have no "..". Give it another name.'
        )
    if kind is AGENTS and name in DEFAULTS:
        raise UploadRefused(
            f'Cannot use "{name}" as the name of a definition: it means the agent\'s '
            "own directory. Give it another name."
        )
    return name


def demand_upload(kind: Kind, name: str, files: Files, limits: UploadLimits) -> None:
    """Raise UploadRefused unless the files are a definition or a skill (P04, P05)."""
    what = f'Cannot take the {kind.word} "{name}"'
    _demand_small(what, files, limits)
    for path in files:
        fault = fault_of_path(path)
        if fault is not None:
            raise UploadRefused(
                f"{what}: of the file {path[:MAX_QUOTED]!r}, {fault}. "
                "Give every file a path below the directory."
            )
    fault = fault_of_paths(files.keys())
    if fault is not None:
        raise UploadRefused(f"{what}: {fault}. Rename one of them.")
    entries = len(files) + len(directories_of(files.keys()))
    if entries > SCANNED.entries:
        raise UploadTooLarge(
            f"{what}: it has {entries} files and directories, more than "
            f"{SCANNED.entries}. Make it flatter."
        )
    _demand_main_file(what, kind, files)


def _demand_small(what: str, files: Files, limits: UploadLimits) -> None:
    if len(files) > limits.files:
        raise UploadTooLarge(
            f"{what}: it has {len(files)} files, more than {limits.files}. Leave out "
            "what is not needed, or raise upload_max_files."
        )
    size = sum(len(content.data) for content in files.values())
    most = min(limits.bytes, SCANNED.bytes)
    if size > most:
        raise UploadTooLarge(
            f"{what}: it has {size} bytes, more than {most}. Leave out what is not "
            f"needed, or raise upload_max_bytes, to {SCANNED.bytes} at most."
        )


def _demand_main_file(what: str, kind: Kind, files: Files) -> None:
    main = files.get(kind.main_file)
    if main is None:
        raise UploadRefused(
            f"{what}: it has no {kind.main_file} at its root. Send that file too; its "
            f'path is "{kind.main_file}", without a directory.'
        )
    if text_of(main) is None:
        raise UploadRefused(
            f"{what}: its {kind.main_file} is no text in UTF-8. Send it as that."
        )


def warnings_of(kind: Kind, files: Mapping[str, Content]) -> list[str]:
    """Return what is odd about what was taken, and hinders nothing."""
    main = files[kind.main_file]
    if kind is SKILLS and description_of(main.data) is None:
        return [
            "Its SKILL.md does not begin with a front matter that has a description: "
            "the CLI does not list such a skill."
        ]
    if not main.data.strip():
        return [f"Its {kind.main_file} is empty."]
    return []


def text_of(content: Content) -> str | None:
    """Return the content as a text, or None if it is none."""
    try:
        return content.data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def description_of(main: bytes) -> str | None:
    """Return the description in the front matter of a main file, or None."""
    text = main[:MAX_DESCRIBED_BYTES].decode("utf-8", "replace").lstrip("\ufeff")
    first, *lines = text.splitlines() or [""]
    if first.rstrip() != FENCE:
        return None
    for line in lines:
        if line.rstrip() == FENCE:
            return None
        key, colon, value = line.partition(":")
        if colon and key.strip() == "description" and value.strip():
            return value.strip().strip("\"'")[:MAX_DESCRIPTION]
    return None
