# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which directory a name means, by the one rule that API and agent side share."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.definitions.names import is_name
from agentd.definitions.paths import fault_of_path, fault_of_paths
from agentd.definitions.resolve import BUILT_IN, UPLOADED, Tiers, resolve

GOOD = ("a", "reviewer", "a.b-c_d", "9lives", "a" * 64)
BAD = (
    *("", ".", "..", "a..b", ".hidden", "-a", "_a", "A", "a/b", "a\\b", "a\0"),
    *("a\n", "a b", "ä", "a" * 65, "../agents", "a/../b", "%2e%2e"),
)


@pytest.fixture
def tiers(tmp_path: Path) -> Tiers:
    """Two tiers, with a definition in each and one in both."""
    found = Tiers(tmp_path / "agents", tmp_path / "built-in")
    for directory, names in (
        (found.uploaded, ("mine", "both")),
        (found.built_in, ("shipped", "both", "brain")),
    ):
        for name in names:
            (directory / name).mkdir(parents=True)
            (directory / name / "CLAUDE.md").write_text(name)
    return found


@pytest.mark.parametrize(
    ("name", "tier"),
    [("mine", UPLOADED), ("both", UPLOADED), ("shipped", BUILT_IN)],
)
def test_an_uploaded_definition_comes_before_a_built_in_one(
    tiers: Tiers, name: str, tier: str
) -> None:
    """P01."""
    found = resolve(tiers, name)

    above = tiers.uploaded if tier == UPLOADED else tiers.built_in
    assert (found.path, found.tier, found.warning) == (above / name, tier, None)


@pytest.mark.parametrize("name", [None, "", "brain"])
def test_no_name_means_the_agents_own_directory_without_a_word(
    tiers: Tiers, name: str | None
) -> None:
    """P01: whatever a definition is called."""
    found = resolve(tiers, name)

    assert (found.path, found.warning) == (None, None)


@pytest.mark.parametrize("name", ["nobody", "..", "mine/../both", "mine/", "/etc"])
def test_an_unknown_name_means_the_agents_own_directory_and_warns(
    tiers: Tiers, name: str
) -> None:
    """P01, P03."""
    found = resolve(tiers, name)

    assert found.path is None
    assert found.warning is not None
    assert f'"{name}"' in found.warning


def test_what_only_looks_like_a_definition_is_none(tiers: Tiers) -> None:
    """A link, a file, and a directory without its main file."""
    (tiers.uploaded / "linked").symlink_to(tiers.uploaded / "mine")
    (tiers.uploaded / "file").write_text("x")
    (tiers.uploaded / "empty").mkdir()
    (tiers.uploaded / "half").mkdir()
    (tiers.uploaded / "half" / "CLAUDE.md").symlink_to("/etc/passwd")

    found = [resolve(tiers, name) for name in ("linked", "file", "empty", "half")]

    assert [one.path for one in found] == [None] * 4


@pytest.mark.parametrize("name", GOOD)
def test_a_name_by_the_rule_is_one(name: str) -> None:
    """P03."""
    assert is_name(name)


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_could_lead_elsewhere_is_none(name: str) -> None:
    """P03."""
    assert not is_name(name)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", "a\\b"),
        *("a\0", "a\nb", "\u202ea", "/".join("a" * 17), "a" * 201, "ä" * 101),
        ".agentkeep/definition.json",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(path: str) -> None:
    """P05."""
    assert fault_of_path(path) is not None


def test_a_file_may_not_lie_below_another_file() -> None:
    """P05."""
    assert fault_of_paths(["a", "b/c", "b.d"]) is None
    assert fault_of_paths(["a", "a/b/c"]) == '"a" is a file, and "a/b/c" lies below it'
