# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls that control has under way in one agent."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping

from agentd.errors import AgentLost, CallRefused, CallTimedOut
from agentd.spawner.frames import FrameInvalid, FrameKind
from agentd.spawner.link import Link

REASON_CHARACTERS = 500


class CallTable:
    """Matches answers to calls; an answer that nobody awaits is ignored."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Future[dict[str, object] | None]] = {}

    def lose_all(self) -> None:
        """End every call: the connection went away."""
        for future in self._pending.values():
            if not future.done():
                future.set_result(None)
        self._pending.clear()

    def answer(self, message: Mapping[str, object]) -> bool:
        """Give an answer to its call; return False if none awaits it."""
        number = message.get("id")
        if not isinstance(number, int):
            return False
        future = self._pending.pop(number, None)
        if future is None or future.done():
            return False
        future.set_result(dict(message))
        return True

    async def call(
        self,
        link: Link,
        name: str,
        parameters: Mapping[str, object],
        timeout_seconds: float,
    ) -> dict[str, object]:
        """Return the answer; raise CallRefused, CallTimedOut or AgentLost."""
        number = next(self._numbers)
        future: asyncio.Future[dict[str, object] | None]
        future = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        message = {"id": number, "name": name, "parameters": parameters}
        try:
            async with asyncio.timeout(timeout_seconds):
                await link.send_json(FrameKind.CALL, message)
                answer = await future
        except TimeoutError as error:
            raise CallTimedOut(
                f'Cannot finish "{name}" in agent "{self._agent}": it did not '
                f"answer within {timeout_seconds:g} s. Look at its container's load."
            ) from error
        except FrameInvalid as error:
            raise CallRefused(f'Cannot send "{name}": {error}') from error
        except OSError:
            answer = None
        finally:
            self._pending.pop(number, None)
        return self._result(name, answer)

    def _result(
        self, name: str, answer: Mapping[str, object] | None
    ) -> dict[str, object]:
        if answer is None:
            raise AgentLost(
                f'Cannot finish "{name}" in agent "{self._agent}": the connection '
                "to it went away. Try again when it is connected."
            )
        result = answer.get("result")
        if isinstance(result, dict):
            return result
        reason = printable(answer.get("error"))
        raise CallRefused(f'Agent "{self._agent}" refused "{name}": {reason}', reason)


def printable(reason: object) -> str:
    """Return what the other side gave as its reason, made safe to show and log."""
    if not isinstance(reason, str) or not reason:
        return "it gave no reason"
    shown = reason[:REASON_CHARACTERS]
    return "".join(character if character.isprintable() else " " for character in shown)
