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
from settings_words import BOUNDS, NO_RESTART, NOT_SAID, TYPES
from working_tree import ROOT

PAGE = ROOT / "docs" / "settings.md"
BEGIN = "<!-- {name}: written by tools/settings_reference.py -->"
END = "<!-- end -->"
AGENTD = "service/src/agentd/"
ROLE = ROOT / "roles" / "deployment"
OTHERWISE = {
    "agents": "`deployment_agents`",
    "rules": "`deployment_agents`",
    "forges": "`deployment_forges`",
    "api_token_file": "`deployment_api_token`",
    **dict.fromkeys(("work", "sweep", "usage"), "below"),
}
AGENTS_OWN = {
    "agent": "`deployment_agents[].name`",
    **{
        name: f"`deployment_agents[].{name}`"
        for name in ("environment", "skills", "sign_in", "git_name", "git_email")
    },
}


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
    Table(
        "a forge of control",
        "work_settings.py",
        "ControlForge",
        "deployment_forges",
        "forges.<name>.",
    ),
    *(
        Table(name, "work_settings.py", kind, "_deployment_control_settings", prefix)
        for name, kind, prefix in (
            ("work", "WorkSettings", "work."),
            ("sweep", "SweepSettings", "sweep."),
            ("usage", "UsageSettings", "usage."),
        )
    ),
    Table(
        "forge", "gateway_settings.py", "Forge", "deployment_forges", "forges.<name>."
    ),
    Table(
        "ssh",
        "gateway_settings.py",
        "SshAccess",
        "deployment_forges",
        "forges.<name>.ssh.",
    ),
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
        if name in NOT_SAID:
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
        raise ValueError(f'The type "{text}" has no words in tools/settings_words.')
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
    if isinstance(node, ast.Call):
        return "below"
    value = ast.literal_eval(node)
    if value == "":
        return "empty"
    return "none" if value is None else f"`{value}`"


def variables_of(table: Table) -> dict[str, str]:
    """Return the role variable by key, as the role's own documents say."""
    if table.variable == "prices":
        return {key.name: "`deployment_prices`" for key in keys_of(table)}
    if table.variable == "deployment_forges":
        return variables_of_forges(table)
    if table.variable == "agents":
        found = {name: f"`deployment_agents[].{name}`" for name in options_of_agents()}
        return {**found, "memory_bytes": "`deployment_agent_memory_bytes`"}
    found = {}
    for key, value in rendered_by(table).items():
        names = sorted(set(re.findall(r"\bdeployment_\w+", str(value))))
        found[key] = ", ".join(f"`{name}`" for name in names)
    return {**found, **OTHERWISE, **(AGENTS_OWN if table.name == "agent" else {})}


def options_of_role() -> dict[str, Any]:
    """Return the specified variables of the role."""
    text = (ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return found


def options_of_agents() -> dict[str, Any]:
    """Return what may be said of an agent."""
    found: dict[str, Any] = options_of_role()["deployment_agents"]["options"]
    return found


def rendered_by(table: Table) -> dict[str, Any]:
    """Return what the role writes for each key."""
    values = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = values[table.variable]
    return found[table.prefix.rstrip(".")] if table.prefix else found


def variables_of_forges(table: Table) -> dict[str, str]:
    """Return the role variables of a forge; a file's is the secret that is in it."""
    options = options_of_role()["deployment_forges"]["options"]
    prefix = "deployment_forges[]."
    if table.name == "ssh":
        options = options["ssh"]["options"]
        prefix += "ssh."
    names = {key.name: key.name.removesuffix("_file") for key in keys_of(table)}
    return {key: f"`{prefix}{name}`" for key, name in names.items() if name in options}


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
