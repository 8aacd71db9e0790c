# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The kinds of values that the settings of control and gateway are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,127}$")]
ZONE = r"^[A-Za-z][A-Za-z0-9+_-]*(/[A-Za-z0-9+_-]+)*$"
TimeZone = Annotated[str, Field(pattern=ZONE, max_length=64)]
LogLevel = Literal["debug", "info", "warning", "error"]
PermissionMode = Literal[
    "default", "acceptEdits", "bypassPermissions", "dontAsk", "plan", "auto"
]
ToolName = Literal["send_message"]
SignIn = Literal["gateway", "direct"]
BudgetPeriod = Literal["day", "month", "total"]


class Frozen(BaseModel):
    """A value that cannot be changed and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
