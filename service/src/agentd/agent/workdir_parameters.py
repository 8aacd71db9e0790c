# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the calls about worktrees are given, taken only when it is acceptable."""

from __future__ import annotations

import math
from collections.abc import Mapping

from agentd.spawner.dial import CallFailed
from agentd.workdirs.names import (
    MAX_HOLDER,
    NameRefused,
    RepositoryName,
    is_branch,
    is_holder,
    parse_repository,
)

MAX_TREES = 200
MAX_SECONDS = 10 * 365 * 86_400.0

Given = Mapping[str, object]


def tree_of(given: Given) -> tuple[RepositoryName, str]:
    """Return the repository and the branch that a call is about; raise CallFailed."""
    repository, branch = given.get("repository"), given.get("branch")
    if not isinstance(repository, str):
        raise CallFailed("repository has to be forge:owner/name.")
    if not isinstance(branch, str) or not is_branch(branch):
        raise CallFailed("branch has to be the name of one.")
    try:
        return parse_repository(repository), branch
    except NameRefused as error:
        raise CallFailed(str(error)) from error


def trees_of(given: Given) -> list[tuple[RepositoryName, str]]:
    """Return the worktrees that a call is about; raise CallFailed."""
    trees = given.get("trees")
    if not isinstance(trees, list) or not all(isinstance(one, dict) for one in trees):
        raise CallFailed("trees has to be a list of repositories and branches.")
    if len(trees) > MAX_TREES:
        raise CallFailed(f"trees holds more than {MAX_TREES}.")
    return list(dict.fromkeys(tree_of(one) for one in trees))


def base_of(given: Given) -> str | None:
    """Return the branch that a new one begins at, if one is named."""
    base = given.get("base")
    if base is None:
        return None
    if not isinstance(base, str) or not is_branch(base):
        raise CallFailed("base has to be the name of a branch.")
    return base


def holder_of(given: Given) -> str:
    """Return who holds a worktree; raise CallFailed."""
    holder = given.get("holder")
    if not isinstance(holder, str) or not is_holder(holder):
        raise CallFailed(
            f"holder has to be a printable text of at most {MAX_HOLDER} characters."
        )
    return holder


def seconds(given: Given, name: str, default: float) -> float:
    """Return a span of time; raise CallFailed."""
    value = given.get(name, default)
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not math.isfinite(value)
        or not 0 <= value <= MAX_SECONDS
    ):
        raise CallFailed(f"{name} has to be a number of seconds from 0 on.")
    return float(value)


def a_flag(given: Given, name: str, default: bool = False) -> bool:
    """Return what is true or false; raise CallFailed."""
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise CallFailed(f"{name} has to be true or false.")
    return value


def a_limit(given: Given, most: int) -> int:
    """Return how many may be told, at most so many; raise CallFailed."""
    limit = given.get("limit", most)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise CallFailed("limit has to be a number above 0.")
    return min(limit, most)
