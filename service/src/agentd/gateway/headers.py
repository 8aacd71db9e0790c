# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Which headers pass between an agent and the model; every other one is dropped."""

from __future__ import annotations

from collections.abc import Iterable

from agentd.credentials.credential import Credential

Header = tuple[bytes, bytes]

REQUEST_NAMES = frozenset(
    {
        b"accept",
        b"anthropic-beta",
        b"anthropic-dangerous-direct-browser-access",
        b"anthropic-version",
        b"content-length",
        b"content-type",
        b"user-agent",
        b"x-app",
        b"x-claude-code-session-id",
    }
)
REQUEST_PREFIXES = (b"x-stainless-",)
OWN_SIGN_IN = frozenset({b"authorization"})
BETA = b"anthropic-beta"
# What the Messages API wants to be told beside an OAuth token.
OAUTH_BETA = b"oauth-2025-04-20"
RESPONSE_NAMES = frozenset(
    {
        b"cache-control",
        b"content-length",
        b"content-type",
        b"request-id",
        b"retry-after",
        b"retry-after-ms",
        b"x-should-retry",
    }
)
RESPONSE_PREFIXES = (b"anthropic-ratelimit-",)


def request_headers(
    headers: Iterable[Header],
    credential: Credential | None,
    *,
    own_sign_in: bool = False,
    withheld: tuple[bytes, ...] = (),
) -> list[Header]:
    """Return what goes to the model: the allowed headers, and our own key or sign-in.

    An agent that is signed in itself goes with its own authorization instead.
    Betas whose names begin like one of the withheld are left out.
    """
    given = list(headers)
    passed = _allowed(given, REQUEST_NAMES, REQUEST_PREFIXES)
    if withheld:
        passed = [one for one in passed if one[0] != BETA] + _betas(passed, withheld)
    if any(name.lower() == b"transfer-encoding" for name, _value in given):
        # Of a body in chunks, the announced length is not the one that was read.
        passed = [header for header in passed if header[0] != b"content-length"]
    passed.append((b"accept-encoding", b"identity"))
    if own_sign_in:
        passed += _allowed(given, OWN_SIGN_IN, ())
    elif credential is not None:
        passed = _signed(passed, credential)
    return passed


def _signed(passed: list[Header], credential: Credential) -> list[Header]:
    secret = credential.secret.encode()
    if credential.kind == "api_key":
        return [*passed, (b"x-api-key", secret)]
    betas = _betas([*passed, (BETA, OAUTH_BETA)], ())
    kept = [header for header in passed if header[0] != BETA]
    return [*kept, *betas, (b"authorization", b"Bearer " + secret)]


def response_headers(headers: Iterable[Header]) -> list[Header]:
    """Return what goes back to the agent."""
    return _allowed(headers, RESPONSE_NAMES, RESPONSE_PREFIXES)


def _betas(headers: list[Header], withheld: tuple[bytes, ...]) -> list[Header]:
    named = b",".join(value for name, value in headers if name == BETA).split(b",")
    kept = [one.strip() for one in named]
    kept = [one for one in kept if one and not one.lower().startswith(withheld)]
    # Each once: a request may name the beta that we add.
    return [(BETA, b",".join(dict.fromkeys(kept)))] if kept else []


def _allowed(
    headers: Iterable[Header], names: frozenset[bytes], prefixes: tuple[bytes, ...]
) -> list[Header]:
    lowered = ((name.lower(), value) for name, value in headers)
    return [
        (name, value)
        for name, value in lowered
        if name in names or name.startswith(prefixes)
    ]
