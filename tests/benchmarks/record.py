# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Keep raw samples with the machine and the tree that they were measured on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RECORDS = Path(__file__).resolve().parent / "records"
DIGITS = 6
REAL_TIME = (os.SCHED_FIFO, os.SCHED_RR)


def write_record(
    benchmark: str,
    samples: Mapping[str, Sequence[float]],
    *,
    unit: str = "s",
    facts: Mapping[str, object] | None = None,
) -> Path:
    """Write one run's samples, and what else it showed, to a file of its own."""
    taken = datetime.now(UTC).replace(microsecond=0)
    record = {
        "benchmark": benchmark,
        "taken": taken.isoformat(),
        "unit": unit,
        "machine": machine(),
        "tree": tree(),
        "medians": {
            name: round(median(values), DIGITS) for name, values in samples.items()
        },
        "samples": {
            name: [round(value, DIGITS) for value in values]
            for name, values in samples.items()
        },
        **({"facts": facts} if facts else {}),
    }
    RECORDS.mkdir(exist_ok=True)
    path = RECORDS / f"{benchmark}-{taken:%Y%m%dT%H%M%SZ}.json"
    text = json.dumps(record, indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")
    print(f"recorded in {path.relative_to(ROOT)}")
    return path


def machine() -> dict[str, Any]:
    """Return what of this machine makes figures comparable; no name, no address."""
    pages = os.sysconf("SC_PHYS_PAGES")
    return {
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", ""),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "processors": os.cpu_count(),
        "memory_bytes": pages * os.sysconf("SC_PAGE_SIZE"),
        "load_before": round(os.getloadavg()[1], 2),
        "scheduling": "real time" if os.sched_getscheduler(0) in REAL_TIME else "fair",
        "python": platform.python_version(),
    }


def tree() -> dict[str, Any]:
    """Return the commit, and a hash of what differs from it in the checkout."""
    changes = _git("diff", "HEAD")
    return {
        "commit": _git("rev-parse", "HEAD").decode().strip(),
        "changes": hashlib.sha256(changes).hexdigest() if changes else None,
    }


def _git(*arguments: str) -> bytes:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True
    ).stdout
