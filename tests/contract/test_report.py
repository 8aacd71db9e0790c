# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The report is one page that needs nothing else, whatever an agent has answered."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from working_tree import ROOT

ROLE = ROOT / "roles/report"
PARTS = yaml.safe_load((ROLE / "vars/main.yml").read_text("utf-8"))["_report_parts"]
HOSTILE = "<script src=//evil></script>'\"><img onerror=x>\x1b]0;title\x07&{{ 7 * 7 }}"
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "section", "div"),
    *("h1", "h2", "p", "table", "tr", "th", "td", "code", "br"),
}


def data(words: str, answer: str) -> dict[str, Any]:
    """Return what the parts are made of: what an agent says, and the same words."""
    reason = {"field": words, "old": words, "new": [words]}
    container = {"name": words, "action": "recreated", "state": words, "health": words}
    mount = dict.fromkeys(
        ("component", "agent", "source", "target", "requested", "effective"), words
    ) | dict.fromkeys(("origin", "root", "reason", "purpose"), words)
    change = {"path": words, "entry": words, "action": "correct"}
    agent = {"name": words, "uid": 1, "gid": 1, "enabled": True, "lazy": False}
    inside = {"service": words, "state": words, "uid": 1, "gid": 1, "written": [words]}
    said = {"ok": False, "errors": [answer], "state": words, "health": words}
    return {
        "agents": [{**agent, **said, "container": words, "drifted": True}],
        "drift": {
            "containers": [{**container, "drifted": True, "reasons": [reason]}],
            "warnings": [words],
        },
        "owners": {"changes": [{**change, "before": {words: words}, "after": None}]},
        "mounts": {"mounts": [mount], "refused": [{"source": words}]},
        "health": {
            "asked": True,
            "error": "",
            "health": {"status": answer, "problems": [answer]},
            "inside": [{**inside, "faults": [{"message": answer}]}],
        },
        "usage": usage(words),
        "sweeps": {
            "asked": True,
            "error": "",
            "sweeps": [
                {
                    "started_at": words,
                    "finished_at": None,
                    "host": words,
                    "dry_run": True,
                    "counts": {"trees": 1, "sessions": 2},
                    "problems": [answer],
                }
            ],
        },
    }


def usage(words: str) -> dict[str, Any]:
    """Return what the state takes."""
    amount = {"bytes": 5_000_000, "files": 12}
    entry = {"entry": words, "agent": words, "path": words, "error": words}
    found = {
        "agents": {words: amount},
        "entries": [{**entry, **amount, "present": True}],
    }
    return {"error": "", "found": {**amount, **found, "warnings": [words]}}


def rendered(template: str, words: str, answer: str = "well") -> str:
    """Return the report as the role writes it."""
    environment = Environment(
        loader=FileSystemLoader(ROLE / "templates"),
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["to_json"] = json.dumps
    whole = dict.fromkeys(("deployment", "host", "profile", "root", "time"), words)
    text: str = environment.get_template(template).render(
        _report_parts=PARTS,
        __report={**whole, "managed": True, "parts": data(words, answer)},
    )
    return text


class Page(HTMLParser):
    """Collect the tags, the attributes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _value in attrs)

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_hostile_words_are_shown_on_the_page_and_are_never_part_of_it() -> None:
    page = Page(rendered("report.html.j2", HOSTILE, HOSTILE))

    assert page.tags <= TAGS
    assert page.attributes <= {
        *("lang", "charset", "http-equiv", "content", "name", "class", "id")
    }
    assert any(HOSTILE[:28] in said for said in page.said)


def test_page_needs_no_other_file_and_follows_light_and_dark() -> None:
    text = rendered("report.html.j2", "fine")

    assert not {"link", "script", "img", "iframe"} & Page(text).tags
    assert "url(" not in text
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_a_place_in_the_text_and_on_the_page(part: str) -> None:
    assert part.upper() in rendered("report.txt.j2", "fine").splitlines()
    assert f'<section id="{part}">' in rendered("report.html.j2", "fine")


def test_what_an_agent_says_cannot_move_the_terminal_that_shows_the_text() -> None:
    text = rendered("report.txt.j2", "fine", HOSTILE)

    assert text.count(json.dumps(HOSTILE)) == 5
    assert text.replace("\n", "").isprintable()


def test_sizes_and_the_last_sweep_are_told_in_words() -> None:
    """I07, I17."""
    text = rendered("report.txt.j2", "fine")

    assert "everything: 4.8 MiB in 12 files" in text
    assert "fine on fine, dry run, not at its end: 2 sessions, 1 trees" in text
