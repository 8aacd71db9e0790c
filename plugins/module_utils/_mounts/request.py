# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mounts that an operator asks for besides those of the inventory."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from .._errors import InvalidInput
from .._state.deployment import Deployment
from .._state.names import absolute_fault, relative_fault, shown

KEYS = ("component", "agent", "name", "source", "target", "access", "purpose")
ACCESS = ("ro", "rw")
DEFAULT_PREFIX = "/data/extra"
DEFAULT_ALLOWLIST = "/etc/agentkeep/mount-allowlist.json"


@dataclass(frozen=True)
class Request:
    """Hold one mount as an operator asks for it, for one container.

    ``target`` is the whole path in the container, or empty with ``fault`` saying what
    is wrong with what was asked for (C10).
    """

    component: str
    agent: str | None
    name: str
    source: str
    target: str
    access: str = "ro"
    purpose: str = ""
    fault: str = ""


@dataclass(frozen=True)
class OperatorOptions:
    """Hold the options about an operator's mounts."""

    requests: tuple[Request, ...] = ()
    allowlist_file: str = DEFAULT_ALLOWLIST
    strict: bool = True
    allow_sensitive: bool = False
    engine_socket: str = "/var/run/docker.sock"

    @classmethod
    def from_params(
        cls, params: Mapping[str, Any], deployment: Deployment
    ) -> OperatorOptions:
        """Given a module's options, return those about mounts; raise InvalidInput."""
        prefix = params.get("operator_prefix") or DEFAULT_PREFIX
        allowlist = params.get("allowlist_file") or DEFAULT_ALLOWLIST
        for option, path in (
            ("operator_prefix", prefix),
            ("allowlist_file", allowlist),
        ):
            fault = absolute_fault(path)
            if fault:
                raise InvalidInput(
                    f"Cannot use {option}", fault, f"Set {option} to an absolute path."
                )
        return cls(
            requests=tuple(
                request
                for one in params.get("operator_mounts") or ()
                for request in _requests(one, deployment, prefix)
            ),
            allowlist_file=allowlist,
            strict=(params.get("operator_mounts_refused") or "fail") == "fail",
            allow_sensitive=bool(params.get("allow_sensitive_mounts")),
            engine_socket=params.get("engine_socket") or "/var/run/docker.sock",
        )


def _requests(params: Any, deployment: Deployment, prefix: str) -> Iterator[Request]:
    given = _checked(params, deployment)
    source = given["source"]
    target, fault = _target(given.get("target"), source, prefix)
    component = given.get("component") or "agent"
    for agent in _agents(component, given.get("agent"), deployment):
        yield Request(
            component=component,
            agent=agent,
            name=given.get("name") or posixpath.basename(source) or source,
            source=source,
            target=target,
            access=given.get("access") or "ro",
            purpose=given.get("purpose") or "",
            fault=fault,
        )


def _checked(params: Any, deployment: Deployment) -> Mapping[str, Any]:
    if not isinstance(params, Mapping):
        raise _refused("", f"it is {params!r}", "Write each mount as a mapping.")
    source = params.get("source")
    label = source if isinstance(source, str) else ""
    unknown = sorted(str(key) for key in set(params) - set(KEYS))
    if unknown:
        raise _refused(
            label,
            f'the key "{shown(unknown[0])}" is unknown',
            f"The keys are {', '.join(KEYS)}; whether it may be written is access.",
        )
    fault = absolute_fault(source)
    if fault and source != "/":
        raise _refused(label, f"its source: {fault}", "Write an absolute path.")
    if (params.get("access") or "ro") not in ACCESS:
        raise _refused(label, f"its access is {params['access']!r}", "Write ro or rw.")
    for key in ("name", "purpose", "component", "agent"):
        if not isinstance(params.get(key) or "", str):
            raise _refused(label, f"its {key} is {params[key]!r}", "Write it as text.")
    component = params.get("component") or "agent"
    if component != "agent" and component not in deployment.components:
        known = ", ".join(("agent", *sorted(deployment.components)))
        raise _refused(
            label, f'no component is named "{component}"', f"Choose one of {known}."
        )
    if component != "agent" and params.get("agent"):
        raise _refused(
            label, f"it names an agent, and {component} is for all", "Remove agent."
        )
    return params


def _agents(
    component: str, agent: str | None, deployment: Deployment
) -> list[str | None]:
    if component != "agent":
        return [None]
    names: list[str | None] = [one.name for one in deployment.agents if one.enabled]
    if not agent:
        return names
    if agent not in {one.name for one in deployment.agents}:
        raise InvalidInput(
            f'Cannot mount anything into agent "{shown(agent)}"',
            "there is no such agent",
            "Correct agent in operator_mounts, or add it to agents.",
        )
    return [agent] if agent in names else []


def _target(given: Any, source: str, prefix: str) -> tuple[str, str]:
    """Return the path in the container, or what is wrong with it (C10)."""
    wanted = posixpath.basename(source) if given is None else given
    if not isinstance(wanted, str) or not wanted.strip():
        return "", f"its target {wanted!r} is no path"
    if ":" in wanted:
        return "", f'its target "{shown(wanted)}" holds ":"'
    fault = relative_fault(wanted)
    if fault:
        return "", f"its target {fault}; it must be a path below {prefix}"
    return f"{prefix}/{wanted}", ""


def _refused(source: str, why: str, remedy: str) -> InvalidInput:
    return InvalidInput(f'Cannot use operator mount "{shown(source)}"', why, remedy)
