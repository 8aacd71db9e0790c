# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Control's listening sockets: whose they are, and what is refused in their place."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from doubles import (
    close_wires,
    connect,
    control_socket,
    listening,
)

from agentd.spawner.control import SocketSpawner
from agentd.spawner.listen import SocketRefused


@pytest.fixture(autouse=True)
async def closed_wires() -> AsyncIterator[None]:
    """Leave no connection open after a test."""
    yield
    await close_wires()


async def test_sockets_are_for_the_group_only_and_are_removed(
    short_path: Path,
) -> None:
    async with listening(short_path, "main", "mail"):
        status = control_socket(short_path, "mail").stat()

        assert stat.S_ISSOCK(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o660
    assert not control_socket(short_path).exists()


async def test_a_stale_socket_is_replaced(short_path: Path) -> None:
    (short_path / "main").mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(control_socket(short_path)))

    async with listening(short_path) as spawner:
        await connect(short_path, spawner)


@pytest.mark.parametrize("kind", ["link", "file", "directory"])
async def test_anything_but_a_socket_in_its_place_is_refused(
    short_path: Path, kind: str
) -> None:
    path = control_socket(short_path)
    path.parent.mkdir()
    if kind == "link":
        path.symlink_to(short_path / "elsewhere")
    elif kind == "file":
        path.write_text("mine")
    else:
        path.mkdir()

    with pytest.raises(SocketRefused, match="not a socket"):
        async with listening(short_path):
            pass
    assert os.path.lexists(path)


async def test_a_link_in_place_of_the_directory_is_refused(short_path: Path) -> None:
    (short_path / "elsewhere").mkdir()
    (short_path / "main").symlink_to(short_path / "elsewhere")

    with pytest.raises(SocketRefused, match="no directory"):
        async with listening(short_path):
            pass


async def test_a_missing_directory_is_named(short_path: Path) -> None:
    with pytest.raises(SocketRefused, match=str(short_path / "none")):
        async with SocketSpawner(short_path, ["none"], time.monotonic):
            pass


async def test_a_name_that_leads_elsewhere_is_refused(short_path: Path) -> None:
    with pytest.raises(SocketRefused, match="name"):
        async with SocketSpawner(short_path, ["../main"], time.monotonic):
            pass
