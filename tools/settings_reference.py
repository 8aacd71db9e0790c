# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Write the tables of docs/settings.md from the settings' own source."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from working_tree import ROOT

PAGE = ROOT / "docs" / "settings.md"
BEGIN = "<!-- {name}: written by tools/settings_reference.py -->"
END = "<!-- end -->"
AGENTD = "service/src/agentd/"
ROLE = ROOT / "roles" / "deployment"
TYPES = {
    "bool": "true or false",
    "str": "string",
    "int": "integer",
    "float": "number",
    "Name": "name",
    "ModelName": "name of a model",
    "TimeZone": "name of a time zone",
    "ToolName": "name of a tool",
    "AgentEntry": "agent",
    "AgentRules": "rules",
    "Price": "price",
    "ControlForge": "forge",
    "Forge": "forge",
    "SshAccess": "access over SSH",
    "ForgeKind": "`forgejo`, `github` or `jira`",
    "RepositoryPattern": "owner/name, where * stands for anything in a part",
    "WorkSettings": "settings of work directories",
    "SweepSettings": "settings of sweeps",
    "UsageSettings": "settings of usage",
}
BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "min_length": "at least {} long"}
BOUNDS["max_length"] = "at most {} long"
NO_RESTART = {"api_key_file": "restart; nothing for another key in the file"}


@dataclass(frozen=True)
class Table:
    """Which class becomes which table, and where the role writes it."""

    name: str
    path: str
    kind: str
    variable: str
    prefix: str = ""


TABLES = (
    Table("control", "settings.py", "ControlSettings", "_deployment_control_settings"),
    Table("an agent of control", "settings.py", "AgentEntry", "agents", "agents[]."),
    Table(
        "gateway",
        "gateway_settings.py",
        "GatewaySettings",
        "_deployment_gateway_settings",
    ),
    Table("rules", "gateway_settings.py", "AgentRules", "agents", "rules.<agent>."),
    Table("price", "gateway_settings.py", "Price", "prices", "prices.<model>."),
    Table("agent", "agent/settings.py", "AgentSettings", "_deployment_agent_settings"),
)


@dataclass(frozen=True)
class Key:
    """One key of a settings file."""

    name: str
    kind: str
    default: str
    meaning: str


def choices() -> dict[str, tuple[str, ...]]:
    """Return the names that stand for a choice, and what may be chosen."""
    found = {}
    for node in ast.parse(read("settings_types.py")).body:
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(value, ast.Subscript) and ast.unparse(value.value) == "Literal":
            assert isinstance(node, ast.Assign)
            found[ast.unparse(node.targets[0])] = literals(value)
    return found


def literals(node: ast.Subscript) -> tuple[str, ...]:
    """Return the texts of a Literal."""
    value = ast.literal_eval(node.slice)
    return value if isinstance(value, tuple) else (str(value),)


def read(path: str) -> str:
    """Return the source of a file of the service."""
    return (ROOT / AGENTD / path).read_text(encoding="utf-8")


def keys_of(table: Table) -> Iterator[Key]:
    """Yield the keys that a class declares, in that order."""
    tree = ast.parse(read(table.path))
    (found,) = (
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == table.kind
    )
    for node, after in zip(found.body, found.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign):
            yield key_of(node, meaning_of(node, after))


def meaning_of(node: ast.AnnAssign, after: ast.stmt) -> str:
    """Return the text below a key; raise ValueError if there is none."""
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
        return " ".join(str(after.value.value).split())
    raise ValueError(f'"{ast.unparse(node.target)}" does not say what it means.')


def key_of(node: ast.AnnAssign, meaning: str) -> Key:
    """Return the row of one key."""
    given = node.value
    options: dict[str, Any] = {}
    if isinstance(given, ast.Call):
        options = {str(item.arg): item.value for item in given.keywords}
        given = options.pop("default", options.pop("default_factory", None))
    kind = type_of(node.annotation)
    for name, value in options.items():
        if name == "repr":
            continue
        kind += ", " + BOUNDS[name].format(ast.literal_eval(value))
    return Key(ast.unparse(node.target), kind, default_of(given), meaning)


def type_of(node: ast.expr) -> str:
    """Return an annotation in words."""
    text = ast.unparse(node)
    if isinstance(node, ast.BinOp):
        return f"{type_of(node.left)} or null"
    if text in TYPES:
        return TYPES[text]
    if text in choices():
        return ", ".join(f"`{one}`" for one in choices()[text])
    if not isinstance(node, ast.Subscript):
        raise ValueError(f'The type "{text}" has no words in tools/settings_reference.')
    outer = ast.unparse(node.value)
    if outer == "Literal":
        return ", ".join(f"`{one}`" for one in literals(node))
    if outer in {"list", "Sequence"}:
        return f"list of {type_of(node.slice)}"
    assert isinstance(node.slice, ast.Tuple)
    return "mapping of {} to {}".format(*map(type_of, node.slice.elts))


def default_of(node: ast.expr | None) -> str:
    """Return a default as the page writes it."""
    if node is None:
        return "required"
    if ast.unparse(node) == "dict":
        return "`{}`"
    value = ast.literal_eval(node)
    return "none" if value is None else f"`{value}`"


def variables_of(table: Table) -> dict[str, str]:
    """Return the role variable by key, as the role's own documents say."""
    if table.prefix:
        options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text("utf-8"))
        agents = options["argument_specs"]["main"]["options"]["deployment_agents"]
        found = {name: f"`deployment_agents[].{name}`" for name in agents["options"]}
        inner = {key.name: "`deployment_prices`" for key in keys_of(table)}
        memory = {"memory_bytes": "`deployment_agent_memory_bytes`"}
        return inner if table.variable == "prices" else {**found, **memory}
    values = yaml.safe_load((ROLE / "vars/main.yml").read_text("utf-8"))
    found = {}
    for key, value in values[table.variable].items():
        names = sorted(set(re.findall(r"\bdeployment_\w+", str(value))))
        found[key] = ", ".join(f"`{name}`" for name in names)
    agents = dict.fromkeys(("agents", "rules"), "`deployment_agents`")
    own = ("agent", "environment", "skills", "sign_in")
    if table.name == "agent":
        agents = {name: f"`deployment_agents[].{name}`" for name in own}
        agents["agent"] = "`deployment_agents[].name`"
    token = {"api_token_file": "`deployment_api_token`"}
    return {**found, **agents, **token}


def table_of(table: Table) -> str:
    """Return the table of one class."""
    lines = [
        "| key | default | type | role variable | a change needs | meaning |",
        "|---|---|---|---|---|---|",
    ]
    variables = variables_of(table)
    for key in keys_of(table):
        cells = (
            f"`{table.prefix}{key.name}`",
            key.default,
            key.kind,
            variables.get(key.name, ""),
            NO_RESTART.get(key.name, "restart"),
            key.meaning,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page() -> str:
    """Return what the page should say: its own words, and the tables."""
    text = PAGE.read_text(encoding="utf-8")
    for table in TABLES:
        begin = BEGIN.format(name=table.name)
        before, marker, rest = text.partition(begin)
        if not marker:
            raise ValueError(f'docs/settings.md has no place "{begin}".')
        after = rest.partition(END)[2]
        text = f"{before}{begin}\n{table_of(table)}\n{END}{after}"
    return text


def main(arguments: list[str]) -> int:
    """Write the page, or with --check only say that it is stale."""
    wanted = page()
    if PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    name = PAGE.relative_to(ROOT)
    if "--check" in arguments:
        print(f'"{name}" differs from the settings. Run tools/settings_reference.py.')
        return 1
    Path(PAGE).write_text(wanted, encoding="utf-8")
    print(f"{name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
