# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The link from $HOME/.claude to the directory that keeps the CLI's state."""

from __future__ import annotations

import os
from pathlib import Path

from agentd.agent.directories import BootFailed, open_up
from agentd.agent.hostile_files import replace_with_link, set_aside
from agentd.agent.merge_tree import merge_tree, move
from agentd.agent.mounts import is_mount_point

NAME = ".claude"
STATE_FILE = ".claude.json"


def link_home(home: Path, config: Path) -> list[str]:
    """Let $HOME/.claude lead to the configuration; return warnings.

    What was there is merged and its rest kept beside, never deleted. Raise
    BootFailed when it is a mount, or when the home directory cannot be written.
    """
    link = home / NAME
    try:
        if os.path.realpath(link) == os.path.realpath(config):
            return []
        if not link.is_symlink() and _is_within(config, link):
            raise BootFailed(
                f"Cannot link {link} to {config}: that lies in it. Set "
                f"config_directory to {link} itself, or to a directory beside it."
            )
        if is_mount_point(link):
            raise BootFailed(
                f"Cannot link {link} to {config}: it is a mount point. Remove that "
                "mount, or name it in config_directory."
            )
        home.mkdir(mode=0o750, exist_ok=True)
        warnings = _clear(link, config)
        replace_with_link(link, config)
        return warnings
    except OSError as error:
        raise BootFailed(
            f"Cannot link {link} to {config}: {error.strerror} as uid {os.geteuid()}. "
            "Set home_directory to a directory that the agent may write."
        ) from error


def _is_within(config: Path, link: Path) -> bool:
    return Path(os.path.realpath(config)).is_relative_to(os.path.realpath(link))


def _clear(link: Path, config: Path) -> list[str]:
    if link.is_symlink() or not os.path.lexists(link):
        return []
    if link.is_dir():
        open_up(link)
        merge_tree(link, config)
        if not os.listdir(link):
            link.rmdir()
            return []
    kept = set_aside(link)
    return [
        f"What stood at {link} and is also in {config} is kept as {kept}. "
        "Compare the two, and remove what you do not need."
    ]


def adopt_state_file(home: Path, config: Path) -> list[str]:
    """Move $HOME/.claude.json to where the CLI now looks, if none is there (E05)."""
    old, new = home / STATE_FILE, config / STATE_FILE
    if old.is_symlink() or not old.is_file() or os.path.lexists(new):
        return []
    move(old, new)
    if os.path.lexists(new):
        return []
    return [f"Cannot move {old} to {new}. Move it by hand, or the CLI begins anew."]
