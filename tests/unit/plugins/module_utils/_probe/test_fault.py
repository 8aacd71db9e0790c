# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the faults of a probe say."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.fault import (
    MEANINGS,
    REMEDIES,
    Fault,
    at_risk,
    faults_of,
)

REFUSED: dict[str, Any] = {
    "service": "agent-main",
    "agent": "main",
    "entry": "memory",
    "subject": "place",
    "path": "/data/memory",
    "step": "create",
    "uid": 20101,
    "number": errno.EROFS,
    "owner": "20101:20101",
    "mode": "0750",
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, 'agent "main", entry "memory": uid 20101 cannot create a file in "/da'),
        (
            {},
            "(EROFS, it is read-only); it belongs to 20101:20101, mode 0750",
        ),
        (
            {"agent": None, "service": "control", "entry": "database"},
            'control, entry "database": uid 20101 cannot create',
        ),
        (
            {"step": "append", "number": errno.EACCES, "conversation": "conv-1"},
            'conversation "conv-1": uid 20101 can read but not append to',
        ),
        (
            {"step": "mounted", "number": 0},
            '"/data/memory" is not the directory that lies on the host; it belongs',
        ),
        (
            {"step": "missing", "number": errno.ENOENT, "owner": None},
            'agent "main", entry "memory": "/data/memory" is not there',
        ),
        ({"path": "/data/a\nb"}, '"/data/a\\x0ab"'),
        ({"path": "/data/\udcff"}, '"/data/\\xff"'),
        (
            {"step": "probed", "number": 0, "owner": None, "why": "it ended"},
            '"/data/memory" could not be probed (it ended)',
        ),
        ({"number": 9999}, 'create a file in "/data/memory"; it belongs'),
    ],
)
def test_a_fault_names_entry_user_owner_and_mode(
    change: dict[str, Any], says: str
) -> None:
    """K16, A11."""
    assert says in Fault(**{**REFUSED, **change}).text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "Deploy again, and look whether"),
        ({"number": errno.EACCES}, "Lay out the deployment's state again with repair"),
        ({"number": errno.ENOSPC}, "Free space"),
        ({"number": errno.ENOENT, "step": "reach"}, "Deploy again, which lays out"),
        ({"number": 0, "step": "empty"}, "Restore the transcript from a backup"),
        ({"number": 0, "step": "mounted"}, "Deploy again, which lays out"),
        ({"number": 0, "step": "slow"}, "raise probe_timeout_seconds"),
    ],
)
def test_a_fault_says_what_to_do(change: dict[str, Any], says: str) -> None:
    assert says in Fault(**{**REFUSED, **change}).remedy


def test_every_error_with_a_remedy_exists() -> None:
    assert {*REMEDIES, *MEANINGS} <= set(errno.errorcode.values())


def test_all_faults_are_said_and_each_remedy_once() -> None:
    faults = [Fault(**REFUSED), Fault(**REFUSED), Fault(**{**REFUSED, "agent": "mail"})]

    said = str(at_risk("demo", faults, more=3))

    assert said.startswith(
        'Cannot rely on the state of deployment "demo": 5 faults inside its containers.'
    )
    assert said.count('agent "main"') == said.count('agent "mail"') == 1
    assert "; and 3 more. Deploy again" in said
    assert said.count("Deploy again") == 1


def test_an_answer_becomes_faults_with_their_conversations() -> None:
    answer = {
        "faults": [
            {
                "subject": "transcript",
                "entry": "memory",
                "path": "/data/memory/.claude/projects/p/s-1.jsonl",
                "step": "read",
                "errno": errno.EACCES,
                "session": "s-1",
                "owner": [0, 0],
                "mode": 0o600,
            }
        ]
    }

    (fault,) = faults_of(answer, ("agent-main", "main", 20101), {"s-1": "conv-1"})

    assert (fault.owner, fault.mode, fault.conversation) == ("0:0", "0600", "conv-1")
    assert fault.for_output()["errno"] == "EACCES"
    assert fault.for_output()["message"] == f"{fault.text}. {fault.remedy}"
