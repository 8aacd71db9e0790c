# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Cookies of the dashboard: what is let in, and where a form leads to."""

from __future__ import annotations

import pytest

from agentd.clock import Clock
from agentd.dashboard.sign_in import SECONDS, SignIn, is_open, is_ours, next_page


class Wall:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 1_700_000_000.0

    def now(self) -> float:
        return self.at


def door(token: str | None = "t0ken", wall: Wall | None = None) -> SignIn:
    return SignIn(token, Clock(now=(wall or Wall()).now))


def header(value: str) -> bytes:
    return f"other={{a: 1}}; agentkeep={value}; last=1".encode()


def test_a_cookie_is_good_until_its_end() -> None:
    wall = Wall()
    kept = door(wall=wall)
    value = kept.new_value()

    assert kept.admits(header(value))
    wall.at += SECONDS - 1
    assert kept.admits(header(value))
    wall.at += 2
    assert not kept.admits(header(value))


def test_a_cookie_is_good_after_a_restart_and_not_after_another_token() -> None:
    value = door().new_value()

    assert door().admits(header(value))
    assert not door("an0ther").admits(header(value))


@pytest.mark.parametrize(
    "change",
    [
        lambda value: "9" + value[1:],
        lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"),
        lambda value: value.replace(".", ".A", 1),
        lambda _value: "",
        lambda _value: "x" * 5000,
        lambda _value: "99999999999999999999.a.b",
        lambda value: value + "\xff",
    ],
)
def test_a_cookie_that_was_changed_is_not_good(change: object) -> None:
    assert callable(change)
    value = str(change(door().new_value()))

    assert not door().admits(f"agentkeep={value}".encode("latin-1"))


def test_the_code_of_a_cookie_is_not_the_code_of_its_forms() -> None:
    kept = door()
    value = kept.new_value()

    code = kept.form_code(header(value))

    assert code not in value
    assert kept.sent_by_us(header(value), code)
    assert not kept.sent_by_us(header(kept.new_value()), code)
    assert not kept.sent_by_us(header(value), "é")


def test_without_a_token_forms_carry_what_other_pages_do_not_know() -> None:
    kept = door(None)

    assert kept.sent_by_us(b"", kept.form_code(b""))
    assert kept.form_code(b"") != door(None).form_code(b"")


@pytest.mark.parametrize(
    ("given", "leads"),
    [
        (
            "/dashboard/tasks?status=failed&offset=50",
            "/dashboard/tasks?status=failed&offset=50",
        ),
        ("/dashboard", "/dashboard"),
        ("https://example.org/dashboard", "/dashboard"),
        ("//example.org", "/dashboard"),
        ("/dashboardx", "/dashboard"),
        ("/dashboard\\@example.org", "/dashboard"),
        ("/dashboard/\r\nSet-Cookie: x", "/dashboard"),
        ("/dashboard/sign-in?next=/dashboard/sign-in", "/dashboard"),
        ("/dashboard/" + "x" * 600, "/dashboard"),
    ],
)
def test_a_form_leads_to_pages_of_ours_only(given: str, leads: str) -> None:
    assert next_page(given) == leads


def test_only_the_sign_in_and_its_looks_are_open() -> None:
    opened = ["/dashboard/sign-in", "/dashboard/assets/dashboard.css"]
    closed = [
        *("/dashboard", "/dashboard/", "/dashboard/tasks", "/dashboard/sign-in/x"),
        *("/dashboard/assets/../tasks", "/dashboard/assets/", "/chat"),
    ]

    assert all(is_open(path) and is_ours(path) for path in opened)
    assert not any(is_open(path) for path in closed)
    assert not is_ours("/dashboards")
