# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Redis and PostgreSQL as the role deployment renders them, or leaves them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from role_documents import Documents, documents, preflight
from working_tree import ROOT

from agentd.settings import load_control_settings

GROWN: dict[str, Any] = {"deployment_redis": True, "deployment_postgres": True}
SECRET = "canary-2026"
EXTERNAL: dict[str, Any] = {
    **GROWN,
    "deployment_redis_url": f"redis+sentinel://:{SECRET}@a:26379,b:26379/primary",
    "deployment_database_url": f"postgresql://me:{SECRET}@there:5432/agents",
}
SETTINGS: dict[str, tuple[str, Any]] = {
    "deployment_host": ("host", "left"),
    "deployment_store_sessions": ("store_sessions", "always"),
    "deployment_time_zone": ("time_zone", "Europe/Berlin"),
    "deployment_max_running_tasks": ("max_running_tasks", 7),
    "deployment_max_running_tasks_per_agent": ("max_running_tasks_per_agent", 3),
    "deployment_max_queued_tasks": ("max_queued_tasks", 8),
    "deployment_task_timeout_seconds": ("task_timeout_seconds", 60),
    "deployment_task_max_attempts": ("task_max_attempts", 2),
    "deployment_task_log_retention": ("task_log_retention", 9),
    "deployment_task_retention_days": ("task_retention_days", 1.5),
    "deployment_worker_lost_seconds": ("worker_lost_seconds", 12),
    "deployment_output_ttl_seconds": ("output_ttl_seconds", 30),
    "deployment_upload_max_bytes": ("upload_max_bytes", 2048),
    "deployment_upload_max_files": ("upload_max_files", 4),
}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return what the role makes of a deployment with both servers of its own."""
    return documents(tmp_path_factory.mktemp("grown"), GROWN)


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return what it makes of servers elsewhere."""
    return documents(tmp_path_factory.mktemp("external"), EXTERNAL)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return what it makes of defaults."""
    return documents(tmp_path_factory.mktemp("alone"), {})


def services(made: Documents) -> dict[str, dict[str, Any]]:
    """Return the services by component."""
    found: dict[str, dict[str, Any]] = made.given["running"]["services"]
    return found


def entries(made: Documents) -> dict[str, dict[str, Any]]:
    """Return the entries of the inventory by name."""
    return {one["name"]: one for one in made.given["place"]["inventory"]}


def test_alone_there_is_no_server(alone: Documents) -> None:
    control = load_control_settings(alone.written("settings"))

    assert list(services(alone)) == ["control", "agent", "gateway"]
    assert services(alone)["control"]["networks"] == ["control"]
    assert services(alone)["control"]["needs"] == []
    assert not {"redis", "postgres"} & set(entries(alone))
    assert "database" in entries(alone)
    assert (control.database_url_file, control.redis_url_file) == (None, None)
    assert not {"redis_url", "database_url"} & {name for _entry, name in alone.files}


def test_control_waits_for_servers_that_nobody_else_reaches(grown: Documents) -> None:
    """D06, D08: healthy first, in a network with control alone, published nowhere."""
    found = services(grown)

    assert found["control"]["needs"] == ["redis", "postgres"]
    assert found["control"]["networks"] == ["control", "redis", "postgres"]
    for name in ("redis", "postgres"):
        members = [one for one in found if name in found[one]["networks"]]
        assert sorted(members) == ["control", name]
        assert found[name].get("ports", []) == []
        assert found[name]["health"]["start_period_seconds"] == 60
        assert found[name]["stop_order"] > found["gateway"]["stop_order"]


def test_servers_have_users_state_and_images_of_their_own(grown: Documents) -> None:
    """A04, A05: no uid of another component, and nothing that others may read."""
    place = grown.given["place"]
    found = entries(grown)

    uids = [int(one["uid"]) for one in place["components"].values()]
    assert sorted(uids) == [20001, 20002, 20003, 20004]
    assert (found["redis"]["kind"], found["redis"]["backup"]) == ("queue", "redis")
    assert found["postgres"]["kind"] == "database"
    assert found["postgres"]["backup"] == "postgres"
    servers = ("redis", "postgres", "redis-secrets", "postgres-secrets")
    assert {found[one]["mode"] for one in servers} == {"0700"}
    # D24: SQLite is neither laid out nor mounted, and what it holds stays.
    assert "database" not in found


def test_passwords_are_generated_and_pass_through_no_play(grown: Documents) -> None:
    """D10, D12: each is in a file of its server and in one of control, both 0600."""
    files = grown.files

    for server, name in (("redis", "redis_url"), ("postgres", "database_url")):
        password = files[f"{server}-secrets", "password"]
        address = files["settings", name]
        assert (password["policy"], password["mode"]) == ("generate", "0600")
        assert "content" not in password
        assert address["generated"] == f"{server}-secrets/password"
        assert (address["owner"], address["mode"]) == ("control", "0600")
        assert "{generated}@" in address["content"]
    assert grown.given["running"]["secret_environment"] == {}
    assert "{generated}" not in json.dumps(services(grown))


def test_redis_appends_what_it_takes_and_forgets_nothing(tmp_path: Path) -> None:
    """O05: the append-only file is on, and how durable it is can be chosen."""
    variables = {
        **GROWN,
        "deployment_redis_append_sync": "always",
        "deployment_redis_memory_bytes": 100_000_000,
    }

    made = documents(tmp_path, variables)

    written = made.files["redis-secrets", "redis.conf"]
    lines = written["content"].splitlines()
    assert "appendonly yes" in lines
    assert "appendfsync always" in lines
    assert "maxmemory 60000000" in lines
    assert "maxmemory-policy noeviction" in lines
    assert "requirepass {generated}" in lines
    assert (written["mode"], written["generated"]) == (
        "0600",
        "redis-secrets/password",
    )


def test_servers_elsewhere_leave_none_here(external: Documents) -> None:
    """D24: also where the switches of their own are on."""
    assert list(services(external)) == ["control", "agent", "gateway"]
    assert not {"redis", "postgres", "database"} & set(entries(external))
    assert services(external)["control"]["networks"] == ["control"]


def test_addresses_of_servers_elsewhere_are_in_their_files_alone(
    external: Documents,
) -> None:
    """D10: they may hold passwords."""
    holders = [
        place for place, one in external.files.items() if SECRET in json.dumps(one)
    ]
    running = {**external.given["running"], "files": 0}

    assert sorted(holders) == [("settings", "database_url"), ("settings", "redis_url")]
    assert {external.files[place]["mode"] for place in holders} == {"0600"}
    assert SECRET not in json.dumps({**external.given, "running": running})


def test_control_reads_the_addresses_where_they_are_written(
    grown: Documents, external: Documents
) -> None:
    for made in (grown, external):
        control = load_control_settings(made.written("settings"))

        (mount,) = entries(made)["settings"]["mounts"]
        assert control.database_url_file == f"{mount['target']}/database_url"
        assert control.redis_url_file == f"{mount['target']}/redis_url"


def test_every_setting_of_tasks_and_hosts_has_its_variable(tmp_path: Path) -> None:
    variables = {name: value for name, (_key, value) in SETTINGS.items()}

    made = documents(tmp_path, variables)

    control = load_control_settings(made.written("settings"))
    wanted: dict[str, Any] = dict(SETTINGS.values())
    assert {key: getattr(control, key) for key in wanted} == {
        **wanted,
        "store_sessions": True,
    }


def test_the_role_image_builds_what_the_role_deployment_runs() -> None:
    image, deployment = (
        yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text("utf-8"))
        for role in ("image", "deployment")
    )

    for server in ("redis", "postgres"):
        assert image[f"image_{server}_name"] == deployment[f"deployment_{server}_image"]


WRONG: dict[str, Any] = {
    "deployment_redis_url": f"http://{SECRET}",
    "deployment_database_url": f"mysql://{SECRET}",
    "deployment_host": "Left!",
    "deployment_time_zone": "../x",
    "deployment_worker_lost_seconds": 1,
}


def test_what_control_would_refuse_is_refused_before_anything_is_touched(
    tmp_path: Path,
) -> None:
    """Q09: all of it at once, each by the name of its variable, no address told."""
    answer = preflight(tmp_path, WRONG)

    assert answer.status != 0
    assert [name for name in WRONG if name not in answer.said] == []
    assert SECRET not in answer.said


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"deployment_profile": "picoclaw", "deployment_postgres": True},
            "deployment_redis and deployment_postgres false",
        ),
        ({**GROWN, "deployment_redis_uid": 20101}, "deployment_redis_uid"),
    ],
)
def test_a_server_that_cannot_be_there_is_refused(
    tmp_path: Path, variables: dict[str, Any], words: str
) -> None:
    answer = preflight(tmp_path, variables)

    assert answer.status != 0
    assert words in answer.said


def deployed(root: Path, database_url_file: str | None) -> dict[str, Any]:
    """Return variables of a deployment that has had a database."""
    settings = root / "main/shared/settings"
    settings.mkdir(parents=True)
    content = json.dumps({"database_url_file": database_url_file})
    (settings / "settings.json").write_text(content)
    return {"deployment_data_root": str(root)}


@pytest.mark.parametrize(
    ("before", "variables", "words"),
    [
        (None, {"deployment_postgres": True}, "from SQLite to PostgreSQL unasked"),
        ("/etc/agentd/database_url", {}, "from PostgreSQL to SQLite unasked"),
    ],
)
def test_another_database_is_refused_until_it_is_confirmed(
    tmp_path: Path, before: str | None, variables: dict[str, Any], words: str
) -> None:
    """Nothing is moved: conversations would be gone without a word."""
    there = deployed(tmp_path / "state", before)

    refused = preflight(tmp_path, {**there, **variables})
    confirmed = preflight(
        tmp_path, {**there, **variables, "deployment_confirm": "main"}
    )

    assert refused.status != 0
    assert words in refused.said
    assert "deployment_confirm" in refused.said
    assert confirmed.status == 0, confirmed.said


def test_settings_that_were_damaged_are_no_reason_to_stop(tmp_path: Path) -> None:
    """K03: the deployment writes them anew, which it cannot if its preflight fails."""
    there = deployed(tmp_path / "state", None)
    (tmp_path / "state/main/shared/settings/settings.json").write_bytes(
        b'{"host": "\xff'
    )

    answer = preflight(tmp_path, {**there, "deployment_postgres": True})

    assert answer.status == 0, answer.said


def test_the_same_database_needs_no_word(tmp_path: Path) -> None:
    there = deployed(tmp_path / "state", "/etc/agentd/database_url")

    answer = preflight(tmp_path, {**there, "deployment_postgres": True})

    assert answer.status == 0, answer.said
