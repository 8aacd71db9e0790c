# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Git through the gateway to a forge over SSH: the agent sees HTTP, and no key."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from forge.ssh import SshServer, new_key
from forge.stand_in import Forge, git
from forge.through_gateway import Reached, through_gateway

from agentd.gateway.git_rules import GitRequest
from agentd.gateway.git_ssh import command, unpacked
from agentd.gateway.refusal import Refused
from agentd.gateway_settings import SshAccess


def over_ssh(forge: Forge, server: SshServer, **more: object) -> dict[str, object]:
    """Return the settings of a forge that git reaches over SSH."""
    return {"forge": forge.settings(ssh=server.settings(**more), token_file=None)}


def add_history(tree: Path, count: int) -> None:
    """Commit so often that what is known takes several questions, packed each."""
    head = git(tree, "rev-parse", "HEAD").strip()
    who = "committer a <a@b> {} +0000\ndata 1\n.\n"
    lines = [
        f"commit refs/heads/mine\n{who.format(1_700_000_000 + number)}"
        + ("" if number else f"from {head}\n")
        for number in range(count)
    ]
    words = ["git", "fast-import", "--quiet"]
    subprocess.run(words, cwd=tree, input="".join(lines).encode(), check=True)


async def work(reached: Reached, tree: Path) -> str:
    """Clone, commit, push, fetch what others pushed, as an agent does."""
    url = reached.url("team/shop")
    place = tree.parent
    await reached.git(place, "clone", "--filter=blob:none", "-n", url, tree.name)
    await reached.git(tree, "checkout", "main")
    (tree / "noise").write_bytes(os.urandom(3_000_000))
    await reached.git(tree, "add", "-A")
    await reached.git(tree, "commit", "-m", "Noise")
    await reached.git(tree, "push", "origin", "HEAD:refs/heads/work")
    return (await reached.git(tree, "rev-parse", "HEAD")).strip()


@pytest.mark.parametrize("takes_versions", [True, False])
async def test_an_agent_clones_pushes_and_fetches_over_ssh_without_the_key(
    short_path: Path,
    forge: Forge,
    forge_ssh: SshServer,
    tmp_path: Path,
    takes_versions: bool,
) -> None:
    forge.new_repository("team/shop", **{"a/b.txt": "x" * 1_500_000})
    tree = tmp_path / "tree"
    if not takes_versions:
        forge_ssh.stop_taking_versions()
    async with through_gateway(short_path, over_ssh(forge, forge_ssh)) as reached:
        pushed = await work(reached, tree)
        # A history of its own on both sides: they have to find what they share.
        for number in range(2):
            forge.commit("team/shop", f"{number}", "main", **{"c": f"{number}"})
        add_history(tree, 400)
        await reached.git(tree, "fetch", "--prune", "origin")
        await reached.git(tree, "fetch", "--depth=1", "origin", "main")
        await reached.git(tree, "fetch", "--unshallow")
        head = (await reached.git(tree, "rev-parse", "origin/main")).strip()
        again = await reached.git(tree, "push", "origin", "HEAD:work")
        log = reached.stack.log("gateway")

    assert (tree / "a/b.txt").read_text() == "x" * 1_500_000
    assert again == "" and pushed and head == forge.head("team/shop")
    assert "OPENSSH PRIVATE KEY" not in log
    assert forge.requests() == []


async def test_why_ssh_does_not_get_there_is_told(
    short_path: Path, forge: Forge, forge_ssh: SshServer, tmp_path: Path
) -> None:
    forge.new_repository()
    public = new_key(tmp_path / "other")
    (tmp_path / "changed").write_text(f"[127.0.0.1]:{forge_ssh.port} {public}\n")
    unknown = tmp_path / "known"
    unknown.write_text("")
    ways: dict[str, dict[str, object]] = {
        "refuses the key": {"key_file": str(tmp_path / "other")},
        "another than in known": {"known_hosts_file": str(tmp_path / "changed")},
        "not in known_hosts_file": {"known_hosts_file": str(unknown)},
        "cannot be reached": {"port": 9},
        "no such repository": {"path_prefix": "elsewhere/"},
    }
    forges: dict[str, object] = {}
    for number, more in enumerate(ways.values()):
        forges[f"way-{number}"] = over_ssh(forge, forge_ssh, **more)["forge"]
    async with through_gateway(short_path, forges) as reached:
        for number, told in enumerate(ways):
            url = reached.url("team/shop", forge=f"way-{number}")
            with pytest.raises(AssertionError, match=told):
                await reached.git(tmp_path, "ls-remote", url)


async def test_no_process_is_left_when_an_agent_goes_away(
    short_path: Path, forge: Forge, forge_ssh: SshServer
) -> None:
    forge.new_repository("team/shop", big="x\n" * 4_000_000)
    async with through_gateway(short_path, over_ssh(forge, forge_ssh)) as reached:
        path = reached.stack.sockets_directory / "main" / "gateway.sock"
        _reader, writer = await asyncio.open_unix_connection(path)
        head = (
            "POST /git/forge/team/shop.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
            "Content-Type: application/x-git-receive-pack-request\r\n"
            "Content-Length: 1000\r\n\r\n0000"
        )
        writer.write(head.encode())
        await writer.drain()
        gateway = reached.stack.gateway
        assert gateway is not None
        children = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children")
        while not children.read_text().split():
            await asyncio.sleep(0.02)
        writer.transport.abort()
        while children.read_text().split():
            await asyncio.sleep(0.02)


def test_a_repository_s_name_is_one_word_to_the_server_s_shell() -> None:
    access = {"host": "git.example", "key_file": "/k", "known_hosts_file": "/h"}
    ssh = SshAccess.model_validate({**access, "path_prefix": "/srv/it's; "})
    request = GitRequest("forge", "team", "shop", "git-upload-pack", True)

    words = command(ssh, request)

    assert words[-3:-1] == ["--", "git.example"]
    assert words[-1] == r"git-upload-pack '/srv/it'\''s; team/shop.git'"


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_a_packed_body_is_bounded_by_what_it_holds() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    small = gzip.compress(b"want")

    whole = b"".join([piece async for piece in unpacked(_once(small), 100)])
    with pytest.raises(Refused, match="larger than 1000000 bytes"):
        async for piece in unpacked(_once(bomb), 1_000_000):
            assert len(piece) <= 65_536
    with pytest.raises(Refused, match="not packed"):
        async for _piece in unpacked(_once(b"plain"), 100):
            continue

    assert whole == b"want"
