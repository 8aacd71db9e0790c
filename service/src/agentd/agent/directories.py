# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent's own directories: made at boot, probed by really writing to them."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from agentd.agent.hostile_files import replace_file, set_aside
from agentd.agent.settings import AgentSettings
from agentd.errors import AgentdError

PROBE_NAME = ".agentd-probe"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_MAKE_ROOM = "Remove what is not needed there, or give it more room."
_MAKE_WRITABLE = (
    "Lay out the deployment's state again with repair, or mount it writable."
)
_LEFT_OVER = re.compile(r"\.(agentd-probe|settings\.json|\.claude\.json)\.[0-9a-f]{16}")


class BootFailed(AgentdError):
    """The agent side cannot start as it is mounted and set; the text says why."""


def make_directories(
    settings: AgentSettings, *, clear: bool = True
) -> tuple[list[str], list[str]]:
    """Make what the agent needs below its mounts; return errors and warnings.

    Clear removes what a kill left; not while others write, whose files look alike.

    What stands in a directory's place is kept beside it. Nothing above a mount is
    made: state that lands beside its mount would be lost with the container.
    """
    memory, config = Path(settings.working_directory), Path(settings.config_directory)
    errors: list[str] = []
    warnings: list[str] = []
    wanted = (memory / "skills", memory / "conversations", config)
    for directory in (*wanted, config / "skills", config / "projects"):
        try:
            warnings += _make(directory)
        except OSError as error:
            errors.append(sentence("make the directory", directory, error))
    for directory in (memory, config, Path(settings.skill_data_directory)):
        if clear:
            _remove_left_over(directory)
    return errors, warnings + _outside(memory, config)


def _make(directory: Path) -> list[str]:
    if directory.is_dir():
        return open_up(directory)
    warnings = []
    if os.path.lexists(directory):
        kept = set_aside(directory)
        warnings.append(
            f"{directory} was no directory. It is kept as {kept}, and made anew."
        )
    directory.mkdir(mode=0o750)
    return warnings


def open_up(directory: Path) -> list[str]:
    """Give the owner back what a chmod of the agent itself has taken from it."""
    try:
        status = directory.stat()
    except OSError:
        return []
    is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not is_own or status.st_mode & 0o700 == 0o700:
        return []
    directory.chmod(status.st_mode & 0o7777 | 0o700)
    return [
        f"{directory} had the mode {status.st_mode & 0o7777:04o}, with which its owner "
        "cannot use it. The owner may write there again."
    ]


def _remove_left_over(directory: Path) -> None:
    """Remove what a kill in the middle of a write has left beside its place."""
    with suppress(OSError):
        for name in os.listdir(directory):
            if _LEFT_OVER.fullmatch(name):
                with suppress(OSError):
                    os.unlink(directory / name)


def _outside(memory: Path, config: Path) -> list[str]:
    real_memory, real_config = Path(os.path.realpath(memory)), os.path.realpath(config)
    if not config.is_relative_to(memory) or Path(real_config).is_relative_to(
        real_memory
    ):
        return []
    return [
        f"{config} leads to {real_config}, outside of {memory}: the sessions in it "
        "are not part of this agent's state. Put a directory in the link's place."
    ]


def require_writable(settings: AgentSettings) -> None:
    """Raise BootFailed unless what holds all sessions can really be written (E13)."""
    for text in (settings.working_directory, settings.config_directory):
        directory = Path(text)
        if text == settings.config_directory and _is_still_made(directory):
            continue
        try:
            _probe_directory(directory)
        except OSError as error:
            raise BootFailed(sentence("write to", directory, error)) from error


def _is_still_made(config: Path) -> bool:
    """Return whether nothing of use is there; raise BootFailed at a broken link.

    With that one, all sessions are elsewhere: without them nothing may begin anew.
    """
    if config.is_symlink() and not os.path.exists(config):
        raise BootFailed(
            f"Cannot use {config}: it is a link that leads nowhere, to "
            f"{os.readlink(config)!r:.200}. Bring back what it leads to, or remove it."
        )
    return not os.path.isdir(config)


def probe(settings: AgentSettings, durable: bool = True) -> dict[str, object]:
    """Write, rename and remove a file in each; return what went well.

    To make it durable as well takes the disk's time, and finds a broken disk too.
    """
    places = {
        "memory": Path(settings.working_directory),
        "sessions": Path(settings.config_directory) / "projects",
        "skill_data": Path(settings.skill_data_directory),
    }
    volumes: dict[str, bool] = {}
    errors = []
    for name, directory in places.items():
        try:
            _probe_directory(directory, durable)
            volumes[name] = True
        except OSError as error:
            volumes[name] = False
            errors.append(sentence("write to", directory, error))
    return {"ok": not errors, "volumes": volumes, "errors": errors}


def _probe_directory(directory: Path, durable: bool = True) -> None:
    path = directory / PROBE_NAME
    try:
        replace_file(path, b"probe\n", durable=durable)
    except IsADirectoryError:
        set_aside(path)
        replace_file(path, b"probe\n", durable=durable)
    # Of two probes at a time, one removes what both have written.
    path.unlink(missing_ok=True)


def sentence(deed: str, path: Path, error: Exception) -> str:
    """Return what failed at which path, as which uid, and whose the path is."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    is_full = isinstance(error, OSError) and error.errno in _FULL
    remedy = _MAKE_ROOM if is_full else _MAKE_WRITABLE
    return (
        f"Cannot {deed} {path}: {reason} as uid {os.geteuid()}; {_owner(path)}. "
        f"{remedy}"
    )


def _owner(path: Path) -> str:
    for place in (path, *path.parents):
        try:
            status = place.stat()
        except OSError:
            continue
        mode = status.st_mode & 0o7777
        return f"{place} belongs to {status.st_uid}:{status.st_gid}, mode {mode:04o}"
    return "nothing of that path can be seen"
