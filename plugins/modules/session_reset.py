# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have an agent begin anew on an issue."""

from __future__ import annotations

DOCUMENTATION = r"""
module: session_reset
version_added: 0.1.0
short_description: Have an agent begin anew on an issue
description:
  - Forgets the session that an agent has of an issue, and removes its work directory of
    it. The next message about the issue begins a new session.
  - Work that is not committed is saved first. The messages of the conversation and the
    transcript of the session stay.
  - It fails while a turn of the conversation runs, with nothing dropped.
author:
  - The Agentkeep authors (@agentkeep)
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.connection
attributes:
  check_mode:
    support: partial
    details:
      - Nothing is dropped. Only the agent's side knows whether there is a worktree, so
        that a change is foretold by the session alone.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  agent:
    description: The agent that is to begin anew.
    type: str
    required: true
  repository:
    description:
      - The repository, C(owner/name), or C(forge:owner/name) with the name of a
        declared forge.
    type: str
    required: true
  issue:
    description: The issue, as it was named when the agent was told of it.
    type: str
    required: true
seealso:
  - module: agentkeep.agents.state_sweep
"""

EXAMPLES = r"""
- name: Begin anew on an issue
  agentkeep.agents.session_reset:
    url: http://127.0.0.1:8700
    api_token_file: /srv/agentkeep/main/shared/settings/api_token
    agent: main
    repository: shop/web
    issue: "17"
"""

RETURN = r"""
session_reset:
  description: What was dropped, or would be in check mode.
  returned: success
  type: dict
  contains:
    dropped:
      description: What there was, and is no more.
      type: dict
      contains:
        session:
          description: Whether there was a session.
          type: bool
          sample: true
        worktree:
          description: Whether there was a worktree; V(none) in check mode.
          type: bool
          sample: true
"""

from dataclasses import dataclass
from typing import Any, Mapping

from ..module_utils._client import Client, Connection, connection_spec
from ..module_utils._plan import Plan
from ..module_utils._reconcile import Reconciliation, run
from ..module_utils._sweep.client import find_session, reset
from ..module_utils._sweep.reset import Found, Issue, issue_spec, plan_reset

SPEC = connection_spec().merge(issue_spec())


@dataclass(frozen=True)
class Wanted:
    """Hold whom to ask, and about which issue."""

    client: Client
    issue: Issue


def wanted(params: Mapping[str, Any]) -> Wanted:
    """Given the options, return the issue that is to begin anew."""
    issue = Issue.from_params(params)
    return Wanted(client=Client(Connection.from_params(params)), issue=issue)


def read(asked: Wanted) -> Found:
    """Return what there is to be dropped."""
    return Found(session=find_session(asked.client, asked.issue))


def plan(found: Found | None, _asked: Wanted) -> Plan:
    """Return the plan to drop it."""
    return plan_reset(found or Found(session=False))


def apply(_plan: Plan, asked: Wanted) -> Plan:
    """Drop it; what is told is what was really there."""
    dropped = reset(asked.client, asked.issue)
    session, worktree = dropped.get("session"), dropped.get("worktree")
    return plan_reset(Found(session=bool(session), worktree=bool(worktree)))


def main() -> None:
    """Run the module."""
    run(
        SPEC,
        Reconciliation(
            noun="session_reset",
            wanted=wanted,
            read=read,
            plan=plan,
            apply=apply,
            settles=False,
        ),
    )


if __name__ == "__main__":
    main()
