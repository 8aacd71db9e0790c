# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Listening Unix sockets, one for each agent, in directories that were given."""

from __future__ import annotations

import os
import re
import socket
import stat
from pathlib import Path

from agentd.errors import AgentdError

AGENT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
SOCKET_MODE = 0o660
BACKLOG = 64
MAX_PATH_BYTES = 107


class SocketRefused(AgentdError):
    """A socket cannot be listened on at the place that the settings name."""


def socket_path(directory: Path, agent: str, name: str) -> Path:
    """Return where an agent's socket lies; raise SocketRefused on a bad name."""
    if AGENT_NAME.fullmatch(agent) is None:
        raise SocketRefused(
            f'Cannot listen for agent "{agent}": an agent\'s name has lower-case '
            "letters, digits, - and _ only. Change its name in the settings."
        )
    return directory / agent / name


def listen(path: Path) -> socket.socket:
    """Return a socket listening at that path, mode 0660; replace a stale one.

    Raise SocketRefused if its directory is missing or a link, or if something
    other than a socket is there.
    """
    directory = _open_directory(path)
    try:
        _remove_stale(directory, path)
        return _bind(directory, path)
    except OSError as error:
        raise SocketRefused(
            f"Cannot listen on {path}: {error.strerror or error}. "
            f"See that its directory may be written by uid {os.geteuid()}."
        ) from error
    finally:
        os.close(directory)


def _open_directory(path: Path) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path.parent, flags)
    except OSError as error:
        raise SocketRefused(
            f"Cannot listen on {path}: {path.parent} is no directory that can be "
            f"opened ({error.strerror}). Lay out the deployment's state first."
        ) from error


def _remove_stale(directory: int, path: Path) -> None:
    try:
        status = os.stat(path.name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise SocketRefused(
            f"Cannot listen on {path}: something that is not a socket is there. "
            "Look at what it is, and remove it."
        )
    os.unlink(path.name, dir_fd=directory)


def _bind(directory: int, path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        if len(os.fsencode(path)) > MAX_PATH_BYTES:
            raise OSError(0, f"a socket's path has {MAX_PATH_BYTES} bytes at most")
        listener.bind(str(path))
        os.chmod(path.name, SOCKET_MODE, dir_fd=directory)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
