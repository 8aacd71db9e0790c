# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The gateway reads what a request asks for as every other reader of JSON does."""

from __future__ import annotations

import json
import random

import pytest

from agentd.gateway.scan import MAX_KEYS, Asked, BodyRefused, BodyScan


def scanned(body: bytes, size: int = 65_536) -> Asked:
    """Return what a body asks for, taken in pieces of that size."""
    scan = BodyScan()
    for start in range(0, len(body), size):
        scan.feed(body[start : start + size])
    return scan.finish()


def some_value(chance: random.Random, depth: int = 0) -> object:
    """Return some JSON value, with what could confuse a reader in its texts."""
    if depth < 4 and chance.random() < 0.3:
        return [some_value(chance, depth + 1) for _unused in range(chance.randrange(4))]
    if depth < 4 and chance.random() < 0.3:
        keys = chance.sample(["model", 'x"y', "max_tokens", "\\"], chance.randrange(4))
        return {key: some_value(chance, depth + 1) for key in keys}
    texts = ["a", '\\"', "é\n{[", '}],"model":"b"', "\u2028", ""]
    return chance.choice([*texts, 7, -1.5e3, None, True])


@pytest.mark.parametrize("seed", range(200))
def test_a_body_is_read_as_json_is_whatever_the_pieces_are(seed: int) -> None:
    chance = random.Random(seed)
    keys = [f"{chance.choice(['messages', 'té', 'system'])}{n}" for n in range(4)]
    body = {key: some_value(chance) for key in keys}
    body |= {"model": f"m-{seed}", "max_tokens": seed, "stream": chance.random() < 0.5}
    names = list(body)
    chance.shuffle(names)
    content = json.dumps(
        {name: body[name] for name in names},
        ensure_ascii=chance.random() < 0.5,
        indent=chance.choice([None, 1]),
    ).encode()

    wanted = Asked(f"m-{seed}", seed, body["stream"] is True)
    assert scanned(content, chance.choice([1, 2, 3, 7, 100, 9999])) == wanted
    with pytest.raises(BodyRefused):
        scanned(content[: chance.randrange(len(content))])


REFUSED = {
    "the model twice": b'{"model":"a","model":"b"}',
    "the model twice, once in escapes": rb'{"model":"a","\u006dodel":"b"}',
    "the model in capitals": b'{"Model":"a","model":"b"}',
    "the model with a space": b'{"model ":"a","model":"b"}',
    "no model": b'{"messages":[]}',
    "the model in an object": b'{"model":{"model":"a"}}',
    "a model that is none": b'{"model":""}',
    "a long model": b'{"model":"' + b"a" * 300 + b'"}',
    "a model of no text": rb'{"model":"\x"}',
    "tokens below zero": b'{"model":"a","max_tokens":-1}',
    "tokens as text": b'{"model":"a","max_tokens":"9"}',
    "tokens without end": b'{"model":"a","max_tokens":' + b"9" * 300 + b"}",
    "more tokens than can be": b'{"model":"a","max_tokens":99999999999}',
    "a stream that is none": b'{"model":"a","stream":1}',
    "a comment": b'{"model":"a",/* "*/"x":1}',
    "a comment inside": b'{"model":"a","x":[/*]*/]}',
    "quotes of another kind": b"{'model':'a'}",
    "a list": b'[{"model":"a"}]',
    "two objects": b'{"model":"a"}{"model":"b"}',
    "text behind it": b'{"model":"a"}x',
    "a comma too many": b'{"model":"a",}',
    "another encoding": '{"model":"a"}'.encode("utf-16-le"),
    "a mark of bytes": b'\xef\xbb\xbf{"model":"a"}',
    "nothing": b"",
    "a body that ends early": b'{"model":"a"',
    "depth": b'{"model":"a","x":' + b"[" * 10_000,
    "keys without end": b"{" + b'"x":1,' * (MAX_KEYS + 1) + b'"model":"a"}',
    "parts without end": b'{"model":"a","x":[' + b"[[[]]]," * 300_000 + b"1]}",
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("size", [3, 65_536])
def test_what_could_be_read_in_two_ways_is_refused(name: str, size: int) -> None:
    with pytest.raises(BodyRefused):
        scanned(REFUSED[name], size)


def test_the_model_is_known_before_the_end() -> None:
    scan = BodyScan()

    scan.feed(b'{"model":"a","messages":[')

    assert scan.model == "a"


def test_names_inside_other_values_do_not_count() -> None:
    body = b'{"x":{"model":"b","max_tokens":9},"model":"a","y":"\\"model\\":"}'

    assert scanned(body) == Asked("a")
