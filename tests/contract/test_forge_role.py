# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Forges, git identities and limits of the work: what the role makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from role_documents import Documents, documents, preflight

from agentd.agent.settings import load_agent_settings
from agentd.settings import load_control_settings, load_gateway_settings

TOKEN = "not-a-real-token"
KEY = "not-a-real-key\nof two lines"
KNOWN = "[git.example.org]:2222 ssh-ed25519 AAAA"
FORGES: list[dict[str, Any]] = [
    {
        "name": "work",
        "url": "https://git.example.org/forge",
        "token": TOKEN,
        "user": "robot",
        "repositories": ["team/*", "other/one"],
        "agents": {"main": ["team/app"]},
        "ssh": {
            "host": "git.example.org",
            "port": 2222,
            "key": KEY,
            "known_hosts": KNOWN,
        },
    },
    {
        "name": "github",
        "kind": "github",
        "url": "https://github.com",
        "read_only": True,
    },
    {"name": "anywhere", "url": "http://127.0.0.1:3000", "token": TOKEN},
]
DECLARED: dict[str, Any] = {
    "deployment_agents": [
        {
            "name": "main",
            "uid": 20101,
            "git_name": "Main Agent",
            "git_email": "main@example.org",
        },
        {"name": "mail", "uid": 20102},
    ],
    "deployment_forges": FORGES,
    "deployment_sweep_interval_hours": 0,
    "deployment_sweep_transcript_ttl_days": 1,
    "deployment_work_acquire_timeout_seconds": 5,
    "deployment_usage_limit_bytes": 1_000_000,
}


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Return what the role makes of three forges."""
    return documents(tmp_path_factory.mktemp("forges"), DECLARED)


def test_the_gateway_knows_where_forges_are_and_control_only_their_names(
    declared: Documents,
) -> None:
    control = load_control_settings(declared.written("settings"))
    gateway = load_gateway_settings(declared.written("secrets"))

    assert list(control.forges) == ["work", "github", "anywhere"], "first is the usual"
    assert control.forges["github"].kind == "github"
    assert control.forges["work"].repositories == ["team/*", "other/one"]
    work = gateway.forges["work"]
    assert (work.url, work.user) == ("https://git.example.org/forge", "robot")
    assert work.agents == {"main": ["team/app"]}
    assert work.token_file == "/etc/agentd/forge_work_token"
    assert work.ssh is not None
    assert (work.ssh.port, work.ssh.user) == (2222, "git")
    assert work.ssh.key_file == "/etc/agentd/forge_work_key"
    assert work.ssh.known_hosts_file == "/etc/agentd/forge_work_known_hosts"
    github = gateway.forges["github"]
    assert (github.token_file, github.ssh, github.read_only) == (None, None, True)


def test_tokens_and_keys_are_files_of_the_gateway_that_make_no_container_anew(
    declared: Documents,
) -> None:
    files = {
        name: one for (_place, name), one in declared.files.items() if "forge_" in name
    }

    assert {name: one["content"] for name, one in files.items()} == {
        "forge_work_token": TOKEN,
        "forge_work_key": f"{KEY}\n",
        "forge_work_known_hosts": f"{KNOWN}\n",
        "forge_anywhere_token": TOKEN,
    }
    assert {
        (one["entry"], one["owner"], one["mode"], one["live"]) for one in files.values()
    } == {("secrets", "gateway", "0600", True)}


def test_no_other_document_holds_a_token_or_key_of_a_forge(declared: Documents) -> None:
    holders = [
        place
        for place, one in declared.files.items()
        if any(json.dumps(word)[1:-1] in json.dumps(one) for word in (TOKEN, KEY))
    ]
    elsewhere = {**declared.given, "running": {**declared.given["running"], "files": 0}}

    assert [name for _place, name in holders] == [
        "forge_work_token",
        "forge_work_key",
        "forge_anywhere_token",
    ]
    assert TOKEN not in json.dumps(elsewhere)


def test_each_agent_commits_under_its_own_name(declared: Documents) -> None:
    main = load_agent_settings(declared.written("agent-settings/main"))
    mail = load_agent_settings(declared.written("agent-settings/mail"))

    assert (main.git_name, main.git_email) == ("Main Agent", "main@example.org")
    assert (mail.git_name, mail.git_email) == ("", ""), "agentd names it after itself"


def test_limits_of_sweeps_work_and_usage_reach_control(declared: Documents) -> None:
    """H07, I01, I09: the variables are wired."""
    control = load_control_settings(declared.written("settings"))

    assert control.sweep.interval_hours == 0
    assert control.sweep.transcript_ttl_days == 1
    assert control.work.acquire_timeout_seconds == 5
    assert (control.usage.warn_bytes, control.usage.limit_bytes) == (None, 1_000_000)


def forge(name: str, **variables: Any) -> dict[str, Any]:
    """Return a forge with what is wrong with it."""
    return {"name": name, "url": "https://git.example.org", **variables}


def test_what_agentd_would_refuse_is_refused_by_name_before_anything_is_touched(
    tmp_path: Path,
) -> None:
    wrong = [
        forge("Work"),
        forge("a", url="git.example.org"),
        forge("b", url=f"https://robot:{TOKEN}@git.example.org"),
        forge("c", api_url="ssh://git.example.org"),
        forge("d", token=f"{TOKEN}\n"),
        forge("e", repositories=["app"], agents={"ghost": ["a/b/c"]}),
    ]
    variables = {
        "deployment_agents": [{"name": "main", "uid": 7, "git_name": "A <a@b>"}],
        "deployment_forges": wrong,
        "deployment_sweep_max_age_days": 0,
        "deployment_webhooks": [
            {"name": "github", "settings": {"secret": TOKEN, "user": "robot"}},
            {"name": "forgejo", "settings": {"secret": "short", "forge": "other"}},
            {"name": "jira", "state": "absent"},
        ],
    }

    answer = preflight(tmp_path, variables)

    assert answer.status != 0
    said = (
        'Cannot use the forge names ["Work", "a"',
        "Cannot reach the forges a, b, c:",
        "Cannot use the tokens of the forges d:",
        'Cannot use the repositories ["app", "a/b/c"]',
        "Cannot give repositories to the agents ghost:",
        'Cannot let agents commit as ["A <a@b>"]',
        "settings of webhooks of forgejo:",
        "settings of webhooks: other is no declared forge or agent",
        "only deployment_work_fetch_seconds, deployment_sweep_interval_hours",
    )
    assert [words for words in said if words not in answer.said] == []
    assert TOKEN not in answer.said


def test_a_token_that_goes_over_the_network_in_the_open_is_warned_of(
    tmp_path: Path,
) -> None:
    open_one = forge("work", url="http://git.example.org", token=TOKEN)

    answer = preflight(tmp_path, {"deployment_forges": [open_one, *FORGES[1:]]})

    assert answer.status == 0
    assert "The tokens of the forges work go over http" in answer.said
