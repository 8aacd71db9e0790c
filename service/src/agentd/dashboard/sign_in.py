# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who may see the dashboard: a browser that was given the API token once.

Nothing is stored: the cookie carries its end and a code that only the token makes, so
that another token ends every sign-in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from agentd.clock import Clock

PATH = "/dashboard"
SECONDS = 12 * 3600
SIGN_IN_PATH = "/dashboard/sign-in"
MAX_SIGN_IN_BYTES = 8192
MAX_COOKIE = 4096
MAX_NEXT = 500
# What needs no sign-in: where one signs in, and how that looks.
OPEN = re.compile(r"/dashboard/(sign-in|assets/[a-z0-9.-]{1,64})")
VALUE = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")
# One path of ours, that no browser takes for another place.
NEXT = re.compile(r"/dashboard(/[A-Za-z0-9._~%/-]*)?(\?[A-Za-z0-9._~%=&+:-]*)?")


def _purpose(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, purpose.encode("ascii"), "sha256")


@dataclass(frozen=True)
class SignIn:
    """Gives and checks cookies; without a token everybody is let in."""

    token: str | None = field(repr=False)
    clock: Clock
    # Cookies know no ports: deployments on one host have one each.
    cookie: str = "agentkeep"
    # Without a token, what forms carry must still be unknown to other pages.
    own: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def knows(self, given: str) -> bool:
        """Return whether that is the API token."""
        return self.token is None or hmac.compare_digest(
            given.strip().encode("utf-8", "replace"), self.token.encode("utf-8")
        )

    def new_value(self) -> str:
        """Return a cookie's value that is good from now on."""
        said = f"{int(self.clock.now()) + SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{said}.{self._code('cookie', said)}"

    def admits(self, header: bytes) -> bool:
        """Return whether the cookies of a request have one that is still good."""
        match = VALUE.fullmatch(self._value(header))
        if match is None:
            return False
        ends, nonce, code = match.groups()
        good = hmac.compare_digest(code, self._code("cookie", f"{ends}.{nonce}"))
        return good and int(ends) > self.clock.now()

    def form_code(self, header: bytes) -> str:
        """Return what forms carry, so that pages of others cannot send them."""
        return self._code("form", self._value(header))

    def sent_by_us(self, header: bytes, code: str) -> bool:
        """Return whether a form came from a page that this sign-in was shown."""
        given = code.encode("utf-8", "replace")
        return hmac.compare_digest(given, self.form_code(header).encode("ascii"))

    def _value(self, header: bytes) -> str:
        if len(header) > MAX_COOKIE:
            return ""
        pairs = [
            one.strip().partition("=") for one in header.decode("latin-1").split(";")
        ]
        return next((value for name, _is, value in pairs if name == self.cookie), "")

    def _code(self, purpose: str, said: str) -> str:
        key = self.own if self.token is None else self.token.encode("utf-8")
        keyed = _purpose(key, f"agentkeep dashboard {purpose}")
        return hmac.new(
            keyed, said.encode("ascii", "replace"), hashlib.sha256
        ).hexdigest()


def is_ours(path: str) -> bool:
    """Return whether a path belongs to the dashboard."""
    return path == PATH or path.startswith(PATH + "/")


def is_open(path: str) -> bool:
    """Return whether a path of the dashboard is answered without a sign-in."""
    return OPEN.fullmatch(path) is not None


def next_page(given: str) -> str:
    """Return where to go after a form: a page of ours, whatever was given."""
    fits = len(given) <= MAX_NEXT and NEXT.fullmatch(given)
    return given if fits and not is_open(given.partition("?")[0]) else PATH


def sign_in_page(scope: Mapping[str, Any]) -> bytes:
    """Return where one signs in, to come back to what was asked for."""
    if scope["method"] != "GET":
        # A form is not sent again: one cannot come back to it.
        return SIGN_IN_PATH.encode("ascii")
    query = scope.get("query_string", b"").decode("latin-1")
    asked = next_page(scope["path"] + (f"?{query}" if query else ""))
    told = "" if asked == PATH else f"?next={quote(asked, safe='')}"
    return f"{SIGN_IN_PATH}{told}".encode("ascii")
