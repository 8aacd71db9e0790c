# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a service may declare, and how it is told what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    service as services,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)

Service = services.Service


def read(**more: Any) -> Any:
    """Return a service of our own with some values."""
    return Service.from_params("control", {"image": "one:1", **more})


def test_a_service_is_hardened_unless_it_says_otherwise() -> None:
    """D04, D25: restart, walls and log limits have safe defaults."""
    found = read()

    assert found.restart == "unless-stopped"
    assert (found.read_only, found.capabilities, found.no_new_privileges) == (
        True,
        (),
        True,
    )
    assert (found.log_bytes, found.log_files) == (10_000_000, 3)
    assert found.networks == ()


def test_a_service_of_another_program_declares_nothing_by_itself() -> None:
    found = Service.from_params("agent", {"find": {"name": "agent-*"}}, managed=False)

    assert (found.restart, found.read_only, found.networks) == (None, None, None)


ACCEPTED = [
    ("restart", "no", "no"),  # D04
    ("restart", False, "no"),
    ("restart", "always", "always"),
    ("restart", "on-failure", "on-failure"),
    ("restart", "on-failure:5", "on-failure:5"),
    ("image", "agentkeep/agentd:0.1.0", "agentkeep/agentd:0.1.0"),  # D21
    ("image", "one@sha256:" + "a" * 64, "one@sha256:" + "a" * 64),
    ("memory_bytes", "100000000", 100_000_000),
    ("memory_bytes", 0, None),
    ("cpus", "1.5", 1.5),
    ("cpus", 0, None),
    ("capabilities", ["cap_chown", "KILL"], ("CHOWN", "KILL")),
    ("command", ["serve", 8080], ("serve", "8080")),
    ("environment", {"PORT": 9000, "X": "a=b#c"}, {"PORT": "9000", "X": "a=b#c"}),
]


@pytest.mark.parametrize(("key", "value", "expected"), ACCEPTED)
def test_a_value_is_read(key: str, value: Any, expected: Any) -> None:
    assert getattr(read(**{key: value}), key) == expected


REFUSED = [
    ({"immage": "x"}, 'the unknown key "immage"'),
    ({"image": ""}, "image is ''"),
    ({"image": "-x"}, "image is '-x'"),
    ({"image": "a b"}, "image is 'a b'"),
    ({"command": "serve"}, "command is 'serve'"),
    ({"command": []}, "command or entrypoint is empty"),
    ({"command": ["a\x00b"]}, "command holds a NUL"),  # D09
    ({"command": [True]}, "which is no text"),
    ({"environment": {"A": "x\ny"}}, 'environment "A" holds a line end'),  # D09
    ({"environment": {"A": "x\ry"}}, 'environment "A" holds a line end'),
    ({"environment": {"A": "x\x00"}}, "holds a line end or a NUL"),  # D09
    ({"environment": {"A": True}}, "of type bool"),
    ({"environment": {"A": 1.10}}, "of type float"),
    ({"environment": {"A-B": "x"}}, 'the name "A-B"'),
    ({"environment": {"": "x"}}, 'the name ""'),
    ({"environment": ["A=x"]}, "environment is no mapping"),
    ({"environment": {"A": "\ud800"}}, "not valid Unicode"),
    ({"secret_environment": {"A": "x"}}, "shown in the task's output"),  # D10
    ({"networks": ["A"]}, "networks"),
    ({"networks": ["a", "a"]}, 'holds "a" twice'),
    ({"networks": "a"}, "networks is 'a'"),
    ({"ports": [{"target": 1, "published": 2}]}, "has no network"),
    ({"networks": ["a"], "ports": [{"target": 1}]}, 'a port has no "published"'),
    (
        {"networks": ["a"], "ports": [{"target": 1, "published": 70000}]},
        "published is 70000",
    ),
    (
        {"networks": ["a"], "ports": [{"host": "x", "target": 1, "published": 1}]},
        "which is no address",
    ),
    (
        {"networks": ["a"], "ports": [{"target": 1, "published": 1, "mode": "x"}]},
        'the unknown key "mode"',
    ),
    ({"health": {}}, "no command or two"),
    ({"health": {"command": ["a"], "shell": "b"}}, "no command or two"),
    ({"health": {"command": []}}, "an empty command"),
    ({"health": {"shell": "x", "retries": 0}}, "retries is 0"),
    ({"health": {"shell": "x", "interval_seconds": -1}}, "interval_seconds is -1"),
    ({"restart": "sometimes"}, "restart is 'sometimes'"),
    ({"restart": "on-failure:0"}, "restart is 'on-failure:0'"),
    ({"restart": True}, "restart is True"),
    ({"stop_grace_seconds": "soon"}, "which is no whole number"),  # D16
    ({"read_only": "yes"}, "read_only is 'yes'"),
    ({"capabilities": ["net admin"]}, 'capabilities holds "net admin"'),
    ({"memory_bytes": 1000}, "memory_bytes is 1000"),
    ({"cpus": "many"}, "cpus is 'many'"),
    ({"cpus": float("nan")}, "cpus is nan"),
    ({"max_tasks": -1}, "max_tasks is -1"),
    ({"temporary": [{"target": "tmp"}]}, "is not absolute"),
    ({"temporary": [{"target": "/a"}, {"target": "/a"}]}, "two temporary directories"),
    ({"temporary": [{"target": "/a", "mode": "x"}]}, 'the mode "x"'),
    ({"working_directory": "a"}, "is not absolute"),
    ({"config_directory": "/a/../b"}, 'holds ".."'),
    ({"needs": ["Redis"]}, "needs"),
    ({"stop_order": -1}, "stop_order is -1"),
    ({"find": {"name": "x"}}, "it has find"),
    ({"mount_options": ["exec"]}, 'mount_options holds "exec"'),
]


@pytest.mark.parametrize(("more", "why"), REFUSED)
def test_a_value_that_cannot_be_used_is_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(**more)

    assert 'Cannot use service "control"' in str(caught.value)
    assert why in str(caught.value)


def test_the_value_of_a_variable_is_in_no_error() -> None:
    """D10: what is refused may be a secret."""
    with pytest.raises(InvalidInput) as caught:
        read(environment={"TOKEN": "canary\n"})

    assert "canary" not in str(caught.value)


def test_a_service_of_ours_needs_an_image() -> None:
    with pytest.raises(InvalidInput, match='it has no "image"'):
        Service.from_params("control", {})
