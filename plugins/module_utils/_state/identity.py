# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user and group ids that a container runs with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._errors import InvalidInput
from .names import id_fault

KEYS = ("uid", "gid")


@dataclass(frozen=True)
class Identity:
    """Hold the user and group id that a container runs with."""

    uid: int
    gid: int

    @classmethod
    def from_params(cls, label: str, params: Mapping[str, Any]) -> Identity:
        """Given uid and gid of *label*, return them; the gid defaults to the uid."""
        uid = _number(params.get("uid"))
        gid = uid if params.get("gid") is None else _number(params["gid"])
        for key, value in (("uid", uid), ("gid", gid)):
            fault = id_fault(value) or ("0 is root" if value == 0 else None)
            if fault:
                raise InvalidInput(
                    f"Cannot use the {key} of {label}",
                    fault,
                    f"Set its {key} to a free number such as 20101.",
                )
        return cls(uid=int(str(uid)), gid=int(str(gid)))


def _number(value: Any) -> Any:
    # A variable given on the command line is text.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value
