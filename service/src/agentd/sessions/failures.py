# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which words of the CLI mean that a session is missing or already there.

Only these drop a session id. A network or sign-in error never does.
"""

from __future__ import annotations

import re

from agentd.errors import CliFailed, SessionInUse, SessionNotFound

NOT_FOUND = re.compile(
    r"no conversation found"
    r"|session not found"
    r"|ENOENT[^\n]{0,1000}\.jsonl",
    re.IGNORECASE,
)
# Looked at from each end; agents choose these words, and must not make us search long.
EVIDENCE_CHARACTERS = 16_384
IN_USE = re.compile(r"session id \S+ is already in use", re.IGNORECASE)


def cli_failure(message: str, evidence: str) -> CliFailed:
    """Return the error of a CLI that broke off, of the kind its words show."""
    if len(evidence) > 2 * EVIDENCE_CHARACTERS:
        ends = evidence[:EVIDENCE_CHARACTERS], evidence[-EVIDENCE_CHARACTERS:]
        evidence = "\n".join(ends)
    if NOT_FOUND.search(evidence):
        return SessionNotFound(message)
    if IN_USE.search(evidence):
        return SessionInUse(message)
    return CliFailed(message)
