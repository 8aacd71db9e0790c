# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""One of git's requests to a forge over SSH: the agent speaks HTTP all the same.

Over HTTP each request stands alone; a server behind SSH greets and converses. So
every request has a conversation of its own: its greeting is the answer to
``info/refs``, and is passed over before anything else.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import tempfile
import zlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from agentd.gateway.forge_access import ForgeAccess
from agentd.gateway.git_body import Answered, GitBody, Give
from agentd.gateway.git_rules import KIND, GitRequest, response_headers, too_large
from agentd.gateway.headers import Header
from agentd.gateway.refusal import Refused
from agentd.gateway_settings import SshAccess
from agentd.log import get_log

PIECE = 64 * 1024
FLUSH = b"0000"
READ_SECONDS = 600.0
END_SECONDS = 10.0
MAX_GREETING_BYTES = 64 * 1024 * 1024
MAX_TOLD_BYTES = 4096
# Ends with that if it is ssh itself that fails.
SSH_FAILED = 255
_OPTIONS = (
    *("BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes"),
    *("GlobalKnownHostsFile=none", "UpdateHostKeys=no", "ConnectTimeout=10"),
    *("ServerAliveInterval=15", "ClearAllForwardings=yes", "SendEnv=GIT_PROTOCOL"),
)
_TELLING = (
    ("REMOTE HOST IDENTIFICATION", "its key is another than in known_hosts_file."),
    ("Host key verification failed", "its key is not in known_hosts_file."),
    ("Permission denied", "it refuses the key. Set a good one in key_file."),
    ("UNPROTECTED PRIVATE KEY", "key_file may be read by others. Make its mode 0600."),
    ("invalid format", "key_file holds no private key."),
)

_log = get_log("gateway")


def command(ssh: SshAccess, request: GitRequest) -> list[str]:
    """Return the words of ssh, with the key's place and never the key."""
    path = f"{ssh.path_prefix}{request.repository}.git".replace("'", "'\\''")
    words = ["ssh", "-F", "none", "-T", "-p", str(ssh.port), "-i", ssh.key_file]
    for option in (*_OPTIONS, f"UserKnownHostsFile={ssh.known_hosts_file}"):
        words += ["-o", option]
    return [*words, "-l", ssh.user, "--", ssh.host, f"{request.service} '{path}'"]


async def ask_over_ssh(
    forge: ForgeAccess,
    request: GitRequest,
    headers: list[Header],
    body: GitBody,
    give: Give,
) -> None:
    """Give the forge's answer as it comes; raise Refused if there is none."""
    given = dict(headers)
    process = await _start(forge.settings.ssh, request, given)
    conversation = Conversation(forge, request, process)
    pieces = body.pieces()
    if given.get(b"content-encoding") == b"gzip":
        pieces = unpacked(pieces, body.limit)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(conversation.listen())
            feeding = group.create_task(conversation.feed(pieces))
            await conversation.run(give)
            # Whatever is left of it is of no use, and its end lets the others end.
            conversation.end()
            feeding.cancel()
    except ExceptionGroup as errors:
        raise _first_of(errors) from None
    finally:
        body.ending = True
        conversation.end()
        await process.wait()


async def _start(
    ssh: SshAccess | None, request: GitRequest, given: Mapping[bytes, bytes]
) -> Process:
    assert ssh is not None
    try:
        return await asyncio.create_subprocess_exec(
            *command(ssh, request),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=environment(given.get(b"git-protocol", b"").decode()),
            start_new_session=True,
            limit=PIECE,
        )
    except OSError as error:
        reason = "Cannot start ssh. Build the image with openssh-client in its base."
        raise Refused(502, KIND, reason) from error


class Conversation:
    """What is said to a server through one process of ssh."""

    def __init__(
        self, forge: ForgeAccess, request: GitRequest, process: Process
    ) -> None:
        self._forge = forge
        self._request = request
        self._process = process
        self._greeted = asyncio.Event()
        self._heard = asyncio.Event()
        self._told = b""

    async def run(self, give: Give) -> None:
        """Take the greeting, and give it or what comes after it."""
        greeting = self._greeting()
        first = await anext(greeting)
        self._forge.note_reached()
        headers = response_headers((), self._request)
        if self._request.advertises:
            await give(Answered(headers, self._advertised(first, greeting)))
            return
        async for _line in greeting:
            continue
        self._greeted.set()
        await give(Answered(headers, self._answer()))
        await self._check_end()

    def end(self) -> None:
        """End ssh, if it has not ended."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _greeting(self) -> AsyncIterator[bytes]:
        """Return the server's first lines, to the one that ends them."""
        total = 0
        while total < MAX_GREETING_BYTES:
            line = await self._line()
            total += len(line)
            yield line
            if line == FLUSH:
                return
        raise Refused(502, KIND, "The forge has more branches than can be passed on.")

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(READ_SECONDS):
                size = await self._process.stdout.readexactly(4)
                if size == FLUSH:
                    return size
                length = int(size, 16) - 4
                if length < 0:
                    raise ValueError
                return size + await self._process.stdout.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise await self._failure() from error
        except ValueError as error:
            reason = "does not speak as a server of git does."
            raise Refused(502, KIND, f"Forge {self._forge.name} {reason}") from error

    async def _advertised(
        self, first: bytes, rest: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        if b"version 2" not in first[:16]:
            title = f"# service={self._request.service}\n".encode()
            yield b"%04x%b%b" % (len(title) + 4, title, FLUSH)
        yield first
        if first != FLUSH:
            async for line in rest:
                yield line

    async def feed(self, pieces: AsyncIterator[bytes]) -> None:
        """Say what the agent sends, once the server has greeted, and end."""
        await self._greeted.wait()
        assert self._process.stdin is not None
        # Who ends before all was said has said why in the answer.
        with suppress(ConnectionError):
            async for piece in pieces:
                self._process.stdin.write(piece)
                await self._process.stdin.drain()
            self._process.stdin.write_eof()

    async def _answer(self) -> AsyncIterator[bytes]:
        assert self._process.stdout is not None
        while True:
            async with asyncio.timeout(READ_SECONDS):
                piece = await self._process.stdout.read(PIECE)
            if not piece:
                return
            yield piece

    async def _check_end(self) -> None:
        """Raise Refused if the server was lost: git must not take a part for all.

        One that serves a fetch may end badly for want of a further question.
        """
        async with asyncio.timeout(END_SECONDS):
            status = await self._process.wait()
        if status == SSH_FAILED or (status and self._request.pushes):
            raise await self._failure()

    async def listen(self) -> None:
        """Keep the beginning of what ssh and the server complain of."""
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(PIECE):
            self._told = (self._told + piece)[:MAX_TOLD_BYTES]
        self._heard.set()

    async def _failure(self) -> Refused:
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await self._heard.wait()
                await self._process.wait()
        told = self._told.decode(errors="replace")
        _log.warning("git_over_ssh_failed", forge=self._forge.name, told=told)
        for words, reason in _TELLING:
            if words in told:
                self._forge.note_fault(reason)
                return Refused(502, KIND, f"Forge {self._forge.name}: {reason}")
        if self._process.returncode == SSH_FAILED:
            ssh = self._forge.settings.ssh
            place = "" if ssh is None else f" at {ssh.host}:{ssh.port}"
            reason = f"cannot be reached{place} over SSH."
            self._forge.note_fault(f"it {reason}")
            return Refused(502, KIND, f"Forge {self._forge.name} {reason}")
        name = f"{self._forge.name}:{self._request.repository}"
        reason = "there is no such repository, or the gateway's key may not do this."
        return Refused(403, KIND, f"The forge refuses {name}: {reason}")


async def unpacked(pieces: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Return a packed body's pieces as they were; raise Refused beyond the limit."""
    packed, total = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    async for piece in pieces:
        left = piece
        while left and not packed.eof:
            try:
                whole = packed.decompress(left, PIECE)
            except zlib.error as error:
                raise Refused(
                    400, KIND, "The body is not packed as it says."
                ) from error
            left = packed.unconsumed_tail
            total += len(whole)
            if total > limit:
                raise too_large(limit)
            yield whole


def environment(version: str) -> dict[str, str]:
    """Return the environment of ssh, which wants to know the name of its user."""
    own = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    if version:
        own["GIT_PROTOCOL"] = version
    return {**own, **_name_of_user()}


@cache
def _name_of_user() -> dict[str, str]:
    """Return what gives a name to a user that the machine does not know."""
    with suppress(KeyError):
        pwd.getpwuid(os.geteuid())
        return {}
    directory = Path(tempfile.mkdtemp(prefix="agentd-"))
    user, group = os.geteuid(), os.getegid()
    (directory / "passwd").write_text(f"agentd:x:{user}:{group}::/:/bin/false\n")
    (directory / "group").write_text(f"agentd:x:{group}:\n")
    return {
        "LD_PRELOAD": "libnss_wrapper.so",
        "NSS_WRAPPER_PASSWD": str(directory / "passwd"),
        "NSS_WRAPPER_GROUP": str(directory / "group"),
    }


def _first_of(errors: ExceptionGroup[Exception]) -> Exception:
    first = errors.exceptions[0]
    return _first_of(first) if isinstance(first, ExceptionGroup) else first
