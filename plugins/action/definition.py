# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the directories of the controller that the module definition puts in place."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from ..plugin_utils.definition_source import SourceRefused, covered, read_files

KINDS = ("definitions", "skills")


class ActionModule(ActionBase):  # type: ignore[misc]
    """Turn src into files, and run the module with them."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module on the target."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        for kind in KINDS:
            if isinstance(arguments.get(kind), list):
                arguments[kind] = [
                    self._with_files(kind, one) for one in arguments[kind]
                ]
        result.update(
            self._execute_module(
                module_name="agentkeep.agents.definition",
                module_args=arguments,
                task_vars=task_vars,
            )
        )
        return covered(result)

    def _with_files(self, kind: str, item: Any) -> Any:
        if not isinstance(item, dict) or not item.get("src"):
            return item
        if item.get("state", "present") == "absent":
            return item
        what = f'Cannot read the directory "{item["src"]}" of {kind}'
        try:
            source = self._find_needle("files", str(item["src"]))
        except AnsibleError as error:
            raise AnsibleActionFail(
                f"{what}: it is not on the controller. Correct its src."
            ) from error
        if not os.path.isdir(source):
            raise AnsibleActionFail(
                f"{what}: it is not a directory. Name the directory that holds its "
                "CLAUDE.md or SKILL.md."
            )
        try:
            files = dict(read_files(source, what))
        except SourceRefused as error:
            raise AnsibleActionFail(str(error)) from error
        return {**item, "files": files}
