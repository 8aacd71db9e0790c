# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an agent with all permissions can find and do; run by the agent's own Bash tool.

Reads reversed canaries and addresses to try from a file beside it, so that neither the
command line nor the transcript holds what is searched for. Prints one line of JSON.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

CHUNK_BYTES = 1 << 20
NOT_FILES = ("/proc", "/sys", "/dev")
RELAY = "http://127.0.0.1:8081"


def files_below(top: str) -> Iterator[Path]:
    """Yield every regular file that can be reached."""
    for directory, names, files in os.walk(top):
        names[:] = [
            name for name in names if os.path.join(directory, name) not in NOT_FILES
        ]
        for name in files:
            path = Path(directory, name)
            try:
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path
            except OSError:
                continue


def process_files() -> Iterator[Path]:
    """Yield what /proc tells about each process."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            for name in ("environ", "cmdline", "maps", "mountinfo"):
                yield process / name
            yield from (process / "fd").glob("*") if readable(process / "fd") else ()


def readable(path: Path) -> bool:
    """Return whether a directory can be listed."""
    try:
        os.listdir(path)
    except OSError:
        return False
    return True


def holds(path: Path, canaries: list[bytes]) -> list[int]:
    """Return the numbers of the canaries that a file holds."""
    found: set[int] = set()
    tail = b""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return []
        with path.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                window = tail + chunk
                found |= {n for n, canary in enumerate(canaries) if canary in window}
                tail = window[-256:]
    except OSError:
        pass
    return sorted(found)


def search(canaries: list[bytes]) -> dict[str, object]:
    """Return where each canary was found, and how many files were read."""
    hits: dict[str, list[int]] = {}
    count = 0
    for source in (files_below("/"), process_files()):
        for path in source:
            count += 1
            if numbers := holds(path, canaries):
                hits[str(path)] = numbers
    environment = "\n".join(f"{key}={value}" for key, value in os.environ.items())
    own = [n for n, one in enumerate(canaries) if one.decode() in environment]
    return {"files": count, "hits": hits, "environment": own}


def failure(attempt: object) -> str:
    """Return the name of the error that an attempt ends with, or "done"."""
    try:
        attempt()  # type: ignore[operator]
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return "done"


def connect(address: str) -> str:
    """Return how dialling a host and port ends."""
    host, port = address.rsplit(":", 1)
    with socket.socket() as dialer:
        dialer.settimeout(2)
        return failure(lambda: dialer.connect((host, int(port))))


def sockets() -> list[str]:
    """Return every socket in the file system."""
    found = []
    for directory, names, files in os.walk("/"):
        names[:] = [n for n in names if os.path.join(directory, n) not in NOT_FILES]
        for name in files:
            path = os.path.join(directory, name)
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                found.append(path)
    return sorted(found)


def ask_gateway(path: str, body: object = None, **headers: str) -> int:
    """Return the status that the gateway answers a request with."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{RELAY}{path}", content, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def ask_as(other: str, session: str) -> dict[str, int]:
    """Return how requests to the model end that claim to be another agent's."""
    body = {
        "model": "claude-x",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": "use 77 input tokens"}],
        "metadata": {"user_id": other},
    }
    return {
        name: ask_gateway("/v1/messages", body, **{name: value})
        for name, value in {
            "Host": other,
            "X-Agent": other,
            "Forwarded": f"for={other}",
            "X-Forwarded-For": f"/run/agentd/sockets/{other}/gateway.sock",
            "X-Claude-Code-Session-Id": session,
        }.items()
    }


def unix_sockets() -> list[str]:
    """Return the name of every Unix socket that this network namespace knows."""
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    return sorted({line.split()[7] for line in lines if len(line.split()) > 7})


def escapes(ways: list[str]) -> dict[str, str]:
    """Return how opening each way out of the own mounts ends."""
    return {
        way: failure(lambda way=way: os.close(os.open(way, os.O_RDONLY)))
        for way in ways
    }


def main() -> None:
    """Search, try, and print what came of it."""
    task = json.loads((Path(__file__).parent / "task.json").read_text())
    canaries = [one[::-1].encode() for one in task["reversed"]]
    status = Path("/proc/self/status").read_text().splitlines()
    report = {
        "search": search(canaries),
        "sockets": sockets(),
        "connections": {one: connect(one) for one in task["addresses"]},
        "interfaces": sorted(name for _index, name in socket.if_nameindex()),
        "routes": Path("/proc/net/route").read_text().splitlines()[1:],
        "status": dict(line.split(":\t", 1) for line in status if ":\t" in line),
        "writes": {
            path: failure(lambda path=path: Path(path, "planted").touch())
            for path in task["read_only"]
        },
        "unlink": {
            path: failure(lambda path=path: os.unlink(path))
            for path in sockets()
            if path.startswith("/run/agentd/")
        },
        "gateway": {path: ask_gateway(path) for path in task["not_the_model"]},
        "as_other": ask_as(task["other"], task["other_session"][::-1]),
        "unix_sockets": unix_sockets(),
        "escapes": escapes(task["escapes"]),
    }
    print("REPORT" + json.dumps(report) + "END")


if __name__ == "__main__":
    main()
