# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Makes pages of templates; what is put into them is escaped, bounded and seen."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from agentd import __version__
from agentd.dashboard import words
from agentd.dashboard.sign_in import SignIn

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
# Nothing but what this service serves, and nothing that stands in the page itself.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def sign_in_of(request: Request) -> SignIn:
    """Return who knows which browsers are let in."""
    found = request.app.state.sign_in
    assert isinstance(found, SignIn)
    return found


def cookies_of(request: Request) -> bytes:
    """Return the cookies of a request, as the edge saw them."""
    return request.headers.get("cookie", "").encode("latin-1", "replace")


async def page(
    request: Request, name: str, values: dict[str, Any], status: int = 200
) -> Response:
    """Return the page that a template makes."""
    door = sign_in_of(request)
    known = {
        "path": request.url.path,
        "here": _here(request),
        "version": __version__,
        "now": door.clock.now(),
        "form_code": door.form_code(cookies_of(request)),
        "can_sign_out": door.token is not None,
        "deployment": _deployment(request),
        **values,
    }
    # Long lists take a while, and the first page compiles its template.
    text = await asyncio.to_thread(_render, name, known)
    return Response(
        text.encode("utf-8", "replace"), status, HEADERS, media_type="text/html"
    )


def _render(name: str, values: dict[str, Any]) -> str:
    return _environment().get_template(f"{name}.html").render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # Some megabytes that nobody needs who looks at no page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters.update(
        amount=words.amount,
        brief=words.brief,
        clock_time=words.clock_time,
        moment=words.moment,
        number=words.count,
        short_id=words.short_id,
        span=words.span,
        twice=lambda values: [(one, one) for one in values],
    )
    made.globals["ago"] = words.ago
    return made


def _finalize(value: object) -> object:
    # What macros made is of its own kind, and escaped already.
    return words.plain(value) if value.__class__ is str else value


def _here(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def _deployment(request: Request) -> str:
    service = getattr(request.app.state, "service", None)
    return service.settings.deployment if service is not None else ""
