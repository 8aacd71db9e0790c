# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The API, fuzzed from its own OpenAPI document against the real stack.

What answers is a real control process with a real agent side, the real CLI and the
gateway with the offline model. Nothing may be answered with 500, and every answer
has to be one that the document tells.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from control.service import ControlProcess

if TYPE_CHECKING:
    from conftest import RunningStack

SHORT_SECONDS = 15
SEED = 20260302
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_schema_conformance", "negative_data_rejection"),
    *("unsupported_method", "ignored_auth"),
)
# Too busy is an answer; a failure is none.
RULES = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "501", "503"]
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "404", "405", "408", "409", "413", "426", "503"]
[checks.unsupported_method]
enabled = true
"""

pytestmark = pytest.mark.live


async def fuzz(
    control: ControlProcess, directory: Path, seconds: int
) -> tuple[int, str]:
    """Fuzz for that long; return the exit status and what was said."""
    rules = directory / "schemathesis.toml"
    rules.write_text(RULES, encoding="utf-8")
    address = f"http://127.0.0.1:{control.port}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(rules), "run"),
        *(f"{address}/openapi.json", "--url", address),
        *("--header", f"Authorization: Bearer {control.token}"),
        *("--exclude-path", "/control/stop", "--checks", ",".join(CHECKS)),
        *("--phases", "examples,coverage,fuzzing", "--max-time", str(seconds)),
        *("--seed", str(SEED), "--generation-database", "none", "--no-color"),
        *("--request-timeout", "60", "--suppress-health-check", "all"),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _nothing = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode("utf-8", "replace")


async def test_nothing_that_the_document_allows_or_forbids_breaks_the_service(
    running_stack: RunningStack, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seconds = pytestconfig.getoption("--fuzz-seconds", default=None) or SHORT_SECONDS
    # Each new conversation costs the start of a CLI, so that few may start.
    settings = {
        **{"max_live_clients": 2, "max_waiting_turns": 0},
        "max_running_tasks": 1,
    }
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack, settings=settings) as control:
            status, said = await fuzz(control, tmp_path, seconds)
            health = control.client.get("/health").json()
            broke = [line for line in control.log().splitlines() if "_broke" in line]

    assert status == 0, said[-8000:]
    assert broke == []
    assert health["database"]["ok"] is True
