# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have the agent service remove what is closed, too old or nobody's."""

from __future__ import annotations

DOCUMENTATION = r"""
module: state_sweep
version_added: 0.1.0
short_description: Remove old sessions, worktrees, transcripts and files of agents
description:
  - Asks control for a sweep of its host's agents, and waits until it ended.
  - A sweep removes sessions and worktrees of issues that are closed, or that nobody
    used for long, transcripts that no conversation has, and the CLI's old files. The
    settings C(sweep) of control say after what time. Clones of repositories are kept.
  - What is in use stays, and so does what a forge could not be asked about. Both are
    told as warnings and never fail the task.
  - Control sweeps at an interval of its own too. This module is for a sweep at a time
    of your choice, and to see beforehand what would go.
author:
  - The Agentkeep authors (@agentkeep)
extends_documentation_fragment:
  - agentkeep.agents.attributes
  - agentkeep.agents.connection
attributes:
  check_mode:
    support: full
    details: A dry run, which asks the forges and removes nothing.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  wait_seconds:
    description: How long to wait for a sweep that runs already.
    type: int
    default: 600
notes:
  - A forge is asked one question after another. With many open issues a sweep may take
    longer than O(timeout_seconds), which has to be raised then.
  - A run asks twice, first for what would go and then for the sweep itself.
seealso:
  - module: agentkeep.agents.session_reset
"""

EXAMPLES = r"""
- name: Remove what is not needed any more
  agentkeep.agents.state_sweep:
    url: http://127.0.0.1:8700
    api_token_file: /srv/agentkeep/main/shared/settings/api_token

- name: See what would go
  agentkeep.agents.state_sweep:
    url: http://127.0.0.1:8700
    api_token: "{{ token }}"
  check_mode: true
  diff: true
  register: would
"""

RETURN = r"""
state_sweep:
  description: The sweep, in check mode that of the dry run.
  returned: success
  type: dict
  contains:
    host:
      description: The host whose agents were swept.
      type: str
      sample: one
    dry_run:
      description: Whether nothing was removed.
      type: bool
      sample: false
    started_at:
      description: When it began.
      type: str
      sample: "2026-03-02T03:00:00.000Z"
    finished_at:
      description: When it ended.
      type: str
      sample: "2026-03-02T03:00:04.310Z"
    counts:
      description:
        - How many C(sessions), C(trees), places with C(recovered) work, C(transcripts)
          and C(files) went, and their C(bytes); how many things were C(skipped), and
          how many C(questions) were put to forges.
        - C(clones) is always 0.
      type: dict
      sample:
        sessions: 1
        trees: 1
        clones: 0
        recovered: 0
        transcripts: 1
        files: 14
        bytes: 402113
        skipped: 0
        questions: 5
    candidates:
      description: What went, or would, at most 1000.
      type: list
      elements: dict
      contains:
        kind:
          description: V(session), V(tree), V(transcript), V(file) or V(recovered).
          type: str
        reason:
          description: V(closed), V(age), or V(orphan) for what is nobody's.
          type: str
        agent:
          description: Whose it is.
          type: str
        repository:
          description: The repository that is worked on, or V(none).
          type: str
        issue:
          description: The issue, or V(none).
          type: str
        branch:
          description: The branch of the worktree, or V(none).
          type: str
        name:
          description: The session of a transcript, or the kind of files.
          type: str
        count:
          description: How many things they are.
          type: int
        bytes:
          description: How much they take, where that is known.
          type: int
    more_candidates:
      description: Whether there were more than are told.
      type: bool
    warnings:
      description: Why something was left as it is.
      type: list
      elements: str
      sample: []
"""

from dataclasses import dataclass
from typing import Any, Mapping

from ..module_utils._argument_spec import ArgumentSpec
from ..module_utils._client import Client, Connection, connection_spec
from ..module_utils._plan import Plan
from ..module_utils._reconcile import Reconciliation, run
from ..module_utils._sweep.client import sweep
from ..module_utils._sweep.values import Swept, plan_sweep, swept_of

SPEC = connection_spec().merge(
    ArgumentSpec(options={"wait_seconds": {"type": "int", "default": 600}})
)


@dataclass(frozen=True)
class Wanted:
    """Hold whom to ask, and how long to wait."""

    client: Client
    wait_seconds: float


def wanted(params: Mapping[str, Any]) -> Wanted:
    """Given the options, return whom to ask."""
    client = Client(Connection.from_params(params))
    return Wanted(client=client, wait_seconds=params["wait_seconds"])


def read(asked: Wanted) -> Swept:
    """Return what a sweep would remove."""
    return sweep(asked.client, asked.wait_seconds, dry_run=True)


def plan(would: Swept | None, _asked: Wanted) -> Plan:
    """Return the plan to remove it."""
    return plan_sweep(would or swept_of({"counts": {}, "candidates": []}))


def apply(_plan: Plan, asked: Wanted) -> Plan:
    """Remove it; what is told is what really went."""
    return plan_sweep(sweep(asked.client, asked.wait_seconds, dry_run=False))


def main() -> None:
    """Run the module."""
    run(
        SPEC,
        Reconciliation(
            noun="state_sweep",
            wanted=wanted,
            read=read,
            plan=plan,
            apply=apply,
            settles=False,
        ),
    )


if __name__ == "__main__":
    main()
