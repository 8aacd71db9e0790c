# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What a request may say about MCP servers, checked alike at both ends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

MAX_SERVERS = 16
MAX_BYTES = 32 * 1024
MAX_WORDS = 128
OWN_SERVER = "agentkeep"
SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# What marks a process of ours, so that it can be ended, is not for a request to say.
VARIABLE_NAME = re.compile(r"(?!AGENTD_)[A-Za-z_][A-Za-z0-9_]{0,127}")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
URL = re.compile(r"https?://[^\s/]+\S*")


def fault_of(servers: object) -> str | None:
    """Return what is wrong with these MCP servers, or None; the text names which."""
    if not isinstance(servers, Mapping):
        return "mcp_servers is not an object of servers by name."
    if len(servers) > MAX_SERVERS:
        return f"mcp_servers has {len(servers)} servers; {MAX_SERVERS} are allowed."
    for name, server in servers.items():
        if fault := _fault_of_name(name) or _fault_of_server(server):
            return f"mcp_servers: {str(name)[:80]!r} {fault}"
    if len(json.dumps(dict(servers)).encode()) > MAX_BYTES:
        return f"mcp_servers is larger than {MAX_BYTES} bytes."
    return None


def _fault_of_name(name: object) -> str | None:
    if not isinstance(name, str) or SERVER_NAME.fullmatch(name) is None:
        return 'is no name: use letters, digits, "_" and "-", 64 at most.'
    return "is the name of agentd's own server." if name == OWN_SERVER else None


def _fault_of_server(server: object) -> str | None:
    if not isinstance(server, Mapping):
        return "is not an object."
    kind = server.get("type", "stdio")
    if kind == "stdio":
        return _fault_of_stdio(server)
    if kind in ("http", "sse"):
        return _fault_of_remote(server)
    return 'has a type that is none of "stdio", "http" and "sse".'


def _fault_of_stdio(server: Mapping[str, object]) -> str | None:
    if unknown := sorted(map(str, set(server) - {"type", "command", "args", "env"})):
        return f'has the unknown key "{unknown[0][:80]}".'
    command, words = server.get("command"), server.get("args", [])
    if not _is_text(command) or not command:
        return "has no command."
    if not isinstance(words, list) or len(words) > MAX_WORDS:
        return f"has args that are no list of at most {MAX_WORDS} texts."
    if not all(_is_text(word) for word in words):
        return "has args that are not all texts."
    return _fault_of_pairs("env", server.get("env", {}), VARIABLE_NAME)


def _fault_of_remote(server: Mapping[str, object]) -> str | None:
    if unknown := sorted(map(str, set(server) - {"type", "url", "headers"})):
        return f'has the unknown key "{unknown[0][:80]}".'
    url = server.get("url")
    if not isinstance(url, str) or URL.fullmatch(url) is None:
        return "has no url that begins with http:// or https://."
    return _fault_of_pairs("headers", server.get("headers", {}), HEADER_NAME)


def _fault_of_pairs(key: str, pairs: object, names: re.Pattern[str]) -> str | None:
    if not isinstance(pairs, Mapping):
        return f"has {key} that is no object of texts."
    for name, value in pairs.items():
        if not isinstance(name, str) or names.fullmatch(name) is None:
            return f"has {key} with the name {str(name)[:80]!r}."
        if not _is_text(value) or "\n" in str(value) or "\r" in str(value):
            return f'has {key} with a value that is no single line of text: "{name}".'
    return None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value
