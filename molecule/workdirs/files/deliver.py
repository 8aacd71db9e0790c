# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Send one webhook as a forge does, and wait for the task that it gives.

``deliver.py URL TOKEN_FILE NAME`` with the webhook's secret on standard input. Prints
what became of the task, or of the webhook where it gives none, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from forge.deliveries import delivery

ENDED = {"completed", "failed", "cancelled"}
MOST_SECONDS = 120


def ask(request: urllib.request.Request) -> dict[str, Any]:
    """Return an answer of the API."""
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.loads(answer.read()))


def main(url: str, token_file: str, name: str) -> int:
    """Send the webhook; return 0 if its task ended well, or it gave none."""
    sent = delivery("forgejo", name, secret=sys.stdin.read().strip())
    became = ask(
        urllib.request.Request(f"{url}/webhooks/forgejo", sent.body, sent.headers)
    )
    token = Path(token_file).read_text().strip()
    end = time.monotonic() + MOST_SECONDS
    while became.get("task_id") and became.get("status") not in ENDED:
        if time.monotonic() > end:
            break
        time.sleep(0.2)
        task = urllib.request.Request(
            f"{url}/queue/{became['task_id']}",
            headers={"Authorization": f"Bearer {token}"},
        )
        became = {**ask(task), "task_id": became["task_id"]}
    print(json.dumps(became))
    return 0 if became.get("status", "completed") == "completed" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
