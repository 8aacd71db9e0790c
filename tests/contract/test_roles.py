# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A role's specification is its one source: defaults and README repeat it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from role_readme import readme_of
from working_tree import ROOT

ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/main.yml"))


def named(role: Path) -> str:
    """Return the test id of a role."""
    return role.name


def load(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return loaded


def options_of(role: Path) -> dict[str, Any]:
    """Return the specified variables of a role."""
    specification = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    options: dict[str, Any] = specification["main"]["options"]
    return options


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_defaults_repeat_the_specification_name_by_name_and_value_by_value(
    role: Path,
) -> None:
    specified = {
        name: option["default"]
        for name, option in options_of(role).items()
        if "default" in option
    }

    assert load(role / "defaults" / "main.yml") == specified


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_every_variable_carries_the_name_of_its_role(role: Path) -> None:
    internal = load(role / "vars" / "main.yml")

    assert [
        name for name in options_of(role) if not name.startswith(f"{role.name}_")
    ] == []
    assert [name for name in internal if not name.startswith(f"_{role.name}_")] == []


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_every_variable_is_used_by_its_role(role: Path) -> None:
    places = ("tasks", "templates", "handlers", "vars")
    text = "".join(
        path.read_text(encoding="utf-8")
        for place in places
        for path in sorted((role / place).rglob("*"))
        if path.is_file()
    )

    assert [name for name in options_of(role) if name not in text] == []


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_readme_repeats_the_specification(role: Path) -> None:
    readme = role / "README.md"

    assert readme.exists(), "Run tools/role_readme.py."
    assert readme.read_text(encoding="utf-8") == readme_of(role), (
        "Run tools/role_readme.py."
    )


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_main_tasks_are_a_table_of_static_imports(role: Path) -> None:
    tasks = yaml.safe_load((role / "tasks" / "main.yml").read_text(encoding="utf-8"))

    assert [
        task["name"] for task in tasks if "ansible.builtin.import_tasks" not in task
    ] == []
