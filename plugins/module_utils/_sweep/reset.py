# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An issue on which an agent is to begin anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._argument_spec import ArgumentSpec
from .._errors import InvalidInput, ServiceRefused
from .._plan import NOTHING, Plan


def issue_spec() -> ArgumentSpec:
    """Return the options that name an agent's issue."""
    named = {"type": "str", "required": True}
    return ArgumentSpec(
        options={"agent": dict(named), "repository": dict(named), "issue": dict(named)}
    )


@dataclass(frozen=True)
class Issue:
    """Hold whose session is meant, and which issue of which repository it is of."""

    agent: str
    repository: str
    issue: str

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Issue:
        """Given the options, return the issue; raise InvalidInput."""
        given = {
            name: params[name].strip() for name in ("agent", "repository", "issue")
        }
        for name, value in given.items():
            if not value:
                raise InvalidInput(
                    "Cannot reset the issue", f"{name} is empty", f"Set {name}."
                )
        return cls(**given)


@dataclass(frozen=True)
class Found:
    """Hold what there is to be dropped, or was; None is what only a reset tells."""

    session: bool
    worktree: bool | None = None

    @property
    def any(self) -> bool:
        """Return whether there is anything."""
        return self.session or bool(self.worktree)


def has_session(body: Any, issue: Issue) -> bool:
    """Given a list of sessions, return whether one of them is of that issue."""
    listed = body.get("sessions") if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        raise ServiceRefused(
            "Cannot list the sessions",
            "the answer is not what agentd answers",
            "Check that url is the address of control and not of something else.",
        )
    # The first declared forge may be named, and is left out where it is stored.
    names = {issue.repository, issue.repository.partition(":")[2]} - {""}
    return any(
        isinstance(one, Mapping)
        and one.get("agent") == issue.agent
        and one.get("repository") in names
        and one.get("issue") == issue.issue
        for one in listed
    )


def plan_reset(found: Found) -> Plan:
    """Return the plan to drop what is found; a worktree is looked for in any case."""
    gone = {"session": False, "worktree": False}
    if found.worktree is None:
        gone = {"session": False}
    there = {name: getattr(found, name) for name in gone}
    return Plan(
        action="reset" if found.any or found.worktree is None else NOTHING,
        changed=found.any,
        before=there,
        after=gone,
        output={"dropped": {"session": found.session, "worktree": found.worktree}},
    )
