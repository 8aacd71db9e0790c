# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Every error that agentd raises itself.

A message says what could not be done, to which object, why, and what to do.
"""

from __future__ import annotations


class AgentdError(Exception):
    """Anything that agentd refuses or cannot do."""


class SettingsInvalid(AgentdError):
    """The settings file is missing, unreadable, or holds a value that is refused."""


class Draining(AgentdError):
    """This component is stopping and takes no new work."""


class AgentUnknown(AgentdError):
    """The named agent is not declared in this deployment."""


class AgentUnavailable(AgentdError):
    """The named agent is declared, but its side is not connected."""


class AgentLost(AgentdError):
    """The connection to the agent's side went away during a call or a turn."""


class CallRefused(AgentdError):
    """The agent's side refused a call, or answered something that is not an answer."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class CallTimedOut(AgentdError):
    """The agent's side did not answer a call in time."""


class CliFailed(AgentdError):
    """The Claude CLI could not be started, broke off, or reported an error."""


class SessionNotFound(CliFailed):
    """The Claude CLI knows no session of that id, so that it cannot be resumed."""


class SessionInUse(CliFailed):
    """The Claude CLI already holds a session of that id, so that it cannot be new."""


class ConversationUnknown(AgentdError):
    """There is no conversation of that id."""


class ConversationBusy(AgentdError):
    """A turn runs in this conversation; another one has to wait."""

    def __init__(self, message: str, conversation_id: str | None = None) -> None:
        super().__init__(message)
        self.conversation_id = conversation_id


class ConversationElsewhere(ConversationBusy):
    """The conversation went on at another host, which took this one for lost."""


class EngineBusy(AgentdError):
    """Every live client is in a turn, so that no further one may be started."""


class TurnHandedOver(AgentdError):
    """Control stopped during a turn, which its agent's side brings to an end."""


class DatabaseFailed(AgentdError):
    """The database cannot be opened, moved to this schema, read or written."""


class DatabaseConflict(DatabaseFailed):
    """What was to be stored contradicts what is there already."""


class DatabaseTooNew(DatabaseFailed):
    """The database has a schema that this version does not know."""


class QueueUnavailable(AgentdError):
    """Redis cannot be reached, so that nothing can be queued or joined now."""


class QueueFull(AgentdError):
    """As many tasks wait as may."""


class TooManyReaders(AgentdError):
    """As many readers follow the output of tasks as may."""


class TaskUnknown(AgentdError):
    """There is no task, or no schedule, of that id."""


class TaskBusy(AgentdError):
    """The task runs, so that what was asked cannot be done now."""


class TaskInvalid(AgentdError):
    """A task or its schedule holds a value that is refused."""


class HostNameTaken(AgentdError):
    """Another control uses this host's name in the same database."""


class DefinitionUnknown(AgentdError):
    """There is no definition, skill or webhook setting of that name."""


class DefinitionExists(AgentdError):
    """There is one of that name already."""


class DefinitionBuiltIn(AgentdError):
    """It came with the image and cannot be changed or removed."""


class DefinitionFixed(AgentdError):
    """A conversation keeps the definition that it began with."""


class DefinitionsFailed(AgentdError):
    """What was uploaded, or is there, cannot be stored, read or removed."""


class UploadRefused(AgentdError):
    """What was uploaded is incomplete, or names a file that may not be."""


class UploadTooLarge(UploadRefused):
    """What was uploaded has more bytes or files than may be taken."""


class CredentialsRefused(AgentdError):
    """What was uploaded is no key and no sign-in that could be used."""


class CredentialsUnused(AgentdError):
    """Whoever would be given the credentials has no use for them as it is set."""


class GatewayUnavailable(AgentdError):
    """The gateway cannot be asked, or cannot do what it was asked."""


class StoreRefused(AgentdError):
    """A line of a transcript may not, or cannot, be stored in the database."""


class BranchFixed(AgentdError):
    """A conversation keeps the branch that it began with."""


class WorkRefused(AgentdError):
    """A repository, branch or forge that is not, or may not be, worked with here."""


class WorkdirBusy(AgentdError):
    """Another turn holds the work directory for longer than one waits."""


class WorkdirFailed(AgentdError):
    """A work directory cannot be made, reused or removed."""


class WebhookRefused(AgentdError):
    """A webhook that is not signed by its sender."""


class WebhookUnknown(AgentdError):
    """Webhooks of a sender that none are taken of."""


class WebhookUnreadable(AgentdError):
    """A webhook that is signed, and is no event of its sender."""


class SweepBusy(AgentdError):
    """A sweep runs already."""


class UsageExceeded(AgentdError):
    """An agent's state takes more than it may, so that it takes no new turn."""
