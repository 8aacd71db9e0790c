# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What every source file keeps to: size, names, licence, no leftovers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from source_tree import Source, names, sources
from working_tree import ROOT, working_tree

FILE_LINES = 300
FUNCTION_LINES = 40
ARGUMENTS = 5
PLACEHOLDER_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "utils"}
COMMENTED = {"", ".cfg", ".ini", ".j2", ".py", ".sh", ".toml", ".yaml", ".yml"}
WITHOUT_COMMENTS = {"changelogs/changelog.yaml", "COPYING"}
LEFT_FOR_LATER = ("TODO", "FIXME", "XXX", "HACK")
# In two parts, so that the licence checker does not take this line for a licence.
LICENCE = "SPDX-License-" + "Identifier: GPL-3.0-or-later"
COPYRIGHT = "Copyright: (c) 2026, The Agentkeep authors"
ALL = sources()
PLUGIN_FILES = sources("plugins")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(source: Source) -> list[Function]:
    """Return every function and method of the file."""
    return [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def lines_of(function: Function) -> int:
    """Return the number of lines of a function without its docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def arguments_of(function: Function) -> int:
    """Return the number of arguments of a function besides self and cls."""
    given = function.args
    everyone = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return len([one for one in everyone if one.arg not in {"self", "cls"}])


@pytest.mark.parametrize("source", ALL, ids=names(ALL))
def test_a_file_stays_small_enough_to_read(source: Source) -> None:
    lines = len(source.text.splitlines())
    long = [
        f"{function.name}: {lines_of(function)} lines"
        for function in functions(source)
        if lines_of(function) > FUNCTION_LINES
    ]
    wide = [
        f"{function.name}: {arguments_of(function)} arguments"
        for function in functions(source)
        if arguments_of(function) > ARGUMENTS
    ]

    assert lines <= FILE_LINES
    assert long == []
    assert wide == []


@pytest.mark.parametrize("source", ALL, ids=names(ALL))
def test_a_file_postpones_the_evaluation_of_its_annotations(source: Source) -> None:
    assert (
        not source.tree.body
        or "__future__.annotations" in source.imports()
        or (all(isinstance(node, ast.Expr) for node in source.tree.body))
    )


def test_a_file_is_named_after_what_it_holds() -> None:
    placeholders = [
        source.name
        for source in ALL
        for part in (*Path(source.name).parent.parts, Path(source.name).stem)
        if part.strip("_") in PLACEHOLDER_NAMES
    ]

    assert placeholders == []


def commented_files() -> list[str]:
    """Return the files that hold something and whose format has comments."""
    return [
        name
        for name in working_tree()
        if Path(name).suffix in COMMENTED
        and name not in WITHOUT_COMMENTS
        and (ROOT / name).stat().st_size
    ]


def test_every_file_names_its_licence_and_its_authors() -> None:
    heads = {
        name: (ROOT / name).read_text(encoding="utf-8")[:600]
        for name in commented_files()
    }

    assert [name for name, head in heads.items() if LICENCE not in head] == []
    assert [name for name, head in heads.items() if COPYRIGHT not in head] == []


def test_every_plugin_says_the_licence_in_the_words_that_ansible_wants() -> None:
    wanted = "GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or"
    modules = [
        source
        for source in PLUGIN_FILES
        if source.name.startswith(("plugins/modules/", "plugins/action/"))
    ]

    assert [source.name for source in modules if wanted not in source.text] == []


def test_nothing_is_left_for_later_in_a_comment() -> None:
    marker = re.compile(rf"(#|//|<!--).*\b({'|'.join(LEFT_FOR_LATER)})\b")

    left = [
        f"{name}:{number}"
        for name in commented_files()
        for number, line in enumerate(
            (ROOT / name).read_text(encoding="utf-8").splitlines(), start=1
        )
        if marker.search(line)
    ]

    assert left == []


@pytest.mark.parametrize("source", PLUGIN_FILES, ids=names(PLUGIN_FILES))
def test_a_plugin_is_understood_by_the_oldest_python_of_a_target(
    source: Source,
) -> None:
    tree = ast.parse(source.text, feature_version=(3, 8))

    words = {
        keyword.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dataclass"
        for keyword in node.keywords
    }
    assert words <= {"frozen", "order", "eq", "repr"}
