# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Words for the types, bounds and changes of settings, for tools/settings_reference."""

from __future__ import annotations

TYPES = {
    "bool": "true or false",
    "str": "string",
    "int": "integer",
    "float": "number",
    "Name": "name",
    "ModelName": "name of a model",
    "TimeZone": "name of a time zone",
    "ToolName": "name of a tool",
    "AgentEntry": "agent",
    "AgentRules": "rules",
    "Price": "price",
    "ControlForge": "forge",
    "Forge": "forge",
    "SshAccess": "access over SSH",
    "ForgeKind": "`forgejo`, `github` or `jira`",
    "RepositoryPattern": "owner/name, where * stands for anything in a part",
    "WorkSettings": "settings of work directories",
    "SweepSettings": "settings of sweeps",
    "UsageSettings": "settings of usage",
}
BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "min_length": "at least {} long"}
BOUNDS["max_length"] = "at most {} long"
NOT_SAID = ("repr", "pattern")
LIVE = "restart; nothing for another {} in the file"
NO_RESTART = {
    "api_key_file": LIVE.format("key"),
    "token_file": LIVE.format("token"),
    "key_file": LIVE.format("key"),
    "known_hosts_file": LIVE.format("key"),
}
