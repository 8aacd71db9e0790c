# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Forges that live as long as a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .ssh import SshServer, new_ssh_server
from .stand_in import Forge, new_forge, remove


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A forge over HTTP, with nothing in it."""
    found = new_forge()
    try:
        yield found
    finally:
        remove(found)


@pytest.fixture
def forge_ssh(forge: Forge) -> Iterator[SshServer]:
    """The same forge's SSH server."""
    server = new_ssh_server(forge.repositories)
    try:
        yield server
    finally:
        server.stop()
