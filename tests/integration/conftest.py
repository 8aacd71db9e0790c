# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One deployment of two agents for all tests here, and what is planted in it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest
from running import Deployment, docker, free_port
from upstream import Upstream, serving

AGENTS = [{"name": "first", "uid": 20101}, {"name": "second", "uid": 20102}]


@pytest.fixture(scope="session", autouse=True)
def _inventory(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("inventory") / "hosts.json"
    os.environ["AGENTKEEP_TEST_INVENTORY"] = str(path)


@pytest.fixture(scope="session")
def upstream() -> Upstream:
    """The model API that the gateway talks to, with a key of its own."""
    return Upstream(key=f"sk-ant-canary-{secrets.token_hex(16)}")


@pytest.fixture(scope="session")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, upstream: Upstream
) -> Iterator[Deployment]:
    """A running deployment of two agents, whose gateway holds a key."""
    bridge = docker(
        *("network", "inspect", "bridge"),
        "--format={{range .IPAM.Config}}{{.Gateway}}{{end}}",
    )
    with serving(upstream, bridge, free_port()) as address:
        one = Deployment(
            name="integration",
            data_root=tmp_path_factory.mktemp("state"),
            port=free_port(),
            variables={
                "deployment_agents": AGENTS,
                "deployment_anthropic_api_key": upstream.key,
                "deployment_upstream_url": address,
            },
        )
        try:
            outcome = one.deploy()
            assert outcome.status == 0, outcome.output
            yield one
        finally:
            one.destroy()
