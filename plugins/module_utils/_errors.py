# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors of the collection; each says what failed, why, and what to do.

AgentkeepError
├── InvalidInput        a parameter that cannot be used
│   └── InvalidInventory    an entry of the state inventory that cannot be used
├── MountRefused        a mount that the rules for mounts do not allow
├── UnsafePath          a path that leads through a link or to no directory
├── LayoutRefused       a deployment's directory that belongs to something else
├── LockBusy            another run holds the deployment's lock
├── FileSystemFailed    the operating system refused a step
├── NotSettled          the state differs again right after it was put in place
├── EngineFailed        the container engine or compose refused a step
│   ├── EngineUnreachable   it does not answer, or the Docker SDK is not installed
│   └── ForeignContainer    a container of our name is not this deployment's
├── DeploymentFailed    the new containers do not run as declared
├── DeploymentRefused   what is declared or found cannot be deployed
├── ProbeFailed         the probe inside a container could not be carried out
├── StateAtRisk         a container cannot keep what it should
├── UsageExceeded       agents take more on disk than they may
└── ServiceFailed       the agent service did not do what it was asked
    ├── ServiceUnreachable  it does not answer, or an agent is not connected
    ├── ServiceRefused      it answered, but with an error
    └── TurnFailed          a turn ended in an error or with an unexpected answer
"""

from __future__ import annotations


class AgentkeepError(Exception):
    """Say *what* could not be done to which object, *why*, and the *remedy*."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(f"{what}: {why.rstrip('.')}. {remedy}")
        self.what = what
        self.why = why
        self.remedy = remedy


class InvalidInput(AgentkeepError):
    """A parameter cannot be used."""


class InvalidInventory(InvalidInput):
    """An entry of the state inventory cannot be used."""


class MountRefused(AgentkeepError):
    """A mount is not allowed, or its target is taken."""


class UnsafePath(AgentkeepError):
    """A path leads through a link, or to something that is not a directory."""


class LayoutRefused(AgentkeepError):
    """A directory belongs to another deployment or to a newer layout."""


class LockBusy(AgentkeepError):
    """Another run holds the deployment's lock."""


class FileSystemFailed(AgentkeepError):
    """The operating system refused a step."""


class NotSettled(AgentkeepError):
    """The state differs again right after it was put in place."""


class EngineFailed(AgentkeepError):
    """The container engine or compose refused a step."""


class EngineUnreachable(EngineFailed):
    """The engine does not answer, or the Docker SDK is not installed."""


class ForeignContainer(EngineFailed):
    """A container of our name does not belong to this deployment."""


class DeploymentFailed(AgentkeepError):
    """The new containers do not run as they are declared."""


class DeploymentRefused(AgentkeepError):
    """What is declared, or what was found, cannot be deployed."""


class ProbeFailed(AgentkeepError):
    """The probe inside a container could not be carried out."""


class StateAtRisk(AgentkeepError):
    """A container cannot keep what it should, or lost what it had."""


class UsageExceeded(AgentkeepError):
    """An agent, or all of them together, take more on disk than they may."""


class ServiceFailed(AgentkeepError):
    """The agent service did not do what it was asked."""


class ServiceUnreachable(ServiceFailed):
    """The service does not answer, or an agent is not connected."""


class ServiceRefused(ServiceFailed):
    """The service answered with an error."""


class TurnFailed(ServiceFailed):
    """A turn ended in an error or with an unexpected answer."""
