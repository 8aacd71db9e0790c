# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is stored before a message is said."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.database.claims import Claim, begin_turn
from agentd.database.conversations import NOTHING, About, Message, add_conversation
from agentd.database.sessions import put_session
from agentd.database.writer import Transaction
from agentd.errors import ConversationBusy, DatabaseConflict
from agentd.sessions.identity import SessionKey, StoredSession


@dataclass(frozen=True)
class Beginning:
    """What is new, what it is about, and behind how many messages that were seen."""

    new_conversation: bool
    new_session: bool
    about: About = NOTHING
    seen: int | None = None

    def store(
        self,
        connection: Transaction,
        key: SessionKey,
        message: Message,
        session: StoredSession,
        claim: Claim,
    ) -> None:
        """Store the message, and that a turn runs."""
        now = message.created_at
        if self.new_conversation:
            add_conversation(connection, key, now, self.about)
        begin_turn(connection, message, claim)
        if self.new_session:
            put_session(connection, key, session, now)

    def refusal(self, error: DatabaseConflict) -> ConversationBusy | DatabaseConflict:
        """Return what is told of a beginning that contradicts what is stored."""
        if self.about.issue is None:
            return error
        return ConversationBusy(
            f'Issue "{self.about.issue}" of "{self.about.repository}" got a '
            "conversation at another host just now. Try again."
        )
