# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's user namespace, asked for over its socket without any library."""

from __future__ import annotations

import errno
import http.client
import json
import re
import socket
import struct
from dataclasses import dataclass
from typing import Any, Callable

from .._errors import EngineFailed, EngineUnreachable
from .._state.id_map import IDENTITY, IdMap
from .._state.subordinate import Range, ranges_of, subordinate_ranges

ANSWER_SECONDS = 20
SILENT = (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR)
OFFSETS = re.compile(r"/([0-9]+)\.([0-9]+)/?\Z")
CREDENTIALS = struct.Struct("3i")

ReadText = Callable[[str], str]


@dataclass(frozen=True)
class Answer:
    """Hold what the engine says of itself, and the process that answered."""

    options: tuple[str, ...]
    root: str
    process: int

    def has(self, option: str) -> bool:
        """Return whether the engine names this security option."""
        return any(one.split(",")[0] == f"name={option}" for one in self.options)


class _Connection(http.client.HTTPConnection):
    """Speak HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    def peer(self) -> int:
        """Return the process that listens."""
        found = self.sock.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size
        )
        return int(CREDENTIALS.unpack(found)[0])


def read_id_map(socket_path: str, read_text: ReadText | None = None) -> IdMap | None:
    """Return how the engine maps ids, or None if there is no engine."""
    answer = _ask(socket_path)
    if answer is None:
        return None
    read = read_text or _text_of
    if answer.has("rootless"):
        return _of_process(answer, read)
    if answer.has("userns"):
        return _of_root(answer, read)
    return IDENTITY


def _ask(socket_path: str) -> Answer | None:
    connection = _Connection(socket_path)
    try:
        connection.connect()
    except OSError as error:
        connection.close()
        if error.errno in SILENT:
            return None
        raise _unreachable(socket_path, error.strerror or str(error)) from error
    try:
        connection.request("GET", "/info")
        process = connection.peer()
        response = connection.getresponse()
        content = response.read()
        if response.status != http.HTTPStatus.OK:
            raise _unreachable(socket_path, f"it answered {response.status}")
        return _answer(json.loads(content), process)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _unreachable(socket_path, str(error) or type(error).__name__) from error
    finally:
        connection.close()


def _answer(info: Any, process: int) -> Answer:
    if not isinstance(info, dict):
        raise ValueError("its answer is not an object")
    options = info.get("SecurityOptions") or []
    return Answer(
        options=tuple(str(one) for one in options),
        root=str(info.get("DockerRootDir") or ""),
        process=process,
    )


def _of_process(answer: Answer, read: ReadText) -> IdMap:
    found: list[tuple[Range, ...]] = []
    for kind in ("uid", "gid"):
        path = f"/proc/{answer.process}/{kind}_map"
        try:
            found.append(ranges_of(read(path)))
        except (OSError, ValueError) as error:
            raise _unknown(f'"{path}" cannot be read: {error}') from error
    id_map = IdMap.from_ranges(*found)
    # Whoever listens in the engine's stead, as a service manager does, is no namespace.
    if not id_map.uids or id_map.host_uid(id_map.uids[0].inside) == 0:
        raise _unknown("the process that holds its socket is in no user namespace")
    return id_map


def _of_root(answer: Answer, read: ReadText) -> IdMap:
    found = OFFSETS.search(answer.root)
    if found is None:
        raise _unknown(f'its directory "{answer.root}" does not end in the offsets')
    ranges = []
    for kind, first in zip(("uid", "gid"), found.groups()):
        try:
            text = read(f"/etc/sub{kind}")
        except OSError:
            text = ""
        ranges.append(subordinate_ranges(text, int(first)))
    return IdMap.from_ranges(*ranges)


def _text_of(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _unreachable(socket_path: str, why: str) -> EngineUnreachable:
    return EngineUnreachable(
        f'Cannot ask the engine at "{socket_path}" for its user namespace',
        why,
        "Set engine_socket to its socket, start it, or set uid_offset.",
    )


def _unknown(why: str) -> EngineFailed:
    return EngineFailed(
        "Cannot find the ids that the engine gives to its containers",
        why,
        "Set uid_offset to the first id of its range.",
    )
