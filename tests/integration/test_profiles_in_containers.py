# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Profiles that are deployed, each with a container that writes as its system does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imitations
import pytest
from modules import IMAGE, STAYS, Declaration
from running import docker, free_port


@pytest.fixture(scope="module", autouse=True)
def _image() -> Iterator[None]:
    imitations.build()
    yield
    docker("rmi", imitations.IMITATION)


def running(declaration: Declaration) -> Iterator[Declaration]:
    """Deploy, and take everything away in the end."""
    declaration.destroy()
    try:
        declaration.run()
        yield declaration
    finally:
        declaration.destroy()


def tried_inside(container: str, command: str) -> str:
    """Return what a command says that is run in a container as its own user."""
    return docker("exec", container, "sh", "-c", f"({command}) 2>&1 || true")


def owners(directory: Path) -> set[tuple[int, int]]:
    """Return who owns the files below a directory."""
    found = [path.lstat() for path in directory.rglob("*") if not path.is_dir()]
    return {(one.st_uid, one.st_gid) for one in found}


def made_anew(declaration: Declaration) -> None:
    """Destroy every container and deploy again."""
    docker("rm", "--force", *declaration.containers_there())
    assert declaration.run().actions.keys() == {"created"}
    assert not declaration.check().changed


@pytest.fixture(scope="module")
def picoclaw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Declaration]:
    """Two users of PicoClaw, the first with the image's own uid."""
    found = imitations.profile("picoclaw")
    port = {"host": "127.0.0.1", "target": 9000}
    yield from running(
        Declaration(
            name="picoclaw",
            data_root=tmp_path_factory.mktemp("picoclaw") / "root",
            inventory=found["inventory"],
            agents=[
                {
                    "name": name,
                    "uid": uid,
                    "service": {"ports": [{**port, "published": free_port()}]},
                }
                for name, uid in (("main", 1000), ("other", 42101))
            ],
            services={"agent": imitations.service(found, "agent", imitations.PICOCLAW)},
            containers={"legacy": found["legacy"]},
        )
    )


def test_what_picoclaw_writes_outlives_its_container(picoclaw: Declaration) -> None:
    """A04, K06: for the image's own uid and for another one."""
    made_anew(picoclaw)

    for name, uid in (("main", 1000), ("other", 42101)):
        own = picoclaw.directory / "agents" / name
        transcript = own / "memory/.claude/projects/-data-memory/session.jsonl"
        assert transcript.read_text() == "turn\nturn\n"
        assert (own / "store/messages.db").read_text() == "rows\nrows\n"
        assert owners(own) == {(uid, uid)}


def test_what_picoclaw_removed_is_told_once_with_its_replacement(
    picoclaw: Declaration,
) -> None:
    """D14: the value is never shown and never rendered."""
    service = picoclaw.services["agent"]
    old = {**service["environment"], "SESSIONS_DIR": "/data/old"}

    said = picoclaw.run(
        "deployment", check=True, services={"agent": {**service, "environment": old}}
    )

    warnings = said.of("deployment")["warnings"]
    assert len([one for one in warnings if "SESSIONS_DIR" in one]) == 1
    assert "/data/old" not in str(said.said)


@pytest.fixture(scope="module")
def claude_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Declaration]:
    """The API with its workers, and Redis."""
    found = imitations.profile("claude_code_agent")
    app = imitations.service(found, "app", imitations.CLAUDE_CODE_AGENT)
    app["ports"] = [{**app["ports"][0], "published": free_port()}]
    yield from running(
        Declaration(
            name="claude-code",
            data_root=tmp_path_factory.mktemp("claude-code") / "root",
            inventory=found["inventory"],
            agents=[],
            components={"app": {"uid": 42201}, **found["identities"]},
            services={
                "app": app,
                "redis": imitations.service(found, "redis", imitations.REDIS),
            },
            containers={
                "secret_environment": {
                    "app": {"REDIS_URL": "redis://:secret@redis:6379/0"},
                    "redis": {"REDIS_PASSWORD": "secret"},
                }
            },
        )
    )


def test_what_the_claude_code_agent_system_writes_outlives_its_containers(
    claude_code: Declaration,
) -> None:
    """A02, A10, K06: its transcripts too, and a fresh volume is writable."""
    made_anew(claude_code)

    data = claude_code.directory / "shared/machine_data"
    assert (data / "db/machine.db").read_text() == "rows\nrows\n"
    assert (data / "home/.claude/projects/-app/session.jsonl").read_text().count(
        "turn"
    ) == 2
    assert (data / "credentials/claude.json").stat().st_mode & 0o777 == 0o600
    assert owners(data) == {(42201, 42201)}
    queue = tried_inside(f"{claude_code.project}-redis", "cat /data/appendonly.aof")
    assert queue == "task\ntask"


def entry(name: str, target: str, access: str, **more: Any) -> dict[str, Any]:
    """Return an entry of each agent."""
    return {
        "name": name,
        "scope": "agent",
        "source": name,
        "owner": "agent",
        "mode": "0750",
        "mounts": [{"component": "agent", "target": target, "access": access}],
        "kind": "config",
        "backup": "files",
        **more,
    }


def test_a_mount_in_a_mount_has_its_own_access(tmp_path: Path) -> None:
    """B02, B04: read-write in read-only, and read-only in read-write."""
    declaration = Declaration(
        name="nested",
        data_root=tmp_path / "root",
        inventory=[
            entry("config", "/config", "ro", owner="root", group="agent"),
            entry("projects", "/config/projects", "rw", source="config/projects"),
            entry("work", "/work", "rw", directories=["generated"]),
            entry("generated", "/work/generated", "ro", owner="root", group="agent"),
        ],
        agents=[{"name": "main", "uid": 42301}],
        services={"agent": {"image": IMAGE, **STAYS, "networks": []}},
    )
    for _running in running(declaration):
        agent = f"{declaration.project}-agent-main"
        denied = "Read-only file system"

        assert tried_inside(agent, "echo x >/config/projects/x") == ""
        assert denied in tried_inside(agent, "echo x >/config/x")
        assert tried_inside(agent, "echo x >/work/x") == ""
        assert denied in tried_inside(agent, "echo x >/work/generated/x")
        own = declaration.directory / "agents/main"
        assert (own / "config/projects/x").stat().st_uid == 42301
        assert not declaration.check().changed
