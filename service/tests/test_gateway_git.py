# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Git through the gateway: real repositories, and a token that nobody sees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from forge.stand_in import TOKEN, Forge
from forge.through_gateway import through_gateway


async def test_an_agent_clones_and_pushes_without_the_token(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository("team/shop", **{"a/b.txt": "x" * 1_500_000})
    async with through_gateway(short_path, {"forge": forge.settings()}) as reached:
        url = reached.url("team/shop")
        await reached.git(tmp_path, "clone", "--filter=blob:none", "-n", url, "tree")
        tree = tmp_path / "tree"
        await reached.git(tree, "checkout", "main")
        # More than git sends at once: it goes in chunks, and packed on the way.
        (tree / "noise").write_bytes(os.urandom(3_000_000))
        await reached.git(tree, "add", "-A")
        await reached.git(tree, "commit", "-m", "Noise")
        await reached.git(tree, "push", "origin", "HEAD:refs/heads/work")
        forge.commit("team/shop", "Elsewhere", "main", **{"c.txt": "c"})
        await reached.git(tree, "fetch", "--prune")
        head = (await reached.git(tree, "rev-parse", "origin/main")).strip()
        log = reached.stack.log("gateway")
        environment = Path(f"/proc/{_pid(reached.stack.gateway)}/environ").read_bytes()

    assert (tree / "a/b.txt").read_text() == "x" * 1_500_000
    assert forge.head("team/shop", "work") is not None
    assert head == forge.head("team/shop")
    assert all(one["authorized"] for one in forge.requests())
    assert TOKEN not in log and TOKEN.encode() not in environment
    assert '"service": "git-receive-pack"' in log.replace('":"', '": "')
    assert not [path for path in tree.rglob("*") if _holds_token(path)]


def _pid(process: object) -> int:
    return int(getattr(process, "pid", 0))


def _holds_token(path: Path) -> bool:
    return path.is_file() and TOKEN.encode() in path.read_bytes()


async def test_an_agent_reaches_the_repositories_that_are_its_own_only(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    for name in ("team/shop", "team/site", "other/shop"):
        forge.new_repository(name)
    settings = forge.settings(
        repositories=["team/*"], agents={"main": ["*/shop"], "mail": ["team/site"]}
    )
    agents = ("main", "mail", "third")
    async with through_gateway(short_path, {"forge": settings}, *agents) as reached:
        good = [("team/shop", "main"), ("team/site", "mail")]
        for name, agent in good:
            await reached.git(tmp_path, "ls-remote", reached.url(name, agent))
        asked = len(forge.requests())
        for agent in agents:
            for name in ("team/shop", "team/site", "other/shop", "team/missing"):
                if (name, agent) not in good:
                    url = reached.url(name, agent)
                    with pytest.raises(AssertionError, match="403"):
                        await reached.git(tmp_path, "ls-remote", url)

    assert len(forge.requests()) == asked


async def test_a_forge_that_is_read_only_takes_no_push(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository()
    forges = {"forge": forge.settings(read_only=True)}
    async with through_gateway(short_path, forges) as reached:
        await reached.git(tmp_path, "clone", reached.url("team/shop"), "tree")
        with pytest.raises(AssertionError, match="read_only is set"):
            words = ("push", "origin", "HEAD:refs/heads/work")
            await reached.git(tmp_path / "tree", *words)

    assert forge.head("team/shop", "work") is None
    assert forge.requests("receive-pack") == []


FAULTS: list[tuple[dict[str, object], str]] = [
    ({"status": 404}, "no such repository"),
    ({"status": 401}, "refuses the gateway's token"),
    ({"status": 403, "body": {"message": TOKEN}}, "does not allow it"),
    ({"status": 301, "headers": {"Location": "http://evil.example/"}}, "elsewhere"),
    ({"status": 200, "body": {"html": "no git"}}, "not answer as a server of git"),
    ({"status": 503}, "status 503"),
]


async def test_why_a_forge_refuses_is_told_in_words_of_ours(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository()
    async with through_gateway(short_path, {"forge": forge.settings()}) as reached:
        for fault, told in FAULTS:
            forge.break_with({"path": "info/refs", **fault})
            with pytest.raises(AssertionError, match=told) as failed:
                await reached.git(tmp_path, "ls-remote", reached.url("team/shop"))
            assert TOKEN not in str(failed.value)
        log = reached.stack.log("gateway")

    assert TOKEN not in log
    # What is no answer of git's is never asked a second time, wherever it points.
    assert len(forge.requests()) == len(FAULTS)


async def test_a_forge_that_is_gone_or_that_nobody_declared_is_said_so(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    async with through_gateway(short_path, {"forge": forge.settings()}) as reached:
        forge.stop()
        with pytest.raises(AssertionError, match="Cannot reach http://127"):
            await reached.git(tmp_path, "ls-remote", reached.url("team/shop"))
        with pytest.raises(AssertionError, match=r'No forge .* is named "other"'):
            url = reached.url("team/shop", forge="other")
            await reached.git(tmp_path, "ls-remote", url)


async def test_a_new_token_is_used_at_once_and_a_bad_one_not(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository()
    given = tmp_path / "given"
    given.write_text("a-token-that-is-wrong\n")
    forges = {"forge": forge.settings(token_file=str(given))}
    async with through_gateway(short_path, forges) as reached:
        url = reached.url("team/shop")
        with pytest.raises(AssertionError, match="refuses the gateway's token"):
            await reached.git(tmp_path, "ls-remote", url)
        given.write_text(f"{TOKEN}\n")
        await reached.git(tmp_path, "ls-remote", url)
        given.write_text("two words\n")
        await reached.git(tmp_path, "ls-remote", url)
