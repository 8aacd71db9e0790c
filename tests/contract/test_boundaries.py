# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who may import whom: the boundary table of CONTRIBUTING.md, checked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest
from source_tree import Source, names, sources

INPUT_AND_OUTPUT = {
    *("datetime", "fcntl", "glob", "http", "io", "multiprocessing", "os", "pathlib"),
    *("random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl"),
    *("subprocess", "tempfile", "threading", "time", "urllib"),
}
SDK_USERS = {
    "service/src/agentd/engine/claude.py",
    "service/src/agentd/engine/transport.py",
}
RUN_WORDS = {"check_mode", "_diff", "exit_json", "fail_json"}


@dataclass(frozen=True)
class Layer:
    """What the files that match a pattern may import besides what is always allowed."""

    pattern: str
    libraries: frozenset[str] = frozenset()
    never: tuple[str, ...] = ()
    pure: bool = False

    def holds(self, source: Source) -> bool:
        """Return whether the file belongs to this layer."""
        return re.fullmatch(self.pattern, source.name) is not None


def layer(pattern: str, libraries: str = "", *, never: str = "") -> Layer:
    """Return a layer from words: libraries allowed, packages of ours forbidden."""
    return Layer(pattern, frozenset(libraries.split()), tuple(never.split()))


MODULE_UTILS = r"plugins/module_utils/"
AGENTD = r"service/src/agentd/"
NOT_THE_SERVICE = "agentd ansible_collections"
# The first layer that matches is the file's own.
LAYERS = (
    layer(MODULE_UTILS + r"_reconcile\.py", "ansible", never=NOT_THE_SERVICE),
    layer(MODULE_UTILS + r"_files(/.*)?\.py", never=NOT_THE_SERVICE),
    layer(MODULE_UTILS + r"_(layout|release)/.*", never=NOT_THE_SERVICE),
    layer(
        MODULE_UTILS + r"(_engine/.*|(.*/)?_?client)\.py",
        "ansible docker",
        never=NOT_THE_SERVICE,
    ),
    layer(MODULE_UTILS + r"_transcripts/read\.py", never=NOT_THE_SERVICE),
    layer(MODULE_UTILS + r"_definitions/on_disk\.py", never=NOT_THE_SERVICE),
    layer(
        MODULE_UTILS + r"_probe/(attempt|inside|look|process|run|transcripts)\.py",
        never=NOT_THE_SERVICE,
    ),
    Layer(MODULE_UTILS + r".*", never=("agentd", "ansible_collections"), pure=True),
    layer(r"plugins/modules/.*", never=NOT_THE_SERVICE + " plugins.modules"),
    layer(r"plugins/doc_fragments/.*"),
    layer(r"plugins/action/.*", "ansible", never="agentd"),
    layer(r"plugins/plugin_utils/.*", never="agentd plugins.module_utils"),
    layer(
        AGENTD + r"((gateway|webhook|work)_)?settings(_types)?\.py",
        "pydantic pydantic_settings",
        never="agentd.api agentd.database agentd.engine agentd.gateway agentd.agent",
    ),
    layer(
        AGENTD + r"(__init__|address|clock|deadline|errors|health|legacy)\.py",
        never="agentd.api agentd.engine",
    ),
    layer(AGENTD + r"log\.py", "structlog", never="agentd.api agentd.engine"),
    layer(AGENTD + r"sessions/.*", never="agentd.api agentd.engine agentd.gateway"),
    layer(
        AGENTD + r"engine/(claude|transport)\.py",
        "anyio claude_agent_sdk structlog",
        never="agentd.api agentd.app agentd.gateway agentd.agent",
    ),
    layer(
        AGENTD + r"engine/.*",
        "structlog",
        never="agentd.api agentd.app agentd.gateway agentd.agent",
    ),
    layer(
        AGENTD + r"spawner/(control|listen|peer|remote)\.py",
        never="agentd.api agentd.app agentd.database agentd.engine agentd.gateway"
        " agentd.settings agentd.sessions agentd.conversations agentd.agent",
    ),
    layer(
        AGENTD + r"(spawner|agent|credentials|skills|transcripts|usage|workdirs)/.*",
        never="agentd.api agentd.app agentd.database agentd.engine agentd.gateway"
        " agentd.settings agentd.sessions agentd.conversations agentd.log",
    ),
    layer(
        AGENTD + r"(gateway|offline_model)/.*",
        "httpx prometheus_client starlette structlog uvicorn",
        never="agentd.api agentd.app agentd.database agentd.engine agentd.sessions"
        " agentd.agent agentd.conversations",
    ),
    layer(
        AGENTD + r"hosts/.*",
        "sqlalchemy structlog",
        never="agentd.api agentd.app agentd.engine agentd.gateway agentd.agent",
    ),
    layer(
        AGENTD + r"(queue|output)/.*",
        "redis sqlalchemy structlog taskiq taskiq_redis",
        never="agentd.api agentd.app agentd.engine agentd.gateway agentd.agent",
    ),
    # The agent's side and control share these rules.
    layer(
        AGENTD + r"definitions/(names|paths|resolve)\.py",
        never="agentd.settings agentd.log agentd.errors agentd.api",
    ),
    layer(
        AGENTD + r"(tasks|definitions|samples|sweep|webhooks|work)/.*",
        "cronsim sqlalchemy structlog",
        never="agentd.api agentd.app agentd.gateway agentd.agent",
    ),
    layer(
        AGENTD + r"database/.*",
        "alembic psycopg sqlalchemy structlog",
        never="agentd.api agentd.app agentd.engine agentd.gateway agentd.agent",
    ),
    layer(
        AGENTD + r"(app|running|serve)\.py|" + AGENTD + r"(api|conversations)/.*",
        "fastapi h11 prometheus_client pydantic starlette structlog uvicorn websockets",
        never="agentd.gateway agentd.agent",
    ),
    layer(
        AGENTD + r"dashboard/.*",
        "fastapi jinja2 markupsafe pydantic starlette structlog",
        never="agentd.app agentd.gateway agentd.agent",
    ),
    layer(AGENTD + r"__main__\.py"),
)
CODE = sources("plugins", "service/src")


def layer_of(source: Source) -> Layer:
    """Return the layer of the file; fail if no row of the table holds it."""
    for candidate in LAYERS:
        if candidate.holds(source):
            return candidate
    pytest.fail(
        f'"{source.name}" is in no layer. Add a row to LAYERS and CONTRIBUTING.'
    )


@pytest.mark.parametrize("source", CODE, ids=names(CODE))
def test_a_file_imports_only_what_its_layer_may(source: Source) -> None:
    own = layer_of(source)
    assert own, f'"{source.name}" is in no layer. Add it to LAYERS and CONTRIBUTING.md.'
    allowed = sys.stdlib_module_names | own.libraries | {"agentd", "plugins"}

    imported = set(source.imports())

    assert [name for name in imported if name.split(".")[0] not in allowed] == []
    assert [
        name
        for name in imported
        if any(f"{name}.".startswith(f"{other}.") for other in own.never)
    ] == []


PURE = [source for source in CODE if (own := layer_of(source)) and own.pure]


@pytest.mark.parametrize("source", PURE, ids=names(PURE))
def test_a_decision_touches_nothing_outside_its_values(source: Source) -> None:
    imported = {name.split(".")[0] for name in source.imports()}

    assert imported & INPUT_AND_OUTPUT == set()
    assert source.words() & {"open", "print", "input"} == set()


@pytest.mark.parametrize("source", sources("plugins"), ids=names(sources("plugins")))
def test_only_the_reconciler_speaks_to_ansible(source: Source) -> None:
    used = source.words() & RUN_WORDS

    assert not used or source.name == "plugins/module_utils/_reconcile.py"


def test_only_the_engine_knows_the_agent_sdk() -> None:
    users = {
        source.name
        for source in CODE
        if any(name.split(".")[0] == "claude_agent_sdk" for name in source.imports())
    }

    assert users <= SDK_USERS
    assert users


def test_nothing_imports_the_command_line() -> None:
    importers = [
        source.name
        for source in CODE
        if any(name.startswith("agentd.__main__") for name in source.imports())
    ]

    assert importers == []


def test_collection_and_service_share_no_code_outside_the_contract_tests() -> None:
    both = [
        source.name
        for source in sources()
        if {"agentd", "ansible_collections"}
        <= {name.split(".")[0] for name in source.imports()}
        and not source.name.startswith("tests/contract/")
    ]

    assert both == []


def loaded_modules(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds afterwards."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return {name.split(".")[0] for name in json.loads(finished.stdout)}


@pytest.mark.parametrize("module", ["agentd.agent.run", "agentd.health"])
def test_the_agent_side_loads_the_standard_library_only(module: str) -> None:
    bare = loaded_modules("pass")

    loaded = loaded_modules(f"import {module}")

    assert loaded - bare - sys.stdlib_module_names == {"agentd"}
