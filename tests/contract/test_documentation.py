# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the pages say exists, and what exists has its place on a page."""

from __future__ import annotations

import ast
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import yaml
from settings_reference import page as settings_page
from working_tree import ROOT, working_tree

from agentd.agent.settings import AgentSettings
from agentd.settings import ControlSettings, GatewaySettings
from agentd.settings_types import Frozen

PAGES = [name for name in working_tree() if name.endswith(".md")]
GUIDES = "\n".join(path.read_text("utf-8") for path in ROOT.glob("docs/*.md"))


def read(name: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def nox_sessions() -> set[str]:
    """Return the names of the sessions in noxfile.py."""
    return {
        node.name
        for node in ast.parse(read("noxfile.py")).body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }


def make_targets() -> set[str]:
    """Return the names of the targets in the Makefile."""
    return set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_a_page_exists(page: str) -> None:
    text = read(page)

    targets = set(re.findall(r"(?:^|[`# ])make ([a-z]+)`?", text, re.MULTILINE))
    asked = re.findall(r"nox -s ((?:[a-z_]+ ?)+)", text)
    sessions = {session for group in asked for session in group.split()}

    commands = {target for target in targets if f"`make {target}`" in text}
    assert commands <= make_targets()
    assert sessions <= nox_sessions()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_on_a_page_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(page))

    missing = [
        link
        for link in links
        if not link.startswith(("http://", "https://"))
        and not ((ROOT / page).parent / link).exists()
    ]

    assert missing == []


def test_every_nox_session_is_explained_to_contributors() -> None:
    text = read("CONTRIBUTING.md")

    assert [name for name in nox_sessions() if f"`nox -s {name}`" not in text] == []


def test_every_make_target_is_in_the_readme() -> None:
    text = read("README.md")

    assert [
        target for target in make_targets() - {"help"} if f"make {target}" not in text
    ] == []


@pytest.mark.parametrize("kind", ["modules", "roles", "playbooks"])
def test_everything_that_ships_is_in_a_guide(kind: str) -> None:
    place = ROOT / ("plugins/modules" if kind == "modules" else kind)
    names = [
        path.stem
        for path in place.iterdir()
        if path.name != "__pycache__" and (path.is_dir() or path.suffix != ".md")
    ]
    everything = GUIDES + read("README.md")

    assert [name for name in names if not re.search(rf"\b{name}\b", everything)] == []


def documented_settings() -> dict[str, dict[str, str]]:
    """Return, for each component, the keys on the settings page and their defaults."""
    found = {}
    for section in re.split(r"^## ", read("docs/settings.md"), flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE)
        found[section.split("\n", 1)[0]] = dict(rows)
    return found


def written(default: object) -> str:
    """Return a default as the settings page writes it."""
    if default is None:
        return "none"
    if default == "":
        return "empty"
    if isinstance(default, Frozen):
        return "below"
    if default == {}:
        return "`{}`"
    return f"`{default}`"


@pytest.mark.parametrize("kind", [ControlSettings, GatewaySettings])
def test_settings_page_has_every_key_and_its_default(
    kind: type[ControlSettings | GatewaySettings],
) -> None:
    component = kind.__name__.removesuffix("Settings").lower()

    keys = {
        name: "required" if field.is_required() else written(field.default)
        for name, field in kind.model_fields.items()
    }

    assert documented_settings()[component] == keys


def test_settings_page_has_every_key_of_the_agent_side() -> None:
    keys = {}
    for field in fields(AgentSettings):
        if field.default_factory is not MISSING:
            keys[field.name] = written(field.default_factory())
        elif field.default is MISSING:
            keys[field.name] = "required"
        else:
            keys[field.name] = written(field.default)

    assert documented_settings()["agent"] == keys


def test_settings_page_is_what_the_source_of_the_settings_makes_of_it() -> None:
    assert read("docs/settings.md") == settings_page(), (
        "Run tools/settings_reference.py."
    )


def role_variables() -> dict[str, set[str]]:
    """Return the public variables of every role."""
    return {
        path.parent.parent.name: set(
            yaml.safe_load(path.read_text("utf-8"))["argument_specs"]["main"]["options"]
        )
        for path in ROOT.glob("roles/*/meta/argument_specs.yml")
    }


def test_every_variable_on_a_page_is_one_of_a_role() -> None:
    known = role_variables()
    pages = "\n".join(read(page) for page in PAGES if not page.startswith("roles/"))

    named = set(re.findall(rf"`((?:{'|'.join(known)})_[a-z_]+)", pages))

    modules = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    # Fields of POST /task, which has the names of another system.
    fields = {"schedule_type", "schedule_value"}
    assert named - modules - fields <= set().union(*known.values())


def said_by_source() -> str:
    """Return the text of what speaks to users, with joined string literals."""
    text = "\n".join(
        read(name)
        for name in working_tree("roles", "plugins", "service/src", "tools")
        if Path(name).suffix in {".py", ".yml", ""}
    )
    joined = re.sub(r"[\"']\s*\n\s*f?[\"']", "", text)
    return re.sub(r"\s+", " ", joined)


def test_every_message_in_the_troubleshooting_table_is_really_said() -> None:
    table = read("README.md").partition("## Troubleshooting")[2]
    messages = re.findall(r"^\| `(Cannot .*?)`", table, re.MULTILINE)
    source = said_by_source()

    fixed_parts = [
        part.strip(" :")
        for message in messages
        for part in re.split(r'"[^"]*"|…', message)
    ]

    assert len(messages) >= 5
    assert [part for part in fixed_parts if part not in source] == []
