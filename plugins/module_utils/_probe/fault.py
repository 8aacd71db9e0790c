# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe found wrong, in words that name the entry, the user and the owner."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from .._errors import StateAtRisk
from .._state.names import shown

WRITES = {
    "reach": "cannot reach",
    "create": "cannot create a file in",
    "write": "cannot write to a file in",
    "fsync": "cannot make a file durable in",
    "rename": "cannot rename a file in",
    "unlink": "cannot remove a file from",
    "mkdir": "cannot make a directory in",
    "make": "cannot make",
    "list": "cannot list",
    "append": "can read but not append to",
    "read": "cannot read",
}
STATES = {
    "mounted": "is not the directory that lies on the host",
    "unmounted": "is in no mount that is kept, and goes with the container",
    "empty": "is empty",
    "missing": "is not there",
    "regular": "is no regular file",
    "absolute": "is no absolute path",
    "stopped": "does not run",
    "slow": "took too long to be written to",
    "probed": "could not be probed",
}
MEANINGS = {
    "EROFS": ("it is read-only",),
    "EACCES": ("permission denied",),
    "EPERM": ("not permitted",),
    "ENOENT": ("it does not exist",),
    "ENOSPC": ("no space is left",),
    "EDQUOT": ("the quota is used up",),
    "ENOTDIR": ("a link or a file is in the way",),
}
# Of a path, which an agent may make long.
MOST_CHARACTERS = 600
DEPLOY = "Deploy again, which lays out the state and makes the container anew."
RESTORE = (
    "Restore the transcript from a backup, or delete the conversation; it cannot be "
    "resumed."
)
REMEDIES = {
    "EROFS": "Deploy again, and look whether its file system was made read-only.",
    "EACCES": "Lay out the deployment's state again with repair (state_layout).",
    "EPERM": "Lay out the deployment's state again with repair (state_layout).",
    "ENOSPC": "Free space on its file system, or make that larger.",
    "EDQUOT": "Raise the quota of its user.",
    "ELOOP": "Find out who put a link there; links are never followed.",
    "ENOTDIR": "Find out who put a link or a file there; links are never followed.",
}
STATE_REMEDIES = {
    "unmounted": "Set config_directory of the service to a directory in an entry.",
    "empty": RESTORE,
    "missing": RESTORE,
    "regular": "Find out who put it there; links are never followed.",
    "absolute": "Correct TMPDIR in the environment of the service.",
    "stopped": "Look at its logs (docker logs) and deploy again.",
    "slow": "Look at its file system, or raise probe_timeout_seconds.",
    "probed": "Look at its logs (docker logs), and run the play as root on the host of "
    "the engine.",
}


@dataclass(frozen=True)
class Fault:
    """Hold one fault: where it is, who met it, and what the system said."""

    service: str
    agent: str | None
    entry: str | None
    subject: str
    path: str
    step: str
    uid: int | None = None
    number: int = 0
    owner: str | None = None
    mode: str | None = None
    session: str | None = None
    conversation: str | None = None
    why: str = ""

    @property
    def error(self) -> str | None:
        """Return the name of the system's error, such as EROFS."""
        return errno.errorcode.get(self.number) if self.number else None

    @property
    def is_loss(self) -> bool:
        """Return whether it is a transcript that is gone, which no run brings back."""
        return self.subject == "transcript" and self.step in ("missing", "empty")

    @property
    def text(self) -> str:
        """Return the fault as a sentence without its remedy."""
        where = f'agent "{self.agent}"' if self.agent else self.service
        if self.entry:
            where += f', entry "{self.entry}"'
        if self.conversation:
            where += f', conversation "{_plain(self.conversation)}"'
        path = f'"{_plain(self.path)}"'
        if self.step in STATES:
            said = f"{path} {STATES[self.step]}"
        else:
            said = f"uid {self.uid} {WRITES.get(self.step, self.step)} {path}"
        if self.error and self.step != "missing":
            said += f" ({', '.join((self.error, *MEANINGS.get(self.error, ())))})"
        if self.why:
            said += f" ({_plain(self.why)})"
        if self.owner:
            said += f"; it belongs to {self.owner}, mode {self.mode}"
        return f"{where}: {said}"

    @property
    def remedy(self) -> str:
        """Return what to do about it."""
        known = STATE_REMEDIES.get(self.step) or REMEDIES.get(self.error or "")
        return known or DEPLOY

    def for_output(self) -> dict[str, Any]:
        """Return the fault for a module's result."""
        return {
            "service": self.service,
            "agent": self.agent,
            "entry": self.entry,
            "subject": self.subject,
            "path": _plain(self.path),
            "step": self.step,
            "uid": self.uid,
            "errno": self.error,
            "owner": self.owner,
            "mode": self.mode,
            "session_id": self.session,
            "conversation_id": self.conversation,
            "message": f"{self.text}. {self.remedy}",
        }


def _plain(text: str) -> str:
    """Return what an agent may have named without what a terminal would obey."""
    readable = text.encode("utf-8", "surrogateescape").decode(
        "utf-8", "backslashreplace"
    )
    return shown(readable[:MOST_CHARACTERS])


def at_risk(deployment: str, faults: Sequence[Fault], more: int = 0) -> StateAtRisk:
    """Return the error that says every fault and, once each, what to do."""
    said = list(dict.fromkeys(fault.text for fault in faults))
    count = len(said) + more
    if more:
        said.append(f"and {more} more")
    return StateAtRisk(
        f'Cannot rely on the state of deployment "{deployment}"',
        f"{count} {'fault' if count == 1 else 'faults'} inside its containers. "
        + "; ".join(said),
        " ".join(dict.fromkeys(fault.remedy for fault in faults)),
    )


def faults_of(
    answer: Mapping[str, Any],
    who: tuple[str, str | None, int | None],
    sessions: Mapping[str, str],
) -> tuple[Fault, ...]:
    """Given a child's answer, return its faults; *who* is service, agent and uid."""
    service, agent, uid = who
    return tuple(
        Fault(
            service=service,
            agent=agent,
            entry=one["entry"],
            subject=one["subject"],
            path=one["path"],
            step=one["step"],
            uid=uid,
            number=one["errno"],
            owner=None if one["owner"] is None else ":".join(map(str, one["owner"])),
            mode=None if one["mode"] is None else f"{one['mode']:04o}",
            session=one["session"],
            conversation=sessions.get(one["session"]),
        )
        for one in answer["faults"]
    )
