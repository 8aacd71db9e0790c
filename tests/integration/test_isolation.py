# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An agent with all permissions searches its container through the real CLI."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running import Deployment, docker
from upstream import Upstream

SCRIPT = Path(__file__).parent / "search_from_inside.py"
READ_ONLY = [
    *("/", "/etc", "/etc/agentd", "/usr/local/bin", "/opt/agentd"),
    *("/data/definitions", "/run/agentd/control", "/run/agentd/gateway"),
]
PUBLIC_ADDRESSES = ["1.1.1.1:443", "169.254.169.254:80"]
NOT_THE_MODEL = [
    *("/", "/metrics", "/v1/models", "/v1/files", "/v1/organizations"),
    *("/status", "/sessions", "/sessions?agent=second", "/api/oauth/token"),
    "/credentials",
]
# What control and gateway have mounted, and ways that once led out of a mount.
ESCAPES = [
    *("/run/agentd/status/status.sock", "/run/agentd/status", "/run/agentd/sockets"),
    *("/run/agentd/control/../../second/control.sock", "/data/usage", "/data/database"),
    *("/run/agentd/gateway/../second/gateway.sock", "/etc/agentd/api_token"),
    *(
        "/etc/agentd/anthropic_api_key",
        "/proc/1/root/data/database",
        "/data/credentials",
    ),
]


@dataclass(frozen=True)
class Search:
    """What the first agent found, and what there was to find."""

    canaries: Mapping[str, str]
    report: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def found(self, name: str) -> list[str]:
        """Return where a canary was found."""
        number = list(self.canaries).index(name)
        search = self.report["search"]
        inside = [path for path, hits in search["hits"].items() if number in hits]
        return inside + (["environment"] if number in search["environment"] else [])


def addresses_of(deployment: Deployment) -> list[str]:
    """Return every address at which control, the gateway or this host could answer."""
    found = ["127.0.0.1:8080", f"127.0.0.1:{deployment.port}"]
    for component in ("control", "gateway"):
        networks = deployment.container(component)["NetworkSettings"]["Networks"]
        for network in networks.values():
            found.append(f"{network['IPAddress']}:8080")
            found.append(f"{network['Gateway']}:{deployment.port}")
    return found + PUBLIC_ADDRESSES


def ask_as_control(deployment: Deployment, path: str) -> Any:
    """Return what the gateway answers on the socket that is control's."""
    place = deployment.directory / "shared/gateway-status/status.sock"
    with socket.socket(socket.AF_UNIX) as dialer:
        dialer.settimeout(10)
        dialer.connect(str(place))
        dialer.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        answer = b"".join(iter(lambda: dialer.recv(65_536), b""))
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def figures(deployment: Deployment) -> dict[str, Any]:
    """Return what the gateway knows of both agents and their sessions."""
    status = ask_as_control(deployment, "/status")
    sessions = {
        agent: {
            one["session_id"]: one["usage"]
            for one in ask_as_control(deployment, f"/sessions?agent={agent}")[
                "sessions"
            ]
        }
        for agent in ("first", "second")
    }
    return {"agents": status["agents"], "sessions": sessions, "status": status}


def give_to_agent(path: Path, content: str) -> None:
    """Write a file that belongs to whom its directory belongs."""
    owner = path.parent.stat()
    path.write_text(content)
    os.chown(path, owner.st_uid, owner.st_gid)


@pytest.fixture(scope="module")
def search(deployment: Deployment, upstream: Upstream) -> Search:
    """The first agent's search for what is not its own."""
    canaries = {
        "own file": f"own-{secrets.token_hex(12)}",
        "model key": upstream.key,
        "api token": deployment.token,
        "other agent's file": f"other-{secrets.token_hex(12)}",
        "other agent's conversation": f"said-{secrets.token_hex(12)}",
    }
    agents = deployment.directory / "agents"
    give_to_agent(agents / "first/memory/own.txt", canaries["own file"])
    give_to_agent(agents / "second/memory/other.txt", canaries["other agent's file"])
    word = canaries["other agent's conversation"]
    said = deployment.say(f"Remember the word {word}.", agent="second")
    canaries["other agent's session"] = said["session_id"]
    task = {
        "reversed": [canary[::-1] for canary in canaries.values()],
        "addresses": addresses_of(deployment),
        "read_only": READ_ONLY,
        "not_the_model": NOT_THE_MODEL,
        "escapes": ESCAPES,
        "other": "second",
        "other_session": said["session_id"][::-1],
    }
    give_to_agent(agents / "first/memory/task.json", json.dumps(task))
    give_to_agent(agents / "first/memory/search.py", SCRIPT.read_text())

    before = figures(deployment)
    command = json.dumps({"command": "python3 /data/memory/search.py"})
    answer = deployment.say(f"tool Bash {command}", agent="first")

    match = re.search(r"REPORT(.*)END", answer["result"], re.DOTALL)
    assert match, answer["result"]
    return Search(canaries, json.loads(match[1]), before, figures(deployment))


def test_the_search_finds_what_is_the_agents_own(search: Search) -> None:
    assert search.found("own file") == ["/data/memory/own.txt"]
    assert search.report["search"]["files"] > 1000


@pytest.mark.parametrize(
    "canary",
    [
        *("model key", "api token", "other agent's file"),
        *("other agent's conversation", "other agent's session"),
    ],
)
def test_an_agent_finds_nothing_that_is_not_its_own(
    search: Search, canary: str
) -> None:
    """J14: environment, processes and every readable file hold no secret of others."""
    assert search.found(canary) == []


def test_what_was_planted_is_really_there(
    search: Search, deployment: Deployment, upstream: Upstream
) -> None:
    word = search.canaries["other agent's conversation"]
    database = deployment.directory / "shared/database"

    held = b"".join(path.read_bytes() for path in database.iterdir())

    assert word.encode() in held
    assert (
        upstream.key
        == (deployment.directory / "shared/secrets/anthropic_api_key").read_text()
    )
    assert upstream.accepted
    assert upstream.refused == []


def test_an_agent_reaches_no_network(search: Search) -> None:
    report = search.report

    assert report["interfaces"] == ["lo"]
    assert report["routes"] == []
    assert set(report["connections"].values()) <= {"ENETUNREACH", "ECONNREFUSED"}
    assert len(report["connections"]) >= 6


def test_an_agent_sees_its_own_two_sockets_and_cannot_replace_them(
    search: Search,
) -> None:
    sockets = [one for one in search.report["sockets"] if not one.startswith("/tmp/")]

    assert sockets == [
        "/run/agentd/control/control.sock",
        "/run/agentd/gateway/gateway.sock",
    ]
    assert set(search.report["unlink"].values()) == {"EROFS"}


def test_an_agent_reaches_no_socket_of_control_or_of_another_agent(
    search: Search,
) -> None:
    """J14: the status socket and the sockets of others are in no mount of its own."""
    ways = search.report["escapes"]
    names = search.report["unix_sockets"]

    assert set(ways.values()) <= {"ENOENT", "EACCES", "EPERM"}, ways
    assert len(ways) == len(ESCAPES)
    assert not any("status.sock" in name or "second" in name for name in names)


def test_an_agent_writes_nowhere_but_in_its_state(search: Search) -> None:
    """D18: what is mounted read-only refuses to be written."""
    assert search.report["writes"] == dict.fromkeys(READ_ONLY, "EROFS")


def test_an_agent_has_no_capability_and_gains_none(search: Search) -> None:
    status = search.report["status"]

    assert status["Uid"].split() == ["20101"] * 4
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_an_agents_gateway_passes_model_requests_only(search: Search) -> None:
    assert set(search.report["gateway"].values()) <= {403, 404, 405}


def test_an_agent_cannot_speak_as_another_one(search: Search) -> None:
    """J14: headers, hints and words change nothing; its own socket says who it is."""
    session = search.canaries["other agent's session"]

    assert set(search.report["as_other"].values()) == {200}
    used = search.after["agents"]["first"]["usage"]["input_tokens"]
    assert used >= search.before["agents"]["first"]["usage"]["input_tokens"] + 5 * 77
    assert search.after["agents"]["second"] == search.before["agents"]["second"]
    assert search.after["sessions"]["second"] == search.before["sessions"]["second"]
    assert search.after["sessions"]["first"][session]["input_tokens"] == 77


def test_control_is_told_of_every_agent_and_of_no_key(
    search: Search, upstream: Upstream
) -> None:
    assert set(search.after["agents"]) == {"first", "second"}
    assert search.after["status"]["status"] == "ok"
    assert upstream.key not in json.dumps(search.after)


def test_no_secret_is_told_to_the_engine(
    search: Search, deployment: Deployment
) -> None:
    """D10: compose file, environment, labels and logs hold neither key nor token."""
    told = [(deployment.directory / "compose.yml").read_text()]
    for name in deployment.containers():
        told += [docker("inspect", name), docker("logs", name)]

    assert not any(search.canaries["model key"] in text for text in told)
    assert not any(search.canaries["api token"] in text for text in told)
