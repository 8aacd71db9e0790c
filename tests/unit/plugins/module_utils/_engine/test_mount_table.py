# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is mounted, and what lies at a source, read without following links."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.agentkeep.agents.plugins.module_utils._engine.mount_table import (  # noqa: E501
    read_mount_table,
    read_source,
)


def test_the_mounts_of_a_process_are_found_by_their_targets() -> None:
    """K08: what is not mounted is not in the table."""
    table = read_mount_table(os.getpid(), ["/proc", "/no/such/mount"])

    found = Path("/proc").stat()
    assert [
        (one.target, one.device, one.inode, one.deleted) for one in table or ()
    ] == [("/proc", found.st_dev, found.st_ino, False)]


def test_a_process_that_is_gone_has_no_table() -> None:
    assert read_mount_table(2**22 + 1, ["/proc"]) is None


def test_a_source_is_what_it_is_and_never_what_a_link_in_it_leads_to(
    tmp_path: Path,
) -> None:
    """A09: an agent cannot pass another directory off as its own."""
    real = tmp_path / "real"
    (real / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)

    assert read_source(str(real / "below")).inode == (real / "below").stat().st_ino
    assert read_source(str(tmp_path / "link")).exists is False
    assert read_source(str(tmp_path / "link/below")).exists is False
    assert read_source(str(tmp_path / "missing")).exists is False


def test_links_on_the_way_to_the_data_root_are_taken(tmp_path: Path) -> None:
    """The data root itself was checked when it was opened."""
    (tmp_path / "real/below").mkdir(parents=True)
    (tmp_path / "root").symlink_to(tmp_path / "real")

    found = read_source(f"{tmp_path}/root/below", trusted=f"{tmp_path}/root")

    assert found.inode == (tmp_path / "real/below").stat().st_ino
