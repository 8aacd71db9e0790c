# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The log: one JSON object on each line, whoever wrote it."""

from __future__ import annotations

import json
import subprocess
import sys

QUOTING = """
import logging
from agentd.log import configure_log
for _twice in range(2):
    configure_log("control", "info")
try:
    raise ValueError("x" * 20_000)
except ValueError:
    logging.getLogger("library").exception('a\\n{"event": "turn_ended"}')
logging.getLogger("library").info("quiet")
"""


def test_what_a_library_quotes_stays_within_one_bounded_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", QUOTING], capture_output=True, text=True, check=True
    )

    (line,) = done.stderr.splitlines()
    told = json.loads(line)
    assert (told["event"], told["part"]) == ("library_said", "library")
    assert (told["component"], told["level"]) == ("control", "error")
    assert told["said"].startswith('a\n{"event": "turn_ended"}\nTraceback')
    assert len(told["said"]) == 8_000
