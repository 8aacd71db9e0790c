# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much may be taken, and what follows if it is more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from .._errors import InvalidInput, UsageExceeded
from .values import Amount, Found

NAMES = ("warn_bytes", "limit_bytes", "total_warn_bytes", "total_limit_bytes")
NOT_WHOLE = (
    "Not everything was counted in time, so that there is more than is told. Raise "
    "scan_timeout_seconds."
)
UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True)
class Limits:
    """Hold what each agent, and all together, may take; None is no limit."""

    warn_bytes: int | None = None
    limit_bytes: int | None = None
    total_warn_bytes: int | None = None
    total_limit_bytes: int | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Limits:
        """Given the options, return the limits; raise InvalidInput."""
        for name in NAMES:
            if params[name] is not None and params[name] < 1:
                raise InvalidInput(
                    f"Cannot read {params[name]} as {name}",
                    "everything would be above it",
                    f"Set {name} to a number of bytes above 0, or leave it out.",
                )
        return cls(**{name: params[name] for name in NAMES})

    def demand(self, found: Found) -> None:
        """Raise UsageExceeded if an agent, or all together, take more than they may."""
        above = tuple(_above(found, self.limit_bytes, self.total_limit_bytes))
        if above:
            raise UsageExceeded(
                "Cannot accept what is taken on disk",
                "; ".join(above),
                "Make room, or raise limit_bytes or total_limit_bytes.",
            )

    def warnings(self, found: Found) -> tuple[str, ...]:
        """Return what an operator should know, in sentences."""
        counted = () if found.whole else (NOT_WHOLE,)
        above = tuple(
            f"{told}." for told in _above(found, self.warn_bytes, self.total_warn_bytes)
        )
        errors = tuple(one.error for one in found.places if one.error is not None)
        return (*above, *counted, *errors, *found.problems)


def _above(found: Found, each: int | None, total: int | None) -> Iterator[str]:
    for name, amount in found.agents.items():
        if each is not None and amount.bytes > each:
            yield _sentence(f'agent "{name}" takes', amount, each)
    if total is not None and found.total.bytes > total:
        yield _sentence("all together take", found.total, total)


def _sentence(who: str, amount: Amount, limit: int) -> str:
    told = f"{who} {readable(amount.bytes)}, more than {readable(limit)}"
    return told[0].upper() + told[1:]


def readable(count: int) -> str:
    """Return a number of bytes for people."""
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {UNITS[unit]}" if size < 999.5 else f"{size:.0f} {UNITS[unit]}"
