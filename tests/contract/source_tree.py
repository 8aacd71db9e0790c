# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The repository's own source, read as data."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from working_tree import ROOT, working_tree

PLUGINS = "plugins/"
SERVICE = "service/src/agentd/"


@dataclass(frozen=True)
class Source:
    """One Python file of the repository and what can be read from it."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """Return the parsed file."""
        return ast.parse(self.text, filename=self.name)

    @property
    def package(self) -> str:
        """Return the dotted name of the package that holds this file."""
        path = Path(self.name)
        if self.name.startswith(SERVICE):
            return ".".join(path.relative_to("service/src").parent.parts)
        return ".".join(path.parent.parts)

    def imports(self) -> Iterator[str]:
        """Yield every dotted name imported at run time, relative ones resolved."""
        for node in run_time_nodes(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from self._from(node)

    def _from(self, node: ast.ImportFrom) -> Iterator[str]:
        start = node.module or ""
        if node.level:
            above = self.package.split(".")[: -(node.level - 1) or None]
            start = ".".join([*above, *([start] if start else [])])
        yield from (f"{start}.{alias.name}" for alias in node.names)

    def words(self) -> set[str]:
        """Return every name, attribute and keyword that the code uses."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
        return found


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from run_time_nodes(node)


def sources(*below: str) -> list[Source]:
    """Return the Python files of the working tree below the given directories."""
    return [
        Source(name, (ROOT / name).read_text(encoding="utf-8"))
        for name in working_tree(*below)
        if name.endswith(".py")
    ]


def names(found: list[Source]) -> list[str]:
    """Return the file names, which serve as test ids."""
    return [source.name for source in found]
