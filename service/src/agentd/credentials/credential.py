# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A key or a sign-in, taken only when it could be used; no text here shows one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from agentd.errors import CredentialsRefused

Kind = Literal["api_key", "oauth"]

MAX_BYTES = 64 * 1024
WRAPPER = "claudeAiOauth"
OAUTH_PREFIX = "sk-ant-oat"
API_KEY_PREFIX = "sk-ant-api"
REFRESH_PREFIX = "sk-ant-ort"
# What the CLI itself takes for the scopes of a token that stands alone.
LONE_SCOPES = ("user:inference",)

_SECRET = re.compile(r"[\x21-\x7e]{8,4096}")


@dataclass(frozen=True)
class Credential:
    """What authorises requests to the model, and until when it is good.

    ``sign_in`` is what the CLI keeps of an OAuth sign-in, whole.
    """

    kind: Kind
    secret: str = field(repr=False)
    expires_at: float | None = None
    sign_in: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def bare(self) -> Credential:
        """Return it without what is only good for renewing it."""
        return Credential(self.kind, self.secret, self.expires_at)

    def document(self) -> dict[str, object]:
        """Return what parse_credential takes for it again."""
        if self.kind == "api_key":
            return {"api_key": self.secret}
        ends = self.expires_at
        milliseconds = None if ends is None else round(ends * 1000)
        least = {"accessToken": self.secret, "expiresAt": milliseconds}
        return {WRAPPER: dict(self.sign_in) or least}


def of_secret(secret: str) -> Credential:
    """Return the credential that a text alone is; its beginning tells the kind."""
    is_oauth = secret.startswith(OAUTH_PREFIX)
    return Credential("oauth" if is_oauth else "api_key", secret)


def read_credential(content: bytes, now: float) -> Credential:
    """Return the credential in a document; raise CredentialsRefused, quoting none."""
    if len(content) > MAX_BYTES:
        raise _refused(f"it is larger than {MAX_BYTES} bytes")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _refused("it is no JSON that could be read") from error
    return parse_credential(value, now)


def parse_credential(value: object, now: float) -> Credential:
    """Return the credential that a value holds; raise CredentialsRefused.

    Taken are ``api_key``, ``oauth_token``, and the CLI's credentials file with or
    without its ``claudeAiOauth`` around it.
    """
    if not isinstance(value, dict):
        raise _refused("it is no JSON object")
    forms = [name for name in ("api_key", "oauth_token", WRAPPER) if name in value]
    if len(forms) > 1:
        raise _refused(f"it holds {' and '.join(forms)}")
    if forms and forms != [WRAPPER] and len(value) > 1:
        # A name that is not known may be a mistake in one that is, such as agent.
        raise _refused(f"it holds more than {forms[0]}")
    if forms == ["api_key"]:
        return Credential("api_key", _api_key(value["api_key"]))
    if forms == ["oauth_token"]:
        token = _token("oauth_token", value["oauth_token"])
        return Credential("oauth", token, None, _lone(token))
    inner = value[WRAPPER] if forms else value
    if not isinstance(inner, dict) or "accessToken" not in inner:
        raise _refused("it holds neither api_key nor oauth_token nor an accessToken")
    return _of_file(inner, now)


def _of_file(inner: Mapping[str, object], now: float) -> Credential:
    token = _token("accessToken", inner["accessToken"])
    if inner.get("refreshToken") is not None:
        _checked("refreshToken", inner["refreshToken"])
    ends = expiry_of(inner.get("expiresAt"))
    if ends is not None and ends <= now:
        moment = datetime.fromtimestamp(max(ends, 0.0), UTC).isoformat()
        raise CredentialsRefused(
            f"Cannot use the sign-in: it expired at {moment}. Sign in again and upload "
            "the file that the CLI writes then."
        )
    plain = {name: value for name, value in inner.items() if _is_plain(value)}
    return Credential("oauth", token, ends, plain)


def expiry_of(value: object) -> float | None:
    """Return when a sign-in ends, in seconds; it counts milliseconds. None is never."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("expiresAt is no number of milliseconds")
    try:
        ends = float(value) / 1000
    except OverflowError:
        ends = math.inf
    # Beyond this, no date tells it.
    if not math.isfinite(ends) or abs(ends) > 1e11:
        raise _refused("expiresAt is no time")
    return ends


def _is_plain(value: object) -> bool:
    """Return whether a value is a scalar or a list of such, as in the CLI's file."""
    parts = value if isinstance(value, list) else [value]
    return not any(isinstance(part, dict | list) or _is_odd(part) for part in parts)


def _is_odd(value: object) -> bool:
    # Written as NaN or Infinity, it would make the whole file none for the CLI.
    return isinstance(value, float) and not math.isfinite(value)


def _api_key(value: object) -> str:
    key = _checked("api_key", value)
    if key.startswith((OAUTH_PREFIX, REFRESH_PREFIX)):
        raise _refused("api_key holds a token of a sign-in. Send it as oauth_token")
    return key


def _token(name: str, value: object) -> str:
    token = _checked(name, value)
    if token.startswith(API_KEY_PREFIX):
        raise _refused(f"{name} holds an API key. Send it as api_key")
    if token.startswith(REFRESH_PREFIX):
        raise _refused(f"{name} holds a refresh token, with which nobody is signed in")
    return token


def _checked(name: str, value: object) -> str:
    if not isinstance(value, str) or _SECRET.fullmatch(value) is None:
        raise _refused(f"{name} is no text of 8 to 4096 letters without spaces")
    return value


def _lone(token: str) -> dict[str, object]:
    return {
        "accessToken": token,
        "refreshToken": None,
        "expiresAt": None,
        "scopes": list(LONE_SCOPES),
        "subscriptionType": None,
    }


def _refused(why: str) -> CredentialsRefused:
    return CredentialsRefused(
        f"Cannot use what was uploaded: {why}. Send an api_key, an oauth_token, or the "
        "CLI's file .credentials.json."
    )
