# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What agents say of their skills, and whether their CLI has those that it should."""

from __future__ import annotations

from collections.abc import Mapping

from agentd.api.skill_bodies import ConflictBody, ShadowedBody, SkillsBody
from agentd.log import get_log
from agentd.spawner.calls import printable

MAX_NAMES = 1000
MAX_LOGGED = 20

log = get_log("skills")


def read_report(answer: Mapping[str, object]) -> SkillsBody:
    """Return what an agent's answer says, whatever shape it has."""
    managed = answer.get("managed_mcp")
    return SkillsBody(
        builtIn=_names(answer, "builtIn"),
        org=_names(answer, "org"),
        uploaded=_names(answer, "uploaded"),
        user=_names(answer, "user"),
        effective=_names(answer, "effective"),
        shadowed=[
            ShadowedBody(
                name=printable(one.get("name")),
                winner=printable(one.get("winner")),
                loser=printable(one.get("loser")),
            )
            for one in _mappings(answer, "shadowed")
        ],
        persisted=_names(answer, "persisted"),
        conflicts=[
            ConflictBody(
                name=printable(one.get("name")), copy_path=printable(one.get("copy"))
            )
            for one in _mappings(answer, "conflicts")
        ],
        removed=_names(answer, "removed"),
        warnings=_names(answer, "warnings"),
        changed=answer.get("changed") is True,
        managed_mcp=printable(managed) if isinstance(managed, str) else None,
        restart_needed=_names(answer, "restart_needed"),
    )


def _list(answer: Mapping[str, object], key: str) -> list[object]:
    found = answer.get(key)
    return found[:MAX_NAMES] if isinstance(found, list) else []


def _names(answer: Mapping[str, object], key: str) -> list[str]:
    return [printable(one) for one in _list(answer, key) if isinstance(one, str)]


def _mappings(answer: Mapping[str, object], key: str) -> list[dict[str, object]]:
    return [one for one in _list(answer, key) if isinstance(one, dict)]


class ExpectedSkills:
    """The skills that each agent should have, beside those that its CLI reported.

    A CLI leaves out, without a word, what it cannot read.
    """

    def __init__(self) -> None:
        self._expected: dict[str, frozenset[str]] = {}
        self._reported: dict[str, frozenset[str]] = {}
        self._logged: dict[str, tuple[str, ...]] = {}

    def expect(self, agent: str, report: SkillsBody) -> None:
        """Note what an agent's last sync left."""
        self._expected[agent] = frozenset(report.effective)
        self._compare(agent)

    def reported(self, agent: str, names: tuple[str, ...] | None) -> None:
        """Note what the CLI of an agent said that it has."""
        if names is not None:
            self._reported[agent] = frozenset(names)
            self._compare(agent)

    def missing(self, agent: str) -> tuple[str, ...]:
        """Return the names that should be there and were not reported."""
        if agent not in self._expected or agent not in self._reported:
            return ()
        return tuple(sorted(self._expected[agent] - self._reported[agent]))

    def _compare(self, agent: str) -> None:
        missing = self.missing(agent)
        if missing and missing != self._logged.get(agent):
            log.warning(
                "skills_missing",
                agent=agent,
                count=len(missing),
                names=list(missing[:MAX_LOGGED]),
            )
        self._logged[agent] = missing
