# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent side as a process: its signals, its exit, its kills."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest
from boots import booted, settings_in, skill, tree
from conftest import free_port, until

import agentd
from agentd.agent.boot import STEPS
from agentd.agent.settings import AgentSettings


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    """The settings of an agent with empty mounts."""
    return settings_in(tmp_path)


def start(settings: AgentSettings, directory: Path) -> subprocess.Popen[bytes]:
    """Start the agent side as its container does."""
    file = directory / "settings.json"
    file.write_text(json.dumps({**asdict(settings), "relay_port": free_port()}))
    environment = {
        "PATH": os.environ["PATH"],
        "AGENTD_SETTINGS": str(file),
        "PYTHONPATH": str(Path(agentd.__file__).parents[1]),
    }
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "agentd", "agent"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def says(directory: Path, words: str) -> bool:
    """Return whether the process has logged these words."""
    return words in (directory / "log").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("words", ['"step": "directories"', '"step": "serve"'])
async def test_a_signal_ends_the_side_with_status_0_also_in_its_boot(
    settings: AgentSettings, tmp_path: Path, number: signal.Signals, words: str
) -> None:
    """E14, E02: the boot is finished first, so that nothing is left in part."""
    process = start(settings, tmp_path)
    await until(partial(says, tmp_path, words))

    process.send_signal(number)

    assert process.wait(10) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    steps = [line["step"] for line in lines if line["event"] == "boot_step"]
    assert steps == list(STEPS)
    assert lines[-1]["event"] == "stopped"


async def test_a_side_that_cannot_boot_exits_and_says_why(tmp_path: Path) -> None:
    """E13: not a loop that nobody hears of."""
    missing = str(tmp_path / "none")
    process = start(settings_in(tmp_path, working_directory=missing), tmp_path)

    assert process.wait(20) == 1
    text = (tmp_path / "log").read_text()
    assert f"agentd agent: Cannot write to {missing}" in text
    assert '"event": "boot_failed"' in text


async def test_a_boot_that_is_killed_at_any_time_is_repeated(tmp_path: Path) -> None:
    """F18, E16: the next boot has everything, and no half file is left."""
    settings = settings_in(tmp_path, home_directory=str(tmp_path / "home"))
    for number in range(40):
        skill(tmp_path / "memory" / "skills", f"s{number}", "text" * 2000)
    (tmp_path / "home" / ".claude").mkdir(parents=True)
    for number in range(40):
        (tmp_path / "home" / ".claude" / f"f{number}").write_text("x")
    for number in range(8):
        process = start(settings, tmp_path)
        await until(partial(says, tmp_path, "boot_step"))
        await asyncio.sleep(0.002 * number)
        process.kill()
        process.wait()
        (tmp_path / "log").unlink()

    result, _log = booted(settings)

    assert result.errors == ()
    config = Path(settings.config_directory)
    assert len(os.listdir(config / "skills")) == 40
    assert sum(name.startswith("f") for name in os.listdir(config)) == 40
    assert (tmp_path / "home" / ".claude").resolve() == config
    assert not [path for path in tree(tmp_path) if "agentkeep-link" in path]
