# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Where a browser signs in and out, and the files that pages look with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import Form, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agentd import __version__
from agentd.dashboard.render import HEADERS, cookies_of, page, sign_in_of
from agentd.dashboard.routing import pages
from agentd.dashboard.sign_in import PATH, SECONDS, SIGN_IN_PATH, next_page

ASSETS = Path(__file__).parent / "assets"
KINDS = {
    "dashboard.css": "text/css",
    "dashboard.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
WRONG = "That is not the API token of this deployment."
FOREIGN = "This form was not made by your sign-in. Go back, reload the page, try again."

router = pages()

Next = Annotated[str, Query(max_length=2000)]
Text = Annotated[str, Form(max_length=4000)]
Code = Annotated[str, Form(max_length=200)]


@router.get("/sign-in")
async def ask(request: Request, next: Next = "") -> Response:
    """Show where the token is entered."""
    return await page(request, "sign_in", {"next": next_page(next), "error": None})


@router.post("/sign-in")
async def sign_in(request: Request, token: Text = "", next: Text = "") -> Response:
    """Let a browser in that was given the API token."""
    door, leads = sign_in_of(request), next_page(next)
    if not door.knows(token):
        return await page(request, "sign_in", {"next": leads, "error": WRONG}, 403)
    answer = RedirectResponse(leads, 303, HEADERS)
    answer.set_cookie(
        door.cookie,
        door.new_value(),
        max_age=SECONDS,
        path=PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, code: Code = "") -> Response:
    """Let the browser forget its cookie."""
    demand_own_form(request, code)
    answer = RedirectResponse(SIGN_IN_PATH, 303, HEADERS)
    answer.delete_cookie(
        sign_in_of(request).cookie, path=PATH, httponly=True, samesite="strict"
    )
    return answer


@router.get("/assets/{name}")
async def asset(request: Request, name: str) -> Response:
    """Return a file that pages look with."""
    if name not in KINDS:
        raise HTTPException(404, f'There is no file "{name[:64]}".')
    content = await asyncio.to_thread((ASSETS / name).read_bytes)
    # Pages name the version, so that an upgrade is seen at once.
    lasting = request.url.query == f"v={__version__}"
    kept = "public, max-age=3600" if lasting else "no-cache"
    return Response(
        content, 200, {**HEADERS, "Cache-Control": kept}, media_type=KINDS[name]
    )


def demand_own_form(request: Request, code: str) -> None:
    """Refuse a form that a page of somebody else sent."""
    if not sign_in_of(request).sent_by_us(cookies_of(request), code):
        raise HTTPException(403, FOREIGN)
