# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an agent can do with repositories, and who sees a token; run by its Bash tool.

Reads reversed canaries from a file beside it, so that neither the command line nor the
transcript holds what is searched for. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from search_from_inside import process_files, search

RELAY = "http://127.0.0.1:8081/git"


def git(*words: str) -> dict[str, object]:
    """Return how a git command ends, and what it says."""
    done = subprocess.run(["git", *words], check=False, capture_output=True, text=True)
    return {"status": done.returncode, "said": done.stdout + done.stderr}


def while_git_asks(repository: str, canaries: list[bytes]) -> dict[str, object]:
    """Return which processes hold a canary while the forge takes its time."""
    asking = subprocess.Popen(["git", "ls-remote", f"{RELAY}/{repository}"])
    hits: set[str] = set()
    rounds = seen = 0
    while asking.poll() is None:
        rounds += 1
        for path in process_files():
            try:
                content = path.read_bytes() if path.parent.name != "fd" else b""
            except OSError:
                continue
            seen += path.name == "cmdline" and b"git-remote-http" in content
            hits |= {str(path) for canary in canaries if canary in content}
    return {"status": asking.returncode, "hits": sorted(hits), "seen": seen > 0}


def main() -> None:
    """Work in the repository as an agent does, search, and print what came of it."""
    task = json.loads((Path(__file__).parent / "git_task.json").read_text())
    canaries = [one[::-1].encode() for one in task["reversed"]]
    Path("note.txt").write_text("An agent was here.\n")
    report = {
        "directory": os.getcwd(),
        "files": sorted(os.listdir()),
        "add": git("add", "note.txt"),
        "commit": git("commit", "--quiet", "--message=A note"),
        "push": git("push", "--quiet", "origin", "HEAD"),
        "remote": git("remote", "get-url", "origin")["said"],
        "elsewhere": git("ls-remote", f"{RELAY}/{task['not_ours']}"),
        "asking": while_git_asks(task["slow"], canaries),
        "search": search(canaries),
    }
    print("REPORT" + json.dumps(report) + "END")


if __name__ == "__main__":
    main()
