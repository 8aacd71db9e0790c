# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations and containers: what lasts, what is made anew, what is left alone."""

from __future__ import annotations

from running import Deployment, Outcome
from upstream import Upstream


def succeeded(outcome: Outcome) -> Outcome:
    """Return the outcome; fail with its output unless it was a success."""
    assert outcome.status == 0, outcome.output
    return outcome


def test_a_conversation_goes_on_after_its_containers_were_removed(
    deployment: Deployment,
) -> None:
    """G15, A18: resumed from the same file, which has grown."""
    first = deployment.say("Remember the word mango.", agent="second")
    transcript = deployment.transcript("second", first["session_id"])
    before = transcript.stat()
    said = transcript.read_bytes()

    succeeded(deployment.remove())
    assert deployment.containers() == {}
    assert not (deployment.directory / "compose.yml").exists()
    kept = transcript.read_bytes()
    assert kept.startswith(said)
    succeeded(deployment.deploy())
    second = deployment.say(
        "Which words did I ask you to remember?",
        conversation_id=first["conversation_id"],
    )

    assert "mango" in second["result"]
    assert second["resumed"]
    assert second["persisted"]
    assert second["session_id"] == first["session_id"]
    after = deployment.transcript("second", second["session_id"]).stat()
    assert after.st_ino == before.st_ino
    assert transcript.read_bytes().startswith(kept)
    assert after.st_size > len(kept)


def test_a_second_deployment_changes_nothing(deployment: Deployment) -> None:
    """A17: also no container is made anew."""
    before = deployment.containers()

    outcome = succeeded(deployment.deploy())

    assert outcome.changed == 0
    assert deployment.containers() == before


def test_check_mode_says_what_would_change_and_changes_nothing(
    deployment: Deployment,
) -> None:
    """A16, K13."""
    before = deployment.containers()
    settings = deployment.directory / "shared/settings/settings.json"
    written = settings.read_bytes()

    outcome = succeeded(
        deployment.deploy("--check", deployment_max_execution_seconds=301)
    )

    assert outcome.changed > 0
    assert deployment.containers() == before
    assert settings.read_bytes() == written


def test_a_changed_setting_makes_its_component_anew_and_no_other(
    deployment: Deployment,
) -> None:
    before = deployment.containers()

    succeeded(deployment.deploy(deployment_upstream_timeout_seconds=601))

    after = deployment.containers()
    assert {name for name in before if before[name] != after[name]} == {
        "agentkeep-integration-gateway"
    }
    succeeded(deployment.deploy())


def test_a_changed_token_is_the_token_and_the_generated_one_is_kept(
    deployment: Deployment,
) -> None:
    """D12: generated once, kept on later runs, replaced on request."""
    generated = deployment.token
    assert len(generated) >= 43

    succeeded(deployment.deploy(deployment_api_token="operators-own-token-of-2026"))

    assert deployment.token == "operators-own-token-of-2026"
    assert deployment.ask("GET", "/agents")
    succeeded(deployment.deploy(deployment_api_token=generated))
    succeeded(deployment.deploy())
    assert deployment.token == generated


def test_the_play_tells_nobody_the_key_or_the_token(
    deployment: Deployment, upstream: Upstream
) -> None:
    """D10: not even to whoever asks for all the detail."""
    outcome = succeeded(deployment.deploy("-vvv", "--diff"))

    assert upstream.key not in outcome.output
    assert deployment.token not in outcome.output


def test_state_files_belong_to_those_who_need_them(deployment: Deployment) -> None:
    """A04, A05: secrets are 0600 and their owner's."""
    shared = deployment.directory / "shared"
    token = (shared / "settings/api_token").stat()
    key = (shared / "secrets/anthropic_api_key").stat()
    compose = (deployment.directory / "compose.yml").stat()

    assert (token.st_uid, token.st_mode & 0o7777) == (20001, 0o600)
    assert (key.st_uid, key.st_mode & 0o7777) == (20002, 0o600)
    assert (compose.st_uid, compose.st_mode & 0o7777) == (0, 0o600)
