# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Files that others edited are seen, since a container may have read them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.file_plan import (  # noqa: E501
    FileStep,
    FoundFile,
    PlacedFile,
)

FILE = PlacedFile(
    entry="settings",
    agent=None,
    name="settings.json",
    path="demo/shared/settings/settings.json",
    uid=0,
    gid=20001,
    mode=0o640,
    policy="replace",
    content=b"declared",
)
STEP = FileStep(FILE, "changed", b"declared")


@pytest.mark.parametrize(
    ("step", "found", "edited"),
    [
        (STEP, FoundFile(0, 20001, 0o640, b"edited"), True),
        (STEP, FoundFile(0, 20001, 0o640, b""), True),
        (STEP, FoundFile(1, 20001, 0o640, b"declared"), False),
        (STEP, None, False),
        (
            replace(STEP, file=replace(FILE, policy="keep")),
            FoundFile(0, 20001, 0o640, b"edited"),
            False,
        ),
        (
            replace(STEP, file=replace(FILE, live=True)),
            FoundFile(0, 20001, 0o640, b"edited"),
            False,
        ),
    ],
)
def test_a_file_is_edited_if_a_container_could_have_read_other_words(
    step: FileStep, found: FoundFile | None, edited: bool
) -> None:
    """K03: what was only given to others, is theirs to change, or is live, is not."""
    assert step.is_edited(found) is edited
