# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The forge that other tests use is one that git and a client take for real."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
from pathlib import Path

import httpx
import pytest
from forge.deliveries import delivery, names
from forge.ssh import SshServer
from forge.stand_in import TOKEN, Forge, git


def test_git_clones_and_pushes_over_http_with_the_token_alone(
    forge: Forge, tmp_path: Path
) -> None:
    forge.new_repository("team/shop", big="x" * 3_000_000)
    address = f"http://somebody:{TOKEN}@127.0.0.1:{forge.port}/team/shop.git"

    with pytest.raises(AssertionError, match="could not read Username"):
        git(tmp_path, "clone", f"{forge.url}/team/shop.git", "refused")
    git(tmp_path, "clone", "--filter=blob:none", "--no-checkout", address, "cloned")
    git(tmp_path / "cloned", "checkout", "main")
    (tmp_path / "cloned" / "noise").write_bytes(os.urandom(2_500_000))
    git(tmp_path / "cloned", "add", "-A")
    git(tmp_path / "cloned", "commit", "-m", "Noise")
    git(tmp_path / "cloned", "push", "origin", "HEAD:work")

    assert forge.head("team/shop", "work") is not None
    assert forge.show("team/shop", "main", "big") == "x" * 3_000_000
    assert [one["path"] for one in forge.requests("receive-pack")][-1].endswith("pack")


def test_git_clones_and_pushes_over_ssh_with_the_key_alone(
    forge: Forge, forge_ssh: SshServer, tmp_path: Path
) -> None:
    forge.new_repository()
    address = f"ssh://git@127.0.0.1:{forge_ssh.port}/team/shop.git"
    options = f"-F none -o UserKnownHostsFile={forge_ssh.known_hosts_file}"
    command = f"ssh {options} -o IdentitiesOnly=yes -i {forge_ssh.key_file}"

    git(tmp_path, "clone", address, "cloned", GIT_SSH_COMMAND=command)
    words = ("push", "origin", "HEAD:work")
    git(tmp_path / "cloned", *words, GIT_SSH_COMMAND=command)
    refused = subprocess.run(
        [*command.split(), "-p", str(forge_ssh.port), "git@127.0.0.1", "id"],
        capture_output=True,
        check=False,
    )

    assert forge.head("team/shop", "work") == forge.head("team/shop")
    assert refused.returncode != 0


def test_issues_are_what_the_test_says_and_faults_too(forge: Forge) -> None:
    forge.set_issue("team/shop", 7, "open", title="Broken")
    forge.set_issue("jira", "SHOP-7", "closed")
    signed = {"Authorization": f"token {TOKEN}"}
    with httpx.Client(base_url=forge.url, headers=signed, trust_env=False) as client:
        found = client.get("/api/v1/repos/team/shop/issues/7").json()
        jira = client.get("/rest/api/2/issue/SHOP-7").json()
        missing = client.get("/api/v3/repos/team/shop/issues/8").status_code
        forge.break_with({"path": "issues", "status": 503})
        broken = client.get("/api/v1/repos/team/shop/issues/7").status_code
        forge.break_with()
        again = client.get("/api/v1/repos/team/shop/issues/7").status_code
        unsigned = httpx.get(f"{forge.url}/api/v1/repos/team/shop/issues/7")

    assert (found["state"], found["number"], found["title"]) == ("open", 7, "Broken")
    assert jira["fields"]["status"]["statusCategory"]["key"] == "done"
    assert (missing, broken, again) == (404, 503, 200)
    assert unsigned.status_code == 401
    assert len(forge.requests("/issues/7")) == 4


@pytest.mark.parametrize("kind", ["forgejo", "github", "jira"])
def test_every_delivery_is_signed_over_the_very_bytes_that_are_sent(kind: str) -> None:
    for name in names(kind):
        sent = delivery(kind, name, "a secret")

        signatures = [
            value for key, value in sent.headers.items() if "Signature" in key
        ]
        good = hmac.new(b"a secret", sent.body, hashlib.sha256).hexdigest()
        assert signatures and all(one.endswith(good) for one in signatures)
        assert sent.payload
