# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who is not believed is told nothing, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from control.service import until
from forge.deliveries import SECRET, delivery, signed
from starlette.types import Message, Receive, Scope, Send

from agentd.api.edge import Edge, EdgeRules
from agentd.api.open_bodies import OpenBodies, TooManyBodies

from .hooked import BEARER, SETTINGS, hooked

ISSUE = "issue_comment.created"


async def test_what_is_not_signed_is_refused_and_not_stored(tmp_path: Path) -> None:
    sent = delivery("forgejo", ISSUE, secret="another-secret-of-16")
    async with hooked(tmp_path) as hooks:
        wrong = await hooks.send(sent)
        hooks.control.client.headers.update(BEARER)
        # The token of the API is no signature.
        bearer = await hooks.send(sent)
        listed = await hooks.listed()
        figures = (await hooks.control.client.get("/metrics")).text

    assert [wrong.status_code, bearer.status_code] == [401, 401]
    assert 'agentd_webhooks_total{outcome="refused",source="forgejo"} 2.0' in figures
    assert "x-forgejo-signature is not made of its body" in wrong.json()["error"]
    assert SECRET not in wrong.text
    assert listed == []


async def test_a_secret_that_is_being_changed_and_one_in_a_file_are_taken(
    tmp_path: Path,
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    async with hooked(tmp_path) as hooks:
        await hooks.settle(secret="the-next-secret-of-16", former_secret=SECRET)
        taken = [await hooks.take(delivery("forgejo", ISSUE))]
        await hooks.settle(secret=None, secret_file=str(file))
        taken.append(await hooks.take(delivery("forgejo", ISSUE, number=9)))
        file.unlink()
        without = await hooks.send(delivery("forgejo", ISSUE, number=10))

    assert [one["outcome"] for one in taken] == ["dispatched", "dispatched"]
    assert without.status_code == 503
    assert str(file) not in without.text


@pytest.mark.parametrize("secret", ["", "\n", "guess-me"])
async def test_a_secret_in_a_file_that_could_be_guessed_is_none(
    tmp_path: Path, secret: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(secret)
    payload = delivery("forgejo", ISSUE).payload
    async with hooked(tmp_path) as hooks:
        await hooks.settle(secret=None, secret_file=str(file))
        forged = signed("forgejo", "issue_comment", payload, secret=secret.strip())
        taken = await hooks.send(forged)

    assert taken.status_code == 503


async def test_where_none_are_taken_nothing_is_told(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hooks:
        none = await hooks.send(delivery("github", ISSUE), "github")
        await hooks.settle(enabled=False)
        off = await hooks.send(delivery("forgejo", ISSUE))
        path = tmp_path / "definitions/webhooks/forgejo.json"
        path.write_text(json.dumps({**SETTINGS, "colour": "red"}))
        odd = await hooks.send(delivery("forgejo", ISSUE))
        path.write_text("{")
        torn = await hooks.send(delivery("forgejo", ISSUE))

    assert [none.status_code, off.status_code] == [404, 404]
    for answer in (odd, torn):
        assert answer.status_code == 503
        assert "Look into the log of control" in answer.json()["error"]
        assert "colour" not in answer.text and str(path) not in answer.text


async def test_settings_of_a_play_that_are_no_use_are_told_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "definitions/webhooks"
    place.mkdir(parents=True)
    (place / "jira.json").write_text(json.dumps({**SETTINGS, "colour": "red"}))

    async with hooked(tmp_path) as hooks:
        await until(lambda: "webhooks_unusable" in capsys.readouterr().out)
        answer = await hooks.send(delivery("forgejo", ISSUE))

    assert answer.status_code == 202


async def test_without_a_forge_of_their_kind_webhooks_cannot_be_taken(
    tmp_path: Path,
) -> None:
    async with hooked(tmp_path, forges={"hub": {"kind": "github"}}) as hooks:
        answer = await hooks.send(delivery("forgejo", ISSUE))

    assert answer.status_code == 503


async def test_the_list_of_webhooks_needs_the_token(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hooks:
        client = hooks.control.client
        answers = [
            await client.get("/webhooks"),
            await client.get("/webhooks/forgejo"),
            await client.post("/webhooks"),
            await client.post("/webhooks/forgejo/x"),
            await client.post("/webhooks/FORGEJO"),
            await client.get("/webhooks", params={"limit": 0}, headers=BEARER),
        ]

    statuses = [one.status_code for one in answers]
    assert statuses == [401, 405, 401, 401, 401, 400]


HOSTILE: list[bytes] = [
    b"[" * 900_000,
    b'{"a":' * 150_000 + b"1" + b"}" * 150_000,
    b'{"issue": {"number": ' + b"9" * 5000 + b"}}",
    b"null",
    b"\xff",
]


async def test_hostile_bodies_that_are_signed_are_refused_and_not_stored(
    tmp_path: Path,
) -> None:
    import hashlib
    import hmac

    wrong = delivery("forgejo", ISSUE).payload
    wrong["issue"]["number"] = {"$gt": 0}
    async with hooked(tmp_path) as hooks:
        for body in (*HOSTILE, json.dumps(wrong).encode()):
            digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            answer = await hooks.control.client.post(
                "/webhooks/forgejo",
                content=body,
                headers={
                    "X-Forgejo-Event": "issue_comment",
                    "X-Forgejo-Signature": digest,
                },
            )
            assert answer.status_code == 400, (body[:40], answer.text)
        listed = await hooks.listed()

    assert listed == []


@pytest.mark.parametrize("words", ["\ud800 \x00 \u202e", "{secret} {0.__class__}", ""])
async def test_hostile_words_become_a_task_that_can_be_stored_and_told(
    tmp_path: Path, words: str
) -> None:
    payload = delivery("forgejo", ISSUE).payload
    payload["comment"]["body"] = f"@agent {words}"
    payload["issue"]["title"] = words
    payload["issue"]["labels"] = [{"name": words}] * 5000
    async with hooked(tmp_path) as hooks:
        taken = await hooks.take(signed("forgejo", "issue_comment", payload))
        task = await hooks.ended(taken["task_id"])

    assert task["status"] == "completed"
    assert SECRET not in task["prompt"]


async def test_a_body_of_more_than_1_mb_is_refused(tmp_path: Path) -> None:
    payload = delivery("forgejo", ISSUE).payload
    payload["comment"]["body"] = "@agent " + "x" * 1_000_000
    async with hooked(tmp_path) as hooks:
        answer = await hooks.send(signed("forgejo", "issue_comment", payload))

    assert answer.status_code == 413


async def test_a_delivery_with_an_odd_id_is_told_as_text(tmp_path: Path) -> None:
    sent = delivery("forgejo", ISSUE)
    sent.headers["X-Forgejo-Delivery"] = "a\tb" + "c" * 5000
    async with hooked(tmp_path) as hooks:
        await hooks.take(sent)
        told = await hooks.listed()

    assert told[0]["delivery"].startswith("a b") and len(told[0]["delivery"]) == 128


async def test_bodies_of_anybody_are_bounded_all_together() -> None:
    bodies, size = OpenBodies(most_bytes=100), 60

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * size, "more_body": True}

    with bodies.counted(receive) as first:
        await first()
        with bodies.counted(receive) as second, pytest.raises(TooManyBodies):
            await second()
    with bodies.counted(receive) as third:
        await third()


async def test_a_flood_of_slow_bodies_is_refused_and_leaves_others_alone() -> None:
    """Each connection holds what it sent; together they hold no more than 32 MB."""
    answered: list[int] = []
    held = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("no body is whole")

    async def slow() -> None:
        pieces = iter([b"x" * 990_000])

        async def receive() -> Message:
            for piece in pieces:
                return {"type": "http.request", "body": piece, "more_body": True}
            await held.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
                held.set()

        scope = {"type": "http", "method": "POST", "path": "/webhooks/github"}
        await edge({**scope, "headers": []}, receive, send)

    edge = Edge(app, EdgeRules("token", "1", "commit"))
    async with asyncio.TaskGroup() as tasks:
        for _connection in range(40):
            tasks.create_task(slow())

    assert set(answered) == {503}
    assert len(answered) == 8
