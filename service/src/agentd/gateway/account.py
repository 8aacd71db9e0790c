# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""One agent as the gateway knows it, by its socket alone: what it used and may use."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agentd.gateway import rules as decide
from agentd.gateway.condition import Condition, Told, after_answer, current
from agentd.gateway.refusal import Refused
from agentd.gateway.rules import Amount
from agentd.gateway.status import AgentStatus, SessionUsage, Usage
from agentd.gateway_settings import AgentRules, Price

Clock = Callable[[], float]

MAX_SESSIONS = 500
MAX_PERIODS = 128
WAIT_SECONDS = 30.0
RETRY_AFTER = ((b"retry-after", b"5"),)


@dataclass
class Unwritten:
    """What was counted and is not on disk yet: by day, and by session id."""

    days: dict[str, Usage] = field(default_factory=dict)
    sessions: dict[str, SessionUsage] = field(default_factory=dict)


def joined(one: SessionUsage, other: SessionUsage | None) -> SessionUsage:
    """Return both counts of one session id together."""
    if other is None:
        return one
    return SessionUsage(
        one.session_id,
        min(one.first_at, other.first_at),
        max(one.last_at, other.last_at),
        one.usage + other.usage,
    )


class Account:
    """Counts what one agent uses, and says what it may still do."""

    def __init__(
        self,
        name: str,
        rules: AgentRules,
        prices: Mapping[str, Price],
        clock: Clock,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.name = name
        self.rules = rules
        self.prices = prices
        self.running = 0
        self.total = Usage()
        self.unwritten = Unwritten()
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._periods: dict[str, Usage] = {}
        self._sessions: OrderedDict[str, SessionUsage] = OrderedDict()
        self._condition = Condition(since=clock())
        self._spent_since: float | None = None
        self._reserved: list[Amount] = []
        self._left = asyncio.Event()

    @property
    def has_budget(self) -> bool:
        """Return whether there is anything that the agent could use up."""
        rules = self.rules
        return rules.budget_usd is not None or rules.budget_tokens is not None

    @property
    def is_limited(self) -> bool:
        """Return whether requests have to be read before they may pass."""
        return self.has_budget or self.rules.models is not None

    @property
    def withheld_betas(self) -> tuple[bytes, ...]:
        """Return how the betas begin with which the agent would evade its rules."""
        return decide.withheld_betas(self.rules)

    def restore(self, day: str, usage: Usage) -> None:
        """Take what was used on a day before this start."""
        self.total += usage
        self._add_to_periods(day, usage)

    def restore_session(self, session: SessionUsage) -> None:
        """Take what was used with a session id before this start."""
        self._sessions[session.session_id] = session

    def record(self, usage: Usage, session: str | None = None) -> None:
        """Count what a request has used."""
        now = self._clock()
        day = decide.day_of(now)
        self.total += usage
        self._add_to_periods(day, usage)
        days = self.unwritten.days
        days[day] = days.get(day, Usage()) + usage
        if session is not None:
            self._count_session(SessionUsage(session, now, now, usage))
        if self.has_budget:
            self._note_spent(now)

    def _add_to_periods(self, day: str, usage: Usage) -> None:
        for period in (day, day[:7]):
            self._periods[period] = self._periods.get(period, Usage()) + usage
        while len(self._periods) > MAX_PERIODS:
            del self._periods[min(self._periods)]

    def _count_session(self, used: SessionUsage) -> None:
        name = used.session_id
        self._sessions[name] = joined(used, self._sessions.get(name))
        self._sessions.move_to_end(name)
        waiting = self.unwritten.sessions
        waiting[name] = joined(used, waiting.get(name))
        while len(self._sessions) > MAX_SESSIONS:
            oldest, _usage = self._sessions.popitem(last=False)
            waiting.pop(oldest, None)

    def take_unwritten(self) -> Unwritten:
        """Return what is to be written, and forget that it was not."""
        taken, self.unwritten = self.unwritten, Unwritten()
        return taken

    def take_back(self, unwritten: Unwritten) -> None:
        """Take what could not be written, but of no session that was forgotten."""
        days, sessions = self.unwritten.days, self.unwritten.sessions
        for day, usage in unwritten.days.items():
            days[day] = days.get(day, Usage()) + usage
        for name, session in unwritten.sessions.items():
            if name in self._sessions:
                sessions[name] = joined(session, sessions.get(name))

    def spent(self) -> Amount:
        """Return what was used in the budget's period."""
        day = decide.day_of(self._clock())
        key = {"day": day, "month": day[:7], "total": ""}[self.rules.budget_period]
        used = self._periods.get(key, Usage()) if key else self.total
        return Amount(used.tokens, used.cost_usd)

    def check_model(self, model: str) -> None:
        """Raise Refused if the agent may not use that model."""
        decide.check_model(self.name, model, self.rules, self.prices)

    def check_budget(self) -> None:
        """Raise Refused if nothing is left of the budget."""
        spent = self.spent()
        if decide.is_spent(self.rules, spent):
            raise decide.over_budget(self.name, self.rules, spent, self._clock())

    async def reserve(self, amount: Amount) -> None:
        """Set an amount aside, waiting for requests that may use up what is left.

        Raise Refused if nothing is left, or still too little after a while.
        """
        try:
            async with asyncio.timeout(self._wait_seconds):
                while not self._has_room():
                    await self._left.wait()
        except TimeoutError as error:
            raise Refused(
                429,
                "rate_limit_error",
                f'Other requests of agent "{self.name}" may use up what is left of '
                "its budget. Ask again when they have ended, or raise the budget.",
                RETRY_AFTER,
            ) from error
        self._reserved.append(amount)

    def _has_room(self) -> bool:
        self.check_budget()
        if len(self._reserved) < decide.MAX_BEYOND_BUDGET:
            return True
        taken = sum(self._reserved, self.spent())
        return not decide.is_spent(self.rules, taken)

    def release(self, amount: Amount) -> None:
        """Give back what was set aside, after it was recorded what was used of it."""
        self._reserved.remove(amount)
        self._left.set()
        self._left = asyncio.Event()

    def note_answer(self, told: Told) -> None:
        """Take what an answer of the model tells of the agent's condition."""
        self._condition = after_answer(self.condition(), told, self._clock())

    def note_new_key(self) -> None:
        """Forget that the old key was refused."""
        if self._condition.state == "signed_out" and self.rules.sign_in == "gateway":
            self._condition = Condition(since=self._clock())

    def condition(self) -> Condition:
        """Return whether the model serves the agent, by its last answers."""
        return current(self._condition, self._clock())

    def _note_spent(self, now: float) -> None:
        if not decide.is_spent(self.rules, self.spent()):
            self._spent_since = None
        elif self._spent_since is None:
            self._spent_since = now

    def status(self) -> AgentStatus:
        """Return what control is told of this agent."""
        now = self._clock()
        condition = self.condition()
        spent = self.spent()
        if self.has_budget and decide.is_spent(self.rules, spent):
            self._note_spent(now)
            condition = Condition(
                "over_budget",
                self._spent_since or now,
                decide.resets_at(self.rules.budget_period, now),
                str(decide.over_budget(self.name, self.rules, spent, now)),
            )
        return AgentStatus(
            state=condition.state,
            since=condition.since,
            retry_after=condition.retry_after,
            reason=condition.reason,
            sign_in=self.rules.sign_in,
            running=self.running,
            usage=self.total,
            budget=decide.budget_status(self.rules, spent, now),
        )

    def sessions(self) -> list[SessionUsage]:
        """Return what was used with each session id, the newest first."""
        return list(reversed(self._sessions.values()))
