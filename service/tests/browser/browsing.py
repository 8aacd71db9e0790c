# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Debian's chromium, and what is asked of the pages that it shows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).parents[3]
UNPACKED = ROOT / ".agentkeep" / "browser"
PICTURES = Path(os.environ.get("AGENTKEEP_PICTURES", ROOT / "build" / "pictures"))
Json = dict[str, Any]
WIDE = (1200, 800)
PHONE = (360, 740)
WAIT_MS = 20_000


def there() -> bool:
    """Return whether tools/browser unpacked the browser."""
    return (UNPACKED / "complete").exists()


@contextmanager
def browser() -> Iterator[Browser]:
    """Run the browser."""
    root = UNPACKED / "root" / "usr"
    libraries = [str(one) for one in root.glob("lib/*-linux-gnu*")]
    libraries += [str(one) for one in root.glob("lib/*-linux-gnu*/pulseaudio")]
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=root / "lib" / "chromium" / "chromium-headless-shell",
            # Root has no sandbox; what is shown here is our own.
            args=["--no-sandbox", "--disable-gpu"],
            env={
                "LD_LIBRARY_PATH": ":".join(libraries),
                "FONTCONFIG_FILE": str(UNPACKED / "fonts.conf"),
                "HOME": str(UNPACKED),
                "PATH": "/usr/bin:/bin",
            },
        )


@dataclass
class Visitor:
    """Somebody with a browser: what went wrong in it is remembered."""

    page: Page
    address: str
    complaints: list[str]

    def go(self, path: str = "") -> None:
        """Open a page of the dashboard."""
        self.page.goto(f"{self.address}/dashboard{path}")

    def sign_in(self, token: str) -> None:
        """Enter the token where it is asked for."""
        self.page.get_by_label("API token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()

    def picture(self, name: str, *, whole: bool = True) -> None:
        """Keep how the page looks."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)

    def faults(self, rules: Sequence[str] = ()) -> list[str]:
        """Return what axe finds that is serious, by all its rules or by some."""
        self.page.evaluate(_axe())
        asked: Json = {"resultTypes": ["violations"], "elementRef": False}
        if rules:
            asked["runOnly"] = {"type": "rule", "values": list(rules)}
        found: Json = self.page.evaluate("asked => axe.run(asked)", asked)
        return [
            f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
        ]

    def is_wider_than_its_window(self) -> bool:
        """Return whether one had to scroll sideways."""
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth > window.innerWidth"
            )
        )


@contextmanager
def visitor(
    shown: Browser,
    address: str,
    size: tuple[int, int] = WIDE,
    *,
    dark: bool = False,
    scripts: bool = True,
) -> Iterator[Visitor]:
    """Open a window of its own, without anybody's cookies."""
    context = shown.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield Visitor(page, address, complaints)
    finally:
        context.close()


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
