# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A file of variables keeps what else it holds."""

from __future__ import annotations

from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.env_file import (
    names_in,
    upsert,
    values_in,
)

TEXT = """# kept by the operator
FIRST=1

export API_TOKEN=old
LAST=with = and # and 'quotes'
"""


def test_setting_one_key_keeps_other_lines_comments_and_order() -> None:
    """D11: only the line of the key changes."""
    assert upsert(TEXT, {"API_TOKEN": "new$value"}) == TEXT.replace(
        "export API_TOKEN=old", "API_TOKEN=new$value"
    )


def test_a_new_key_comes_last_and_a_second_run_changes_nothing() -> None:
    once = upsert(TEXT, {"NEW": "x"})

    assert once == TEXT + "NEW=x\n"
    assert upsert(once, {"NEW": "x"}) == once


def test_a_key_that_stands_twice_stands_once_afterwards() -> None:
    assert upsert("A=1\nB=2\nA=3\n", {"A": "4"}) == "A=4\nB=2\n"


def test_a_key_that_was_ours_and_is_gone_is_taken_out() -> None:
    assert upsert(TEXT, {}, gone=["API_TOKEN"]) == TEXT.replace(
        "export API_TOKEN=old\n", ""
    )


def test_without_text_and_values_there_is_no_file() -> None:
    assert upsert(None, {}) is None
    assert upsert(None, {"A": ""}) == "A=\n"


def test_values_are_read_as_they_were_written() -> None:
    """D09: nothing of a value is a sign of its own."""
    value = "a=b#c d\"e'f$g\\h"

    text = upsert(None, {"A": value, "B": "2"}) or ""

    assert values_in(text, ["A"]) == {"A": value}
    assert names_in(text) == ("A", "B")
