# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Agents, forges and work directories for sweeps, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, update

from agentd.clock import Clock
from agentd.database.conversations import add_conversation
from agentd.database.open import Database, open_database
from agentd.database.sessions import put_session
from agentd.database.tables import conversations
from agentd.errors import AgentdError, AgentUnavailable, ConversationBusy
from agentd.hosts.presence import Presence
from agentd.sessions.identity import SessionKey, StoredSession
from agentd.spawner.protocol import AgentState
from agentd.sweep.parts import SweepParts
from agentd.sweep.sweeper import Sweeper
from agentd.sweep.values import Candidate, IssueState
from agentd.work.naming import Naming
from agentd.work.values import Cleaned, Dropped, Removed, Tree, Wish
from agentd.work_settings import SweepSettings
from agentd.workdirs.names import RepositoryName

from .old_files import DAY, session

START = 1_000_000_000.0
NAMING = Naming(("forge",))


@dataclass
class FakeForge:
    """Issues that are open or closed; each question stands in ``asked``."""

    states: dict[str, IssueState | AgentdError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def state(self, repository: RepositoryName, issue: str) -> IssueState:
        """Return the state, open if nobody says otherwise."""
        self.asked.append(issue)
        found = self.states.get(issue, "open")
        if isinstance(found, AgentdError):
            raise found
        return found


@dataclass
class FakeAgents:
    """What agents have on disk, and which of their calls fail."""

    connected: dict[str, bool] = field(default_factory=lambda: {"main": True})
    trees: list[dict[str, object]] = field(default_factory=list)
    transcripts: dict[str, float] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    failing: dict[str, AgentdError] = field(default_factory=dict)
    answers: dict[str, dict[str, object]] = field(default_factory=dict)
    calls: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)

    def states(self) -> Mapping[str, AgentState]:
        """Return who is connected."""
        return {
            name: AgentState(name=name, connected=there, since=None)
            for name, there in self.connected.items()
        }

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        """Answer as the agent's side does."""
        self.calls.append((agent, name, parameters))
        if name in self.failing:
            raise self.failing[name]
        if name in self.answers:
            return self.answers[name]
        if name == "list_workdirs":
            return self._listed(agent, parameters)
        if name == "list_old_transcripts":
            return {"sessions": self._old(parameters), "more": False, "next": None}
        if name == "remove_transcripts":
            return self._remove(parameters)
        if name == "prune_files":
            return {"areas": {"debug": {"files": 2, "bytes": 5, "failed": 0}}}
        return {"branches": ["worktree-recovery/1"], "directories": []}

    def _listed(self, agent: str, given: Mapping[str, object]) -> dict[str, object]:
        after, limit = given["after"], given["limit"]
        assert isinstance(limit, int)
        mine = [one for one in self.trees if one["agent"] == agent]
        mine.sort(key=lambda one: str(one["name"]))
        left = [one for one in mine if str(one["name"]) > str(after or "")]
        return {"trees": left[:limit], "more": len(left) > limit}

    def given(self, name: str) -> list[Mapping[str, object]]:
        """Return what a call was given, each time."""
        return [given for _agent, called, given in self.calls if called == name]

    def _old(self, given: Mapping[str, object]) -> list[dict[str, object]]:
        seconds = given["older_than_seconds"]
        assert isinstance(seconds, float)
        return [
            {"session_id": name, "modified_at": at, "bytes": 10}
            for name, at in sorted(self.transcripts.items())
            if at < START - seconds
        ]

    def _remove(self, given: Mapping[str, object]) -> dict[str, object]:
        sessions = given["sessions"]
        assert isinstance(sessions, list)
        names = [one["session_id"] for one in sessions]
        removed = [name for name in names if name not in self.used]
        if not given["dry_run"]:
            for name in removed:
                del self.transcripts[name]
        return {"removed": removed, "bytes": 10 * len(removed)}


@dataclass
class FakeWork:
    """Removes what it is told to, and remembers it."""

    agents: FakeAgents
    cleaned: list[Wish] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    error: AgentdError | None = None

    def repository(self, text: str) -> RepositoryName:
        """Return the repository of that name."""
        return NAMING.repository(text)

    def short(self, repository: RepositoryName) -> str:
        """Return its short name."""
        return NAMING.short(repository)

    async def clean(self, wish: Wish) -> Cleaned:
        """Clean up an issue."""
        if self.error is not None:
            raise self.error
        self.cleaned.append(wish)
        return Cleaned(worktrees=1, sessions=1, busy=wish.issue in self.busy)

    async def reset(self, agent: str, repository: str, issue: str) -> Dropped:
        """Reset an issue."""
        if issue in self.busy:
            raise ConversationBusy(f'Issue "{issue}" is in a turn.')
        self.dropped.append(issue)
        return Dropped(worktree=True, session=True)

    async def drop_session(self, conversation_id: str) -> bool:
        """Forget a session."""
        self.dropped.append(conversation_id)
        return True

    async def remove(self, agent: str, trees: Iterable[Tree]) -> Removed:
        """Remove worktrees."""
        branches = [tree.branch for tree in trees]
        if self.busy & set(branches):
            return Removed(busy=tuple(branches))
        self.agents.trees = [
            one for one in self.agents.trees if one["branch"] not in branches
        ]
        return Removed(count=len(branches))


@dataclass
class FakeArchive:
    """Keeps everything, or refuses."""

    kept: list[Candidate] = field(default_factory=list)
    refuses: bool = False

    async def keep(self, candidate: Candidate) -> None:
        """Keep it."""
        if self.refuses:
            raise AgentUnavailable("The backup repository is away.")
        self.kept.append(candidate)


@dataclass
class World:
    """A sweeper with all that it meets."""

    database: Database
    agents: FakeAgents
    forge: FakeForge
    work: FakeWork
    archive: FakeArchive
    sweeper: Sweeper
    slept: list[float]
    now: list[float]

    async def add(
        self, number: int, *, issue: str | None, days: float = 1, **more: object
    ) -> None:
        """Store a conversation with a session, last used so many days ago."""
        key = SessionKey(str(more.get("agent", "main")), f"conv-{number}")
        has_session = more.get("session", True)
        values = {
            "issue": issue,
            "last_activity": START - days * DAY,
            "branch": more.get("branch"),
            "repository": more.get("repository", "shop/web"),
            "host": more.get("host"),
        }

        def store(connection: Connection) -> None:
            add_conversation(connection, key, START)
            connection.execute(
                update(conversations)
                .where(conversations.c.id == key.conversation_id)
                .values(**values)
            )
            if has_session:
                put_session(
                    connection,
                    key,
                    StoredSession(session_id=session(number), durable=True),
                    START,
                )

        await self.database.do(store)

    def put_tree(self, branch: str, days: float = 1, **more: object) -> None:
        """Put a worktree on an agent's disk."""
        self.agents.trees.append(
            {
                "agent": "main",
                "name": f"forge/{branch}",
                "repository": "forge:shop/web",
                "branch": branch,
                "used_at": START - days * DAY,
                "held": False,
                **more,
            }
        )


def parts_of(one: World) -> SweepParts:
    """Return what the world's sweeper works with."""
    return one.sweeper._parts


@asynccontextmanager
async def world(directory: Path, **settings: object) -> AsyncIterator[World]:
    """Give a sweeper over fakes and a real database."""
    now, slept = [START], []
    clock = Clock(now=lambda: now[0])

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    agents, forge = FakeAgents(), FakeForge()
    work, archive = FakeWork(agents), FakeArchive()
    url = f"sqlite+aiosqlite:///{directory}/agentd.db"
    async with (
        open_database(url) as database,
        Presence(database, "one", ["main"], clock, 60) as host,
    ):
        parts = SweepParts(
            settings=SweepSettings.model_validate(settings),
            database=database,
            spawner=agents,  # type: ignore[arg-type]
            host=host,
            clock=clock,
            cleaning=work,
            sessions=work,
            worktrees=work,
            states=forge,
            archive=archive,
            sleep=sleep,
        )
        # This database is no new one.
        key = SessionKey("main", "conv-old")
        await database.do(lambda c: add_conversation(c, key, START - 400 * DAY))
        sweeper = Sweeper(parts)
        yield World(database, agents, forge, work, archive, sweeper, slept, now)
