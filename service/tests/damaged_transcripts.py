# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What can happen to a transcript, and the verdict on it: one table for every reader.

The service's scanner and the collection's are held to it, and the real CLI shows that
what is called sound or repaired is resumed and what is called unusable is not.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

SESSION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
WORDS = ("mango", "kiwi", "plum")
MIDDLE = "kiwi"

Lines = list[bytes]


@dataclass(frozen=True)
class Damage:
    """One deed: what it makes of the lines, and what is to be found."""

    name: str
    deed: Callable[[Lines], bytes]
    verdict: str
    kinds: frozenset[str] = frozenset()
    # What the words are after a repair; none where nothing is repaired.
    words: tuple[str, ...] | None = None


def transcript(session: str = SESSION, words: tuple[str, ...] = WORDS) -> Lines:
    """Return the lines of a sound transcript, with the keys that the CLI writes."""
    made: Lines = []
    parent: str | None = None
    for number, word in enumerate(words):
        prompt = str(uuid.UUID(int=1000 + number))
        made.append(_line({"type": "queue-operation", "sessionId": session}))
        for place, said in enumerate(
            (
                ("user", {"role": "user", "content": f"Remember the word {word}."}),
                ("attachment", None),
                ("assistant", _answer(number, word)),
            )
        ):
            kind, message = said
            own = str(uuid.UUID(int=100 * number + place + 1))
            made.append(
                _line(
                    {
                        "parentUuid": parent,
                        "isSidechain": False,
                        **({"promptId": prompt} if kind == "user" else {}),
                        "type": kind,
                        **({"message": message} if message else {}),
                        "uuid": own,
                        "sessionId": session,
                    }
                )
            )
            parent = own
    made.append(_line({"type": "last-prompt", "sessionId": session}))
    return made


def _answer(number: int, word: str) -> dict[str, object]:
    return {
        "id": f"msg_{number}",
        "role": "assistant",
        "model": "a-model",
        "content": [{"type": "text", "text": f"I will remember: {word}."}],
        "stop_reason": "end_turn",
    }


def _line(value: dict[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def place_of(lines: Lines, word: str = MIDDLE) -> int:
    """Return where the user's line with that word is."""
    return next(
        place
        for place, line in enumerate(lines)
        if b'"type":"user"' in line and f"word {word}".encode() in line
    )


def _instead(lines: Lines, make: Callable[[bytes], bytes]) -> bytes:
    place = place_of(lines)
    return b"".join([*lines[:place], make(lines[place]), *lines[place + 1 :]])


def _before(lines: Lines, what: bytes) -> bytes:
    return _instead(lines, lambda line: what + line)


def _without(lines: Lines, *kinds: str) -> bytes:
    return b"".join(line for line in lines if json.loads(line).get("type") not in kinds)


def _cut(lines: Lines) -> bytes:
    place = place_of(lines, WORDS[-1])
    return b"".join(lines[:place]) + lines[place][:40]


def _nested(depth: int) -> bytes:
    return b'{"type":"user","a":' + b"[" * depth + b"]" * depth + b"}\n"


def _kinds(text: str) -> frozenset[str]:
    return frozenset(text.split())


BROKEN = "broken_chain"
WITHOUT_MIDDLE = (WORDS[0], WORDS[2])

DAMAGES = (
    Damage("nothing", b"".join, "sound"),
    Damage(
        "a tail cut off",
        _cut,
        "damaged",
        _kinds("torn no_final_newline"),
        WORDS[:2],
    ),
    Damage(
        "no final line break",
        lambda lines: b"".join(lines)[:-1],
        "damaged",
        _kinds("no_final_newline"),
        WORDS,
    ),
    Damage(
        "garbage in the middle",
        lambda lines: _before(lines, b"garbage\n"),
        "damaged",
        _kinds("torn"),
        WORDS,
    ),
    Damage(
        "garbage at the end",
        lambda lines: b"".join(lines) + b"garbage\n",
        "damaged",
        _kinds("torn"),
        WORDS,
    ),
    Damage(
        "garbage in place of a line",
        lambda lines: _instead(lines, lambda line: b"x" * (len(line) - 1) + b"\n"),
        "damaged",
        _kinds(f"torn {BROKEN}"),
        WITHOUT_MIDDLE,
    ),
    Damage(
        "a hole of NULs in place of a line",
        lambda lines: _instead(lines, lambda line: b"\0" * len(line)),
        "damaged",
        _kinds(f"nul {BROKEN}"),
        WITHOUT_MIDDLE,
    ),
    Damage(
        "NULs before a line",
        lambda lines: _before(lines, b"\0" * 300_000),
        "damaged",
        _kinds(f"nul {BROKEN}"),
        WORDS,
    ),
    Damage(
        "NULs at the end",
        lambda lines: b"".join(lines) + b"\0" * 4096,
        "damaged",
        _kinds("nul no_final_newline"),
        WORDS,
    ),
    Damage(
        "two lines in one",
        lambda lines: _instead(lines, lambda line: line[:-1]),
        "damaged",
        _kinds(f"spliced {BROKEN}"),
        WORDS,
    ),
    Damage(
        "a whole line after a torn one",
        lambda lines: _before(lines, lines[0][:20]),
        "damaged",
        _kinds(f"spliced {BROKEN}"),
        WORDS,
    ),
    Damage(
        "a byte that is no text",
        lambda lines: _instead(
            lines, lambda line: line.replace(b"kiwi.", b"kiwi.\xff")
        ),
        "damaged",
        _kinds("not_utf8"),
        WORDS,
    ),
    Damage(
        "a control sign in a text",
        lambda lines: _instead(
            lines, lambda line: line.replace(b"kiwi.", b"kiwi.\x01")
        ),
        "damaged",
        _kinds(f"torn {BROKEN}"),
        WORDS,
    ),
    Damage(
        "a line that is no object",
        lambda lines: _before(lines, b'[1, 2]\n"x"\nnull\n'),
        "damaged",
        _kinds("no_object"),
        WORDS,
    ),
    Damage(
        "a line nested without end",
        lambda lines: _before(lines, _nested(100_000)),
        "damaged",
        _kinds("torn"),
        WORDS,
    ),
    Damage(
        "a line that is gone",
        lambda lines: _instead(lines, lambda _line: b""),
        "damaged",
        _kinds(BROKEN),
        WITHOUT_MIDDLE,
    ),
    Damage("blank lines", lambda lines: _before(lines, b"\n \n\r\n"), "sound"),
    Damage(
        "line ends of another system",
        lambda lines: b"".join(lines).replace(b"\n", b"\r\n"),
        "sound",
    ),
    Damage(
        "a mark of the byte order",
        lambda lines: b"\xef\xbb\xbf" + b"".join(lines),
        "sound",
    ),
    Damage("nothing left", lambda _lines: b"", "unusable", _kinds("empty")),
    Damage(
        "garbage only",
        lambda _lines: b"\x80garbage" * 500,
        "unusable",
        _kinds("not_utf8 no_final_newline no_conversation"),
    ),
    Damage(
        "NULs only",
        lambda lines: b"\0" * len(b"".join(lines)),
        "unusable",
        _kinds("nul no_final_newline no_conversation"),
    ),
    Damage(
        "nothing of the conversation",
        lambda lines: b"".join(line for line in lines if b'"queue-operation"' in line),
        "unusable",
        _kinds("no_conversation"),
    ),
    Damage(
        "side lines only",
        lambda lines: b"".join(lines).replace(
            b'"isSidechain":false', b'"isSidechain":true'
        ),
        "unusable",
        _kinds("no_conversation"),
    ),
    Damage(
        "every line after NULs",
        lambda lines: b"".join(b"\0" + line for line in lines),
        "unusable",
        _kinds("nul no_conversation"),
        WORDS,
    ),
    Damage(
        "lines of something else",
        lambda _lines: b'{"type":"weird","a":1}\n' * 5,
        "foreign",
        _kinds("foreign"),
    ),
    Damage(
        "another session's lines",
        lambda lines: b"".join(lines).replace(SESSION.encode(), OTHER.encode()),
        "foreign",
        _kinds("foreign"),
    ),
)
