# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Git requests that mean harm: what they do not reach, and what they do not learn."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from forge.stand_in import TOKEN, Forge
from forge.through_gateway import Reached, through_gateway

from agentd.gateway.git_app import MAX_TRANSFERS_PER_AGENT

FETCH = "info/refs?service=git-upload-pack"
OWN = "/git/forge/team/shop.git"
PATHS = [
    f"/git/forge/team/../other/shop.git/{FETCH}",
    f"/git/forge/team/%2e%2e/other/shop.git/{FETCH}",
    f"/git/forge/team%2F..%2Fother/shop.git/{FETCH}",
    f"/git/forge/other%2fshop.git/{FETCH}",
    f"/git/forge//other/shop.git/{FETCH}",
    f"/git//forge/team/shop.git/{FETCH}",
    f"/git/forge/team/.git/{FETCH}",
    f"/git/forge/team/...git/{FETCH}",
    f"/git/forge/../shop.git/{FETCH}",
    f"/git/forge/./shop.git/{FETCH}",
    f"/git/forge/-x/shop.git/{FETCH}",
    f"/git/forge/team/shop.git.git/{FETCH}",
    f"/git/forge/team/shop/{FETCH}",
    f"/git/FORGE/team/shop.git/{FETCH}",
    f"/git/forge@evil.example/team/shop.git/{FETCH}",
    f"/git/forge/team/shop.git/../../other/shop.git/{FETCH}",
    f"/%67it/forge/team/shop.git%2F..%2F..%2Fother%2Fshop.git/{FETCH}",
    f"/git/forge/team/sh\xc3\xb6p.git/{FETCH}",
    f"http://evil.example{OWN}/{FETCH}",
    f"{OWN}/{FETCH}%00",
    f"{OWN}/{FETCH}&service=git-receive-pack",
    f"{OWN}/info/refs?service=git-upload-archive",
    f"{OWN}/info/refs?x=1&service=git-upload-pack",
    f"{OWN}/info/refs",
    f"{OWN}/info/refs/?service=git-upload-pack",
    f"{OWN}/HEAD",
    f"{OWN}/config",
    f"{OWN}/objects/info/packs",
    f"{OWN}/objects/pack/pack-0.pack",
    f"{OWN}/info/lfs/objects/batch",
    f"{OWN}/git-upload-archive",
    f"{OWN}/git-upload-pack",
    "/git/forge/api/v1/repos/team/shop/issues/7",
    "/git/forge/user/settings.git",
    "/git",
]


def get(target: str, *lines: str) -> bytes:
    """Return a whole request of one line, and the lines given."""
    head = [f"GET {target} HTTP/1.1", "Host: x", "Connection: close", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1")


def post(service: str, *lines: str, body: bytes = b"0000") -> bytes:
    """Return a whole request with a body."""
    kind = f"Content-Type: application/x-{service}-request"
    head = [f"POST {OWN}/{service} HTTP/1.1", "Host: x", "Connection: close", kind]
    return "\r\n".join([*head, *lines, "", ""]).encode() + body


def statuses(answer: bytes) -> list[int]:
    """Return the status of each answer on a connection."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


async def test_a_path_that_is_not_git_s_own_reaches_nothing(
    short_path: Path, forge: Forge
) -> None:
    for name in ("team/shop", "other/shop"):
        forge.new_repository(name)
    settings = forge.settings(repositories=["team/*"])
    async with through_gateway(short_path, {"forge": settings}) as reached:
        for path in PATHS:
            answer = await reached.exchange(get(path))

            assert len(statuses(answer)) == 1, path
            assert 400 <= statuses(answer)[0] < 500, path
            assert TOKEN.encode() not in answer
        good = await reached.exchange(get(f"{OWN}/{FETCH}"))
        log = reached.stack.log("gateway")

    assert statuses(good) == [200]
    assert [one["path"] for one in forge.requests()] == [f"/team/shop.git/{FETCH}"]
    assert TOKEN not in log and "Traceback" not in log


SMUGGLED = [
    "Authorization: Basic ZXZpbDpldmls",
    "Authorization: Bearer of-the-agent",
    "Cookie: session=1",
    "X-Forwarded-For: 10.0.0.1",
    "X-Forwarded-Host: evil.example",
    "X-Http-Method-Override: DELETE",
    "Sudo: admin",
    "X-Gitea-OTP: 1",
    "Proxy-Authorization: Basic ZXZpbA==",
    "Forwarded: for=127.0.0.1",
    "Git-Protocol: version=2 evil",
    "User-Agent: curl/8",
    "Referer: http://evil.example/",
    "Range: bytes=0-1",
    "If-None-Match: *",
    "Upgrade: h2c",
]


async def test_no_header_of_an_agent_s_own_reaches_the_forge(
    short_path: Path, forge: Forge
) -> None:
    forge.new_repository()
    async with through_gateway(short_path, {"forge": forge.settings()}) as reached:
        answer = await reached.exchange(get(f"{OWN}/{FETCH}", *SMUGGLED))

    assert statuses(answer) == [200]
    (request,) = forge.requests()
    assert request["authorized"]
    assert set(request["headers"]) <= {"accept", "authorization", "host"}


BODIES = [
    (400, post("git-receive-pack", "Content-Length: 4", "Transfer-Encoding: chunked")),
    (400, post("git-receive-pack", "Content-Length: 4", "Content-Length: 5")),
    (413, post("git-receive-pack", "Content-Length: 3000000000")),
    (413, post("git-upload-pack", "Content-Length: 70000000")),
    (415, post("git-upload-pack", "Content-Length: 4", "Content-Encoding: br")),
    (
        415,
        post(
            "git-upload-pack",
            "Content-Length: 4",
            "Content-Encoding: gzip",
            "Content-Encoding: gzip",
        ),
    ),
    (415, post("git-upload-pack", "Content-Length: 4", "Content-Type: text/html")),
    (413, get(f"{OWN}/{FETCH}", "Content-Length: 4") + b"0000"),
    (405, get(f"{OWN}/git-receive-pack")),
    (405, get(f"{OWN}/{FETCH}").replace(b"GET", b"DELETE")),
    (400, post("git-upload-pack?x=1", "Content-Length: 4")),
]


async def test_a_body_that_could_be_two_things_is_refused(
    short_path: Path, forge: Forge
) -> None:
    forge.new_repository()
    async with through_gateway(short_path, {"forge": forge.settings()}) as reached:
        for status, request in BODIES:
            answer = await reached.exchange(request)
            assert statuses(answer) == [status], request

    assert forge.requests() == []


async def test_transfers_of_one_agent_are_bounded_and_hold_up_no_other(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository()
    forge.break_with({"path": "/team/", "delay_seconds": 20})
    forge.new_repository("other/shop")
    forges = {"forge": forge.settings()}
    async with through_gateway(short_path, forges, "main", "mail") as reached:
        path = reached.stack.sockets_directory / "main" / "gateway.sock"
        held = []
        for _unused in range(MAX_TRANSFERS_PER_AGENT):
            held.append(await asyncio.open_unix_connection(path))
            held[-1][1].write(get(f"{OWN}/{FETCH}"))
        while len(forge.requests("/team/")) < MAX_TRANSFERS_PER_AGENT:
            await asyncio.sleep(0.02)

        more = await reached.exchange(get(f"{OWN}/{FETCH}"))
        await reached.git(tmp_path, "ls-remote", reached.url("other/shop", "mail"))
        for _reader, writer in held:
            writer.transport.abort()
        forge.break_with()
        while statuses(await reached.exchange(get(f"{OWN}/{FETCH}"))) != [200]:
            await asyncio.sleep(0.02)

    assert statuses(more) == [429]


async def test_a_large_pack_passes_in_pieces_also_to_who_does_not_read_it(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository()
    forges = {"forge": forge.settings()}
    async with through_gateway(short_path, forges) as reached:
        tree = tmp_path / "tree"
        await reached.git(tmp_path, "clone", reached.url("team/shop"), "tree")
        await reached.git(tree, "config", "core.compression", "0")
        (tree / "noise").write_bytes(os.urandom(30_000_000))
        await reached.git(tree, "add", "-A")
        await reached.git(tree, "commit", "-m", "Noise")
        before = resident(reached)
        await most_during(reached, tree, before, "push", "origin", "HEAD:main")
        stalled = await ask_and_never_read(reached, forge)
        words = ("clone", reached.url("team/shop"), "other")
        most = await most_during(reached, tmp_path, before, *words)
        stalled.transport.abort()

    assert most - before < 20 * 1024 * 1024
    assert (tmp_path / "other" / "noise").stat().st_size == 30_000_000


async def ask_and_never_read(reached: Reached, forge: Forge) -> asyncio.StreamWriter:
    """Ask for the whole repository, and take nothing of it."""
    path = reached.stack.sockets_directory / "main" / "gateway.sock"
    _reader, writer = await asyncio.open_unix_connection(path, limit=1024)
    want = f"want {forge.head('team/shop')}\n".encode()
    body = b"%04x%b00000009done\n" % (len(want) + 4, want)
    writer.write(post("git-upload-pack", f"Content-Length: {len(body)}", body=body))
    await writer.drain()
    return writer


async def most_during(reached: Reached, directory: Path, most: int, *words: str) -> int:
    """Run git; return the gateway's most resident bytes meanwhile."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reached.git(directory, *words))
        while not task.done():
            most = max(most, resident(reached))
            await asyncio.sleep(0.02)
    return most


def resident(reached: Reached) -> int:
    """Return the gateway's resident bytes."""
    assert reached.stack.gateway is not None
    status = Path(f"/proc/{reached.stack.gateway.pid}/statm").read_text().split()
    return int(status[1]) * os.sysconf("SC_PAGESIZE")


async def test_the_token_is_in_no_process_s_words_or_environment(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository()
    forge.break_with({"path": "info/refs", "delay_seconds": 1})
    async with (
        through_gateway(short_path, {"forge": forge.settings()}) as reached,
        asyncio.TaskGroup() as group,
    ):
        words = ("ls-remote", reached.url("team/shop"))
        asking = group.create_task(reached.git(tmp_path, *words))
        while not forge.requests("info/refs"):
            await asyncio.sleep(0.02)
        seen = [
            place.read_bytes()
            for process in Path("/proc").glob("[0-9]*")
            for place in (process / "cmdline", process / "environ")
            if _is_readable(place)
        ]
        await asking

    assert any(b"ls-remote" in one for one in seen)
    assert not any(TOKEN.encode() in one for one in seen)


def _is_readable(place: Path) -> bool:
    try:
        return bool(place.read_bytes())
    except OSError:
        return False
