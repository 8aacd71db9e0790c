# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The compose file and the arguments of docker run, from one value."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    compose,
    container,
    run_arguments,
)

Container = container.Container


def loaded(one: Container) -> dict[str, Any]:
    """Return the one service of the compose file, as YAML reads it."""
    found = yaml.safe_load(compose.compose_text([one], "agentkeep-demo"))
    service: dict[str, Any] = found["services"][one.service]
    return service


def reverse(value: Any) -> Any:
    """Return a value with every mapping in the opposite order."""
    if isinstance(value, dict):
        return {key: reverse(one) for key, one in reversed(value.items())}
    return [reverse(one) for one in value] if isinstance(value, list) else value


def test_equal_input_gives_equal_bytes(declared_params: Any, declared: Any) -> None:
    """D02: the order of mappings does not matter."""
    declared_params["agents"].append(
        {"name": "mail", "uid": 20102, "service": {"ports": []}}
    )

    one = compose.compose_text(declared(declared_params), "agentkeep-demo")
    other = compose.compose_text(declared(reverse(declared_params)), "agentkeep-demo")

    assert one == other


def test_the_file_names_everything_and_no_secret(one: Container) -> None:
    """D03, D10: names are full, a secret is only named."""
    text = compose.compose_text([one], "agentkeep-demo")
    found = yaml.safe_load(text)

    assert found["name"] == "agentkeep-demo"
    assert "version" not in found
    assert found["networks"]["agentkeep-demo-front"] == {
        "external": True,
        "name": "agentkeep-demo-front",
    }
    assert list(found["volumes"]) == ["agentkeep-demo-main-queue"]
    assert found["services"]["agent-main"]["environment"]["API_TOKEN"] is None
    assert "canary" not in text


def test_no_directory_is_made_by_the_engine(one: Container) -> None:
    """A06: a missing source is an error, never a directory of root."""
    binds = [mount for mount in loaded(one)["volumes"] if mount["type"] == "bind"]

    assert binds
    assert all(mount["bind"]["create_host_path"] is False for mount in binds)


VALUES = ["$", "$$", "${X}", '"', "'", "\\", "#", "a: b", "- x", "no", "1", " ", "ü🐙"]


@pytest.mark.parametrize("value", [*VALUES, "\u2028", "\x7f", "\ufeff", "\x85", ""])
def test_a_value_is_written_so_that_compose_reads_it(
    value: str, one: Container
) -> None:
    """D09: a dollar is doubled, all else is quoted."""
    service = loaded(replace(one, environment={"A": value}, command=(value,)))

    assert service["environment"]["A"] == value.replace("$", "$$")
    assert service["command"] == [value.replace("$", "$$")]


def test_a_container_without_network_has_none(one: Container) -> None:
    alone = replace(one, networks=(), ports=())

    assert loaded(alone)["network_mode"] == "none"
    assert "networks" not in loaded(alone)
    assert "--network none" in " ".join(run_arguments.run_arguments(alone))


def test_grace_and_health_are_written(one: Container) -> None:
    """D05, D07, D25: health check, time to end, and log limits."""
    service = loaded(one)

    assert service["stop_grace_period"] == "33s"
    assert service["healthcheck"] == {
        "test": ["CMD", "test", "-d", "/data/memory"],
        "interval": "7000ms",
        "timeout": "3000ms",
        "retries": 5,
        "start_period": "20000ms",
        "start_interval": "500ms",
    }
    assert service["logging"]["options"] == {"max-size": "10000000", "max-file": "3"}


def test_both_ways_mount_the_same(one: Container) -> None:
    """B01: compose file and docker run have the mounts of the list, in its order."""
    arguments = run_arguments.run_arguments(one)
    by_docker = [
        after for flag, after in itertools.pairwise(arguments) if flag == "--mount"
    ]

    by_compose = [
        f"type={mount['type']},source={mount['source']},target={mount['target']}"
        + (",volume-nocopy" if mount.get("volume") == {"nocopy": True} else "")
        + (",readonly" if mount["read_only"] else "")
        for mount in loaded(one)["volumes"]
    ]

    assert by_docker == by_compose
    assert [mount.target for mount in one.mounts] == [
        mount["target"] for mount in loaded(one)["volumes"]
    ]


def test_a_secret_is_no_argument(one: Container) -> None:
    """D10: every user of the host can see arguments."""
    arguments = run_arguments.run_arguments(one)

    assert "canary" not in " ".join(arguments)
    assert arguments[arguments.index("API_TOKEN") - 1] == "--env"


def test_an_entrypoint_of_several_words_is_the_same_process(one: Container) -> None:
    arguments = run_arguments.run_arguments(
        replace(one, entrypoint=("sh", "-c"), command=("true",))
    )

    assert arguments[-3:] == ["agentkeep/base:trixie", "-c", "true"]
    assert arguments[-5:-3] == ["--entrypoint", "sh"]


def test_a_source_with_a_comma_is_one_field(one: Container) -> None:
    odd = replace(one.mounts[0], source='/srv/a,b"c')

    arguments = run_arguments.run_arguments(replace(one, mounts=(odd,)))

    assert any('"source=/srv/a,b""c"' in argument for argument in arguments)
