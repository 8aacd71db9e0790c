# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Takes webhooks: checks and judges them, and has done what they ask for.

The event and its task are stored by one transaction: a kill leaves both or none, and a
repeat finds them. What is to be removed is noted by it too, and removed afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from agentd.clock import Clock
from agentd.database.open import Database
from agentd.database.webhooks import (
    end_cleaning,
    events_to_clean,
    received_of,
    select_events,
)
from agentd.definitions.registry import Registry
from agentd.errors import (
    AgentdError,
    DefinitionsFailed,
    WebhookRefused,
    WebhookUnknown,
    WorkRefused,
)
from agentd.log import get_log
from agentd.queue.queue import Queue
from agentd.settings import ControlSettings
from agentd.webhooks.forge_events import (
    DELIVERY_HEADERS,
    first_header,
    read_forge_event,
)
from agentd.webhooks.jira_events import read_jira_event
from agentd.webhooks.judge import Bench, judge
from agentd.webhooks.payload import line, parse
from agentd.webhooks.setup import Setup, setup_of
from agentd.webhooks.signature import is_signed, signs
from agentd.webhooks.storing import Storage, store
from agentd.webhooks.values import SOURCES, Delivery, Event, Receipt, Received
from agentd.webhooks.words import mark_of
from agentd.work.values import Cleaned, Wish
from agentd.workdirs.names import RepositoryName

MAX_DELIVERY = 128
LOOK_SECONDS, RETRY_SECONDS = 300.0, 15.0
AT_ONCE = 100
UNUSABLE = (
    'Cannot take webhooks of "{source}" now: their settings cannot be used. Look into '
    "the log of control."
)

log = get_log("webhooks")


class Cleaner(Protocol):
    """Removes what an issue or a branch left."""

    def repository(self, text: str) -> RepositoryName:
        """Return the repository that is named; raise WorkRefused."""

    async def clean(self, wish: Wish, asked_at: float | None = None) -> Cleaned:
        """Remove it, now or as soon as nobody uses it; repeats do nothing.

        What was said or queued after ``asked_at`` stays.
        """


class WebhookWatch(Protocol):
    """Counts webhooks."""

    def webhook_came(self, source: str, outcome: str) -> None:
        """Count a webhook that was taken, or refused for its signature."""


@dataclass(frozen=True)
class ReceiverParts:
    """What webhooks are taken with."""

    settings: ControlSettings
    registry: Registry
    database: Database
    clock: Clock
    watch: WebhookWatch


class Receiver:
    """Takes webhooks, one after the other or at the same time."""

    def __init__(self, parts: ReceiverParts, queue: Queue, work: Cleaner) -> None:
        self._parts = parts
        self._queue = queue
        self._work = work
        self._more = asyncio.Event()

    async def receive(self, delivery: Delivery) -> Receipt:
        """Take a webhook; what is returned is on disk, and done or will be.

        Raise WebhookUnknown, WebhookRefused, WebhookUnreadable, DefinitionsFailed,
        QueueFull or DatabaseFailed, with nothing stored.
        """
        try:
            storage = await asyncio.to_thread(self._judged, delivery)
        except WebhookRefused:
            self._parts.watch.webhook_came(delivery.source, "refused")
            raise
        receipt, task = await self._parts.database.do(lambda c: store(c, storage))
        if task is not None:
            self._queue.offer([task])
        elif receipt.received.outcome == "cleaning":
            self._more.set()
        told = receipt.received
        came = "repeated" if receipt.repeated else told.outcome
        self._parts.watch.webhook_came(told.source, came)
        log.info(
            "webhook_received",
            source=told.source,
            delivery=told.delivery,
            webhook=f"{told.event}.{told.action}" if told.action else told.event,
            outcome=told.outcome,
            repeated=receipt.repeated,
            task=told.task_id,
            detail=told.detail,
        )
        return receipt

    async def received(
        self, source: str | None, limit: int, offset: int = 0
    ) -> Sequence[Received]:
        """Return what was received, the newest first; raise DatabaseFailed."""
        wanted = select_events(source).limit(limit).offset(offset)
        async with self._parts.database.read() as connection:
            return [received_of(row) for row in await connection.execute(wanted)]

    async def run(self) -> None:
        """Have removed what closed issues left, until cancelled.

        What an earlier control noted and did not bring to its end is taken up.
        """
        await asyncio.to_thread(self._look)
        while True:
            self._more.clear()
            try:
                left = await self._clean()
            except AgentdError as error:
                log.warning("webhooks_wait", error=str(error))
                left = True
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS if left else LOOK_SECONDS):
                    await self._more.wait()

    def _look(self) -> None:
        """Tell the operator of settings that a play put there and that are no use."""
        registry, settings = self._parts.registry, self._parts.settings
        for source in SOURCES:
            try:
                setup_of(source, registry.webhooks, settings)
            except WebhookUnknown:
                continue
            except AgentdError as error:
                log.error("webhooks_unusable", source=source, error=str(error))

    def _judged(self, delivery: Delivery) -> Storage:
        """Check and judge a webhook; nothing of it is read before its signature."""
        source, headers, body = delivery.source, delivery.headers, delivery.body
        try:
            setup = setup_of(
                source, self._parts.registry.webhooks, self._parts.settings
            )
        except DefinitionsFailed as error:
            # Whoever sends it is nobody yet: the reason is for the operator alone.
            log.error("webhooks_unusable", source=source, error=str(error))
            raise DefinitionsFailed(UNUSABLE.format(source=source)) from error
        if not is_signed(source, headers, body, setup.secrets):
            log.warning("webhook_refused", source=source)
            raise WebhookRefused(
                f"Cannot take this webhook: {signs(source)} is not made of its body "
                "with our secret. Set the same secret at the sender and in "
                f"PUT /api/registry/webhooks/{source}."
            )
        event = _event(delivery)
        digest = hashlib.sha256(f"{source}\n".encode() + body).hexdigest()
        given = first_header(headers, DELIVERY_HEADERS[source])
        return Storage(
            source=source,
            delivery=line({"": given}, "")[:MAX_DELIVERY],
            digest=digest,
            event=event,
            decision=judge(event, _bench(setup, digest)),
            now=self._parts.clock.now(),
            max_queued=self._parts.settings.max_queued_tasks,
        )

    async def _clean(self) -> bool:
        """Have removed what events ask for; return whether some is left."""
        database = self._parts.database
        async with database.read() as connection:
            events = await connection.run_sync(events_to_clean, AT_ONCE)
        left = len(events) == AT_ONCE
        for event in events:
            try:
                detail = await self._clean_after(event)
            except AgentdError as error:
                log.warning("webhook_waits", number=event.number, error=str(error))
                left = True
                continue
            await database.do(partial(end_cleaning, number=event.number, detail=detail))
        return left

    async def _clean_after(self, event: Received) -> str:
        """Have removed what one event asks for; return what that was."""
        work = self._work
        try:
            repository = work.repository(event.repository or "")
        except WorkRefused as error:
            return str(error)
        # Whoever opened it again meanwhile, and asked for more, is not interrupted.
        wish = Wish(repository, event.issue, event.branch)
        done = await work.clean(wish, event.received_at)
        return (
            f"removed: {done.worktrees} worktrees, {done.sessions} sessions, "
            f"{done.tasks} tasks that waited; for later: {done.busy}"
        )


def _event(delivery: Delivery) -> Event:
    payload = parse(delivery.body)
    if delivery.source == "jira":
        return read_jira_event(payload)
    return read_forge_event(delivery.source, delivery.headers, payload)


def _bench(setup: Setup, digest: str) -> Bench:
    return replace(setup.bench, mark=mark_of(setup.secrets[0], digest))
