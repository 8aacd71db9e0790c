# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One browser, and one deployment with a past, for all tests of the dashboard."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import Stack
from control.service import ControlProcess
from dashboard.filled import AGENTS, Filling
from playwright.sync_api import Browser
from sqlalchemy import create_engine

from . import browsing


# Playwright has a loop that runs: it has to be gone before tests that need their own.
@pytest.fixture(scope="package")
def shown() -> Iterator[Browser]:
    """Return the browser."""
    if not browsing.there():
        pytest.skip("There is no browser. tools/browser unpacks one below .agentkeep.")
    with browsing.browser() as found:
        yield found


@pytest.fixture(scope="package")
def deployment() -> Iterator[ControlProcess]:
    """Return a running control with agents, the offline model, and a past."""
    directory = Path(tempfile.mkdtemp(prefix="ak-", dir="/tmp"))
    stack = Stack(directory, AGENTS)
    try:
        for agent in AGENTS:
            (stack.sockets_directory / agent).mkdir(parents=True)
            stack.memory(agent).mkdir(parents=True)
            (directory / agent / "skill-data").mkdir()
        stack.start_gateway(status_socket=str(directory / "status.sock"))
        for agent in AGENTS:
            stack.start_side(agent)
        settings = {
            "deployment": "shop",
            "gateway_status_socket": str(directory / "status.sock"),
            # What was measured is in the past that is filled in.
            "usage": {"sample_minutes": 0, "limit_bytes": 3 * 1024**3 // 2},
        }
        control = ControlProcess(stack, AGENTS, settings=settings)
        with ExitStack() as stopped:
            # Also when it does not come up.
            stopped.push(control)
            control.start()
            _fill(control)
            yield control
    finally:
        stack.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _fill(control: ControlProcess) -> None:
    engine = create_engine(f"sqlite:///{control.database}/agentd.db")
    with engine.begin() as connection:
        Filling(time.time()).fill(connection)
    engine.dispose()
