# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Large bodies of very many small parts: read, they take fifty times their size."""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_PARTS = 100_000
# A string of JSON, or what is left of one; it never looks at a byte twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)


def is_dense(headers: Mapping[bytes, bytes], body: bytes) -> bool:
    """Return whether a body is JSON of more parts than any upload has."""
    if headers.get(b"content-type", b"").strip().lower().startswith(b"multipart/"):
        return False
    if _parts(body) <= MAX_PARTS:
        return False
    # Two quotes that are not escaped to a string: most of the file is text.
    if body.count(b'"') - body.count(b'\\"') > 4 * MAX_PARTS:
        return True
    return _parts(_STRING.sub(b"", body)) > MAX_PARTS


def _parts(text: bytes) -> int:
    return text.count(b"{") + text.count(b"[") + text.count(b",")
