# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Print what the demo proved, from the file that the playbook prove wrote."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(proof_file: str, seconds: str) -> None:
    """Given the proof and the time that it took, print the demo's last lines."""
    proof = json.loads(Path(proof_file).read_text(encoding="utf-8"))
    model = f"the model API at {proof['upstream']}"
    if proof["upstream"] == "offline":
        model = "the offline model, since ANTHROPIC_API_KEY is not set"
    print(f"\nDone in {seconds} s. The real Claude CLI ran, with {model}.")
    for conversation in proof["conversations"]:
        print(
            f'The conversation {conversation} remembered "{proof["word"]}" '
            "after its containers were destroyed."
        )
    print(
        f"The service listens on {proof['url']}; "
        f"its API token is in {proof['token_file']}."
    )
    print(f"See it in a browser at {proof['url']}/dashboard, with that token.")


if __name__ == "__main__":
    main(*sys.argv[1:])
