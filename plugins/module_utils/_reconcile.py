# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run of every module: the only place that meets AnsibleModule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Generic, Mapping, TypeVar

from ansible.module_utils.basic import AnsibleModule

from ._argument_spec import ArgumentSpec
from ._errors import AgentkeepError, NotSettled
from ._plan import NOTHING, Plan

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Current = TypeVar("Current")
Wanted = TypeVar("Wanted")


@dataclass(frozen=True)
class Reconciliation(Generic[Current, Wanted]):
    """Name what a module reconciles, and how it reads, plans and applies.

    ``settles`` says that a plan made right after apply must be empty.
    """

    noun: str
    wanted: Callable[[Mapping[str, Any]], Wanted]
    read: Callable[[Wanted], Current | None]
    plan: Callable[[Current | None, Wanted], Plan]
    apply: Callable[[Plan, Wanted], Plan]
    settles: bool = True


def _module(spec: ArgumentSpec) -> AnsibleModule:
    # The host's log would get every option; a secret of two lines is not masked there.
    return AnsibleModule(supports_check_mode=True, no_log=True, **spec.to_kwargs())


def run(spec: ArgumentSpec, task: Reconciliation[Current, Wanted]) -> None:
    """Bring what is to what is wanted, unless check mode, and report it."""
    module = _module(spec)
    try:
        plan = _carry_out(task, task.wanted(module.params), module.check_mode)
    except AgentkeepError as error:
        module.fail_json(msg=_told(error))
    _warn(module, plan.output)
    result: dict[str, Any] = {"changed": plan.changed, task.noun: dict(plan.output)}
    if module._diff:
        result["diff"] = {"before": dict(plan.before), "after": dict(plan.after)}
    module.exit_json(**_sendable(result))


def report(
    spec: ArgumentSpec,
    noun: str,
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> None:
    """Report what *read* returns; never change anything."""
    module = _module(spec)
    try:
        found = read(module.params)
    except AgentkeepError as error:
        module.fail_json(msg=_told(error))
    _warn(module, found)
    module.exit_json(changed=False, **{noun: _sendable(found)})


def _warn(module: Any, output: Mapping[str, Any]) -> None:
    """Show what the result warns of; Ansible shows equal warnings once."""
    for warning in output.get("warnings") or ():
        module.warn(_told(warning))


def _told(text: object) -> str:
    """Return a text that may hold names from a container, safe for a terminal."""
    return _CONTROL.sub(_escaped, str(_sendable(str(text))))


def _sendable(value: Any) -> Any:
    """Return the value without what Ansible refuses: bytes of names, not UTF-8."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub(_escaped, value)
    if isinstance(value, Mapping):
        return {_sendable(key): _sendable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sendable(each) for each in value]
    return value


def _escaped(found: re.Match[str]) -> str:
    return ascii(found.group())[1:-1]


def _carry_out(
    task: Reconciliation[Current, Wanted], wanted: Wanted, check_mode: bool
) -> Plan:
    plan = task.plan(task.read(wanted), wanted)
    if check_mode or plan.action == NOTHING:
        return plan
    plan = task.apply(plan, wanted)
    if task.settles:
        _demand_settled(task, wanted)
    return plan


def _demand_settled(task: Reconciliation[Current, Wanted], wanted: Wanted) -> None:
    left = task.plan(task.read(wanted), wanted)
    if left.action != NOTHING:
        raise NotSettled(
            f"Cannot keep {task.noun} as declared",
            "it differs again right after it was put in place: "
            + "; ".join(left.reasons[:3]),
            "Stop what changes it, or use a file system that keeps owners and "
            "modes, then run again.",
        )
