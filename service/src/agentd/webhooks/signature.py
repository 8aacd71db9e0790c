# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whether a body was signed with a secret, as each sender documents it.

Forgejo and Gitea: docs.gitea.com, Webhooks (X-Gitea-Signature, bare hex; Forgejo sends
the same as X-Forgejo-Signature). GitHub: docs.github.com, Validating webhook deliveries
(X-Hub-Signature-256). Jira: developer.atlassian.com, Webhooks, Secure admin webhooks
(X-Hub-Signature, as in WebSub). Each is an HMAC with SHA-256 of the body as it came.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from agentd.webhooks.values import Source

PREFIX = "sha256="
# The first that is there counts: a wrong one is not made good by another.
HEADERS: dict[Source, tuple[tuple[str, str], ...]] = {
    "forgejo": (("x-forgejo-signature", ""), ("x-gitea-signature", "")),
    "github": (("x-hub-signature-256", PREFIX),),
    "jira": (("x-hub-signature", PREFIX),),
}


def is_signed(
    source: Source, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]
) -> bool:
    """Return whether the body has a signature made with one of the secrets."""
    given = signature_of(source, headers).encode("utf-8", "replace")
    found = False
    for secret in secrets:
        made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        # None is left out, so that the time tells nothing of which it was.
        found |= hmac.compare_digest(made, given)
    return found


def signature_of(source: Source, headers: Mapping[str, str]) -> str:
    """Return the hexadecimal digits of the signature; empty where there is none."""
    for name, prefix in HEADERS[source]:
        given = headers.get(name, "")
        if given:
            return given.removeprefix(prefix) if given.startswith(prefix) else ""
    return ""


def signs(source: Source) -> str:
    """Return the name of the header that a sender signs with."""
    return HEADERS[source][0][0]
