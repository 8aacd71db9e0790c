# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the role deployment makes of variables, before a module sees it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from working_tree import ROOT

PLAY = """
- hosts: localhost
  gather_facts: false
  vars_files: [variables.yml]
  tasks:
    - ansible.builtin.import_role:
        name: agentkeep.agents.deployment
        tasks_from: preflight
    - ansible.builtin.copy:
        content: >-
          {{ {'running': _deployment_running, 'place': _deployment_place} | to_json }}
        dest: documents.json
        mode: "0600"
"""


@dataclass(frozen=True)
class Documents:
    """What the role gives to the modules, and a place to write its files to."""

    place: Path

    @property
    def given(self) -> dict[str, Any]:
        """Return all options that the role makes."""
        found: dict[str, Any] = json.loads((self.place / "documents.json").read_text())
        return found

    @property
    def files(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the declared files by entry, with its agent, and name."""
        return {
            ("/".join(filter(None, (one["entry"], one.get("agent")))), one["name"]): one
            for one in self.given["running"]["files"]
        }

    def written(self, entry: str) -> Path:
        """Return the settings file of an entry, as the module would write it."""
        path = self.place / f"{entry.replace('/', '-')}.json"
        path.write_text(self.files[entry, "settings.json"]["content"], "utf-8")
        return path


@dataclass(frozen=True)
class Answer:
    """How the role's preflight ended, and what it said."""

    status: int
    said: str


def documents(place: Path, variables: dict[str, Any]) -> Documents:
    """Given variables that are accepted, return what the role makes of them."""
    answer = preflight(place, variables)
    assert answer.status == 0, answer.said
    return Documents(place)


def preflight(place: Path, variables: dict[str, Any]) -> Answer:
    """Given variables, return what the role says of them."""
    (place / "variables.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
    (place / "play.yml").write_text(PLAY, encoding="utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    templates = f"_deployment_templates={ROOT / 'roles/deployment/templates'}"
    finished = subprocess.run(
        ["ansible-playbook", "play.yml", "--extra-vars", templates],
        cwd=place,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    said = " ".join((finished.stdout + finished.stderr).split()).replace('\\"', '"')
    return Answer(finished.returncode, said)
