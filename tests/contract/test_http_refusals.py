# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The API's page and its OpenAPI document, held against a real control."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import jsonschema
import pytest
from local_stack import LocalStack, free_port
from working_tree import ROOT

from agentd.api import (
    examples,
    queue_examples,
    record_examples,
    registry_examples,
    task_examples,
)
from agentd.api.webhook_examples import SIGNED

TOKEN = "a-token-that-is-long-enough"
PAGE = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
NOT_SENT = {"post /control/stop"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row of the table of bad input."""

    request: str
    body: str
    status: int
    said: str

    def __str__(self) -> str:
        """Return the test's id."""
        return f"{self.request} {self.body}"[:70]

    def content(self) -> bytes | None:
        """Return what is sent."""
        if match := re.fullmatch(r"(\d+) (bytes|brackets)", self.body):
            return (b"x" if match[2] == "bytes" else b"[") * int(match[1])
        return self.body.strip("`").encode() if self.body else None


def rows() -> list[Row]:
    """Return the rows of the page's table of bad input."""
    table = PAGE.partition("### Bad input")[2]
    found = []
    for line in table.splitlines():
        match = re.fullmatch(r"\| (`.*?) \| (.*?) ?\| (\d{3}) \| (.*) \|", line)
        if match is not None:
            found.append(Row(match[1], match[2], int(match[3]), match[4]))
    return found


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Return a client of a control with one connected agent."""
    with TemporaryDirectory(prefix="ak-", dir="/tmp") as scratch:
        stack = LocalStack(Path(scratch))
        with stack.running:
            sockets = stack.sockets("whole")
            status, kept = Path(scratch) / "status.sock", Path(scratch) / "credentials"
            kept.mkdir()
            address = stack.control(
                sockets, api_token=TOKEN, gateway_status_socket=str(status)
            )
            # On a port of its own, the offline model is one that takes a key.
            port = free_port()
            stack.offline_model(port=port)
            (Path(scratch) / "key").write_text("sk-ant-api03-of-nobody")
            gateway = stack.gateway(
                sockets,
                upstream=f"http://127.0.0.1:{port}",
                api_key_file=str(Path(scratch) / "key"),
                credentials_directory=str(kept),
                status_socket=str(status),
            )
            stack.agent_side(sockets, gateway)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx.Client(
                base_url=address, headers=headers, trust_env=False, timeout=30
            ) as found:
                yield found


@pytest.mark.parametrize("row", rows(), ids=str)
def test_bad_input_is_answered_as_the_page_says(client: httpx.Client, row: Row) -> None:
    words = row.request.replace("`", "").split()
    headers = {"Content-Type": "application/json"}
    if "without token" in row.request:
        headers["Authorization"] = ""

    answer = client.request(words[0], words[1], content=row.content(), headers=headers)

    body = answer.json()
    problems = [one["problem"] for one in body.get("problems", [])]
    pattern = ".*".join(re.escape(part.strip()) for part in row.said.split("…"))
    assert answer.status_code == row.status, body
    assert any(re.fullmatch(pattern, said) for said in [body["error"], *problems]), body
    assert body["request_id"] == answer.headers["X-Request-ID"]


def test_the_table_of_bad_input_is_read_whole() -> None:
    assert len(rows()) == PAGE.partition("### Bad input")[2].count("\n| `")


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> Json:
    """Return the OpenAPI document that control serves."""
    found: Json = client.get("/openapi.json").json()
    return found


def valid(document: Json, schema: Json, value: object) -> None:
    """Demand that a value is what a schema of the document describes."""
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def test_every_operation_shows_a_valid_example_of_all_it_takes_and_answers(
    document: Json,
) -> None:
    shown = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            contents = [
                content
                for part in (
                    operation.get("requestBody", {}),
                    *operation["responses"].values(),
                )
                for content in part.get("content", {}).values()
            ]
            assert contents or method == "delete", (method, path)
            for content in contents:
                assert "example" in content, (method, path, content)
                valid(document, content["schema"], content["example"])
                shown += 1

    assert shown > 60


def test_every_request_that_is_shown_is_taken(
    client: httpx.Client, document: Json
) -> None:
    session = client.post("/chat", json=examples.SAY).json()["session_id"]
    for name, body in examples.REQUESTS.items():
        method, path = name.split()
        if name in NOT_SENT:
            continue

        address = path.format(
            session_id=session,
            kind=record_examples.KIND,
            task_id=task_examples.TASK,
            name=registry_examples.name_in(path),
        )
        answer = client.request(method, address, json=body)

        assert answer.is_success, (name, answer.text)
        responses = document["paths"][path][method]["responses"]
        content = responses[str(answer.status_code)]["content"]
        valid(document, content["application/json"]["schema"], answer.json())


def test_every_real_answer_has_the_fields_that_are_shown(
    client: httpx.Client, document: Json
) -> None:
    said = client.post("/chat", json=examples.SAY).json()
    ids = {
        "conversation_id": said["conversation_id"],
        "session_id": said["session_id"],
        "task_id": "shown",
    }
    later = {**queue_examples.NEW_TASK, "available_at": "2100-01-01T00:00:00Z"}
    ids["queued_id"] = client.post("/queue", json=later).json()["id"]
    made = {**task_examples.NEW_SCHEDULE, "id": "shown"}
    assert client.post("/task", json=made).status_code == 201
    # They are there already if the examples of requests were sent before.
    for name, sent in registry_examples.REQUESTS.items():
        method, path = name.split()
        address = path.format(name=registry_examples.name_in(path))
        client.request(method, address, json=sent)
    asked = {
        "get /sessions": {"scan": "true"},
        "delete /sessions": {"repository": "shop/web", "issue": "17"},
    }

    for name, example in examples.ANSWERS.items():
        method, path = name.split()
        # Whoever sends a webhook signs it.
        if name in examples.REQUESTS or path.removeprefix("/webhooks/") in SIGNED:
            continue
        address = path.format(**ids, name=registry_examples.name_in(path))
        answer = client.request(method, address, params=asked.get(name))
        body = answer.json()
        assert answer.status_code == 200, (name, body)
        content = document["paths"][path][method]["responses"]["200"]["content"]
        valid(document, content["application/json"]["schema"], body)
        assert keys_of(body) == keys_of(example), name


def keys_of(body: object) -> set[str]:
    """Return the keys of an answer, or of what it lists."""
    listed = body[0] if isinstance(body, list) else body
    assert isinstance(listed, dict), json.dumps(body)
    return set(listed)
