# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Collection and service judge transcripts alike, and name projects as the SDK."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    key as their_key,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    lines as their_lines,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    read as their_reading,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    rules as their_rules,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    verdict as their_verdict,
)
from claude_agent_sdk import project_key_for_directory
from working_tree import ROOT

from agentd.transcripts import judge as our_rules
from agentd.transcripts import lines as our_lines
from agentd.transcripts import verdict as our_verdict
from agentd.transcripts.key import nearness, project_key
from agentd.transcripts.scan import scan_file

if TYPE_CHECKING:
    import damaged_transcripts as table
else:

    def _table() -> ModuleType:
        """Return the service's table of damages; its tests are no package."""
        path = ROOT / "service/tests/damaged_transcripts.py"
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        return module

    table = _table()

LONG = "/data/" + "d" * 250
ODD = [
    "/data/memory",
    "/w/a_b.c d",
    "/",
    "/data/",
    "/data/../data/./memory",
    "/Ünïcødé/straße",
    "/U\u0308ni\u0308",
    "/data/\N{GRINNING FACE}",
    "/data/\udcff",
    "/data/new\nline\ttab",
    "/data/" + "d" * 194,
    "/data/" + "d" * 195,
    LONG,
    "/data/" + "é" * 250,
    "/data/" + "a\u0301" * 120,
    "/data/" + "\N{GRINNING FACE}" * 201,
    "relative/path",
    # Its hash is zero in the low bits, or negative before its sign is dropped.
    *("/" + character * 230 for character in "abcxyzABC019"),
]


@pytest.mark.parametrize("directory", ODD)
def test_the_project_s_key_is_the_sdk_s_own_on_odd_paths(directory: str) -> None:
    """G13."""
    wanted = project_key_for_directory(directory)

    assert project_key(directory) == wanted
    assert their_key.project_key(os.path.realpath(directory)) == wanted
    assert nearness(wanted, wanted) == 0
    assert their_key.is_own(wanted, wanted)


def test_a_link_s_key_is_that_of_what_it_leads_to(tmp_path: Path) -> None:
    """G13."""
    (tmp_path / "real.d").mkdir()
    link = tmp_path / "link"
    link.symlink_to("real.d")

    wanted = project_key_for_directory(link)

    assert project_key(link) == wanted == project_key(tmp_path / "real.d")
    assert their_key.project_key(os.path.realpath(link)) == wanted


def judged(tmp_path: Path, content: bytes) -> tuple[object, object]:
    """Return what the service and what the collection say of a transcript."""
    path = tmp_path / "transcript"
    path.write_bytes(content)
    with path.open("rb") as file:
        ours = scan_file(file.fileno(), table.SESSION, str(path))
        theirs = their_reading.judge_file(file.fileno(), table.SESSION)
    return (
        (ours.verdict, {(one.kind, one.count, one.first_line) for one in ours.faults}),
        (theirs.word, {(one.kind, one.count, one.first_line) for one in theirs.faults}),
    )


@pytest.mark.parametrize("damage", table.DAMAGES, ids=lambda damage: damage.name)
def test_both_scanners_give_every_damage_its_verdict(
    tmp_path: Path, damage: table.Damage
) -> None:
    ours, theirs = judged(tmp_path, damage.deed(table.transcript()))

    assert ours == theirs
    assert isinstance(ours, tuple)
    assert ours[0] == damage.verdict
    assert {kind for kind, _count, _line in ours[1]} == damage.kinds


@pytest.mark.parametrize(
    "content",
    [
        b'{"type":"user","n":' + b"9" * 5000 + b"}\n",
        b'{"type":"user","n":NaN}\n',
        b'{"type":"user","uuid":5,"sessionId":[]}\n',
        b'{"type":"user"' + b" " * 70_000 + b"}\n",
        b'{"type":["user"]}\n{}\n[]\n',
        b'{"type":"user","a":"' + b"," * 300_000 + b'"}\n',
        b'{"type":"user","a":[' + b"0," * 300_000 + b"0]}\n",
        b'{"type":"user","a":"' + b"\\\\" * 50_000 + b'"}\n',
        b"{" + b"x" * (9 * 1024 * 1024) + b"}\n",
        b"{" + b"x" * (9 * 1024 * 1024) + b"\n",
        b'\r\n\xef\xbb\xbf{"type":"user"}\r',
        b"\n" * 1000,
        b"\0\n\0\n\0",
    ],
    ids=range(13),
)
def test_both_scanners_agree_on_what_no_cli_writes(
    tmp_path: Path, content: bytes
) -> None:
    sound = b"".join(table.transcript())

    for whole in (content, sound + content, content + sound):
        ours, theirs = judged(tmp_path, whole)
        assert ours == theirs


def test_both_scanners_have_the_same_bounds() -> None:
    assert our_lines.MAX_LINE_BYTES == their_lines.LONGEST_BYTES
    assert our_rules.MAX_VALUES == their_rules.MOST_VALUES
    assert our_rules.SMALL_BYTES == their_rules.FREE_BYTES
    assert our_rules.MAX_NAME_CHARACTERS == their_rules.MOST_CHARACTERS
    assert our_verdict.MAX_LINKS == their_verdict.MOST_LINKS


def test_every_fault_of_the_service_s_is_told_in_words_by_the_collection() -> None:
    kinds = {kind for damage in table.DAMAGES for kind in damage.kinds}

    known = {**their_verdict.COUNTED, **their_verdict.REASONS}

    assert kinds <= set(known)
    assert {"copies", "not_a_file", "unreadable", "not_writable", "too_large"} <= set(
        known
    )
