# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Write the README of each role from its meta/argument_specs.yml.

The specification is the only place where a variable is described. Everything between
the two markers of a README is generated; what stands around them is not touched.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from working_tree import ROOT

BEGIN = "<!-- variables:start -->"
END = "<!-- variables:end -->"
NEW = """\
<!--
SPDX-License-Identifier: GPL-3.0-or-later
Copyright: (c) 2026, The Agentkeep authors
-->
# agentkeep.agents.{role}

{summary}

## Variables

{begin}
{end}
"""
MARKUP = re.compile(r"\b([BCEIMOPRUV])\(((?:\\.|[^)])*)\)")
LINK = re.compile(r"\bL\(([^,]*),\s*([^)]*)\)")


def text_of(words: str | list[str]) -> str:
    """Return Ansible's documentation markup as Markdown that fits in a table cell."""
    joined = " ".join([words] if isinstance(words, str) else words)
    joined = LINK.sub(r"[\1](\2)", joined)
    return MARKUP.sub(_marked, joined).replace("|", r"\|").replace("\n", " ").strip()


def _marked(match: re.Match[str]) -> str:
    around = {"B": "**", "I": "*", "U": ""}.get(match[1], "`")
    return f"{around}{match[2]}{around}"


def type_of(option: Mapping[str, Any]) -> str:
    """Return the type of an option in words, with its choices."""
    kind = str(option.get("type", "str"))
    if "elements" in option:
        kind = f"{kind} of {option['elements']}"
    choices = ", ".join(
        f"`{json.dumps(one).strip(chr(34))}`" for one in option.get("choices", [])
    )
    return f"{kind}: {choices}" if choices else kind


def default_of(option: Mapping[str, Any]) -> str:
    """Return the default of an option as JSON, or that it is required."""
    if option.get("required"):
        return "required"
    if "default" not in option:
        return ""
    return f"`{json.dumps(option['default'])}`".replace("|", r"\|")


def rows_of(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield one table row for each option, sub-options after their own."""
    for name, option in options.items():
        full = f"{prefix}{name}"
        cells = (
            f"`{full}`",
            type_of(option),
            default_of(option),
            text_of(option["description"]),
        )
        yield f"| {' | '.join(cells)} |"
        inner = "[]." if option.get("type") == "list" else "."
        yield from rows_of(option.get("options", {}), f"{full}{inner}")


def table_of(specification: Mapping[str, Any]) -> str:
    """Return the table of all variables of a role."""
    head = ["| variable | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows_of(specification["main"].get("options", {}))])


def readme_of(role: Path) -> str:
    """Return what the README of the role should say."""
    text = (role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    specification = yaml.safe_load(text)["argument_specs"]
    readme = role / "README.md"
    if readme.exists():
        current = readme.read_text(encoding="utf-8")
    else:
        summary = "\n\n".join(
            text_of(paragraph) for paragraph in specification["main"]["description"]
        )
        current = NEW.format(role=role.name, summary=summary, begin=BEGIN, end=END)
    before, _marker, rest = current.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table_of(specification)}\n{END}{after}"


def stale(roles: Path) -> list[Path]:
    """Return the READMEs that are not what the specifications make of them."""
    found = []
    for specification in sorted(roles.glob("*/meta/argument_specs.yml")):
        role = specification.parent.parent
        readme = role / "README.md"
        if not readme.exists() or readme.read_text("utf-8") != readme_of(role):
            found.append(readme)
    return found


def main(arguments: list[str]) -> int:
    """Write stale READMEs, or with --check only name them; return the status."""
    found = stale(ROOT / "roles")
    for readme in found:
        name = readme.relative_to(ROOT)
        if "--check" in arguments:
            print(f'"{name}" differs from the specification. Run tools/role_readme.py.')
        else:
            readme.write_text(readme_of(readme.parent), encoding="utf-8")
            print(f"{name}: written")
    return 1 if found and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
