# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done when the new containers fail, and what is said of it (K15)."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from .._deploy.decide import Verdict
from .._deploy.journal import UNDOING, Journal
from .._deploy.plan import CREATED, RECREATED, REMOVED, STARTED
from .._deploy.release import Release
from .._errors import AgentkeepError, DeploymentFailed
from .back import put_back
from .logs import last_words, masked
from .store import JOURNAL
from .workshop import Workshop

LONGEST_SECRET_FILE = 4096


def gone_back(
    shop: Workshop,
    verdict: Verdict,
    way: tuple[Journal, Release | None],
    error: AgentkeepError,
) -> DeploymentFailed:
    """Put the previous release back, if there is one; return the error that says so."""
    journal, before = way
    what = f'Cannot deploy "{shop.wanted.deployment.name}"'
    # A health check may say what it was given.
    cause = masked(error.why.rstrip("."), _secrets(verdict))
    why = f"{error.what}: {cause}. Last logs:\n{_words(shop, verdict)}\n"
    if before is None or before.id == journal.to:
        shop.store.drop(JOURNAL)
        _start_drained(shop, verdict)
        remedy = f"{_without_release(verdict)} {error.remedy}"
        return DeploymentFailed(what, why, remedy)
    try:
        journal = shop.store.write_journal(replace(journal.at(UNDOING), why=cause))
        databases = put_back(shop, before, verdict.release, journal)
    except AgentkeepError as second:
        started = _start_what_is_left(shop, verdict)
        return DeploymentFailed(
            what,
            f"{why}The previous release {before.id} could not be put back{started}: "
            f"{second}",
            "Correct what it names, then run again: the next run goes on with it.",
        )
    shop.store.drop(JOURNAL)
    _drop_networks(shop)
    aside = "".join(
        f" The database in {one} is what it was before, too; the failed one is kept "
        f"beside it, its name ends in failed-{journal.mark}."
        for one in databases
    )
    return DeploymentFailed(
        what,
        why,
        f"The previous release {before.id} was put back and runs.{aside} "
        f"{error.remedy}",
    )


def _drop_networks(shop: Workshop) -> None:
    """Remove what only the failed release used; else the next one that runs does."""
    with contextlib.suppress(AgentkeepError):
        names = shop.store.index().kept()
        kept = [shop.store.release(name) for name in names]
        if kept and all(kept):
            shop.resources.tidy_networks([one for one in kept if one is not None])


def _without_release(verdict: Verdict) -> str:
    """Return what to do where no release is kept, as after an older version's run."""
    ran = verdict.decision.of(RECREATED)
    images = sorted({one.observed.image for one in ran if one.observed})
    before = f" The image of before is {', '.join(images)}: deploy it again."
    return f"There is no other release to put back.{before if images else ''}"


def _start_what_is_left(shop: Workshop, verdict: Verdict) -> str:
    """Start what ran, was stopped and is not replaced yet; say which that is."""
    started = []
    for one in verdict.decision.of(RECREATED, REMOVED):
        with contextlib.suppress(AgentkeepError):
            if one.observed and one.observed.running:
                shop.containers.start([one.observed])
                started.append(one.name)
    with contextlib.suppress(AgentkeepError):
        _start_drained(shop, verdict)
    return f" ({', '.join(started)} run as before)" if started else ""


def _start_drained(shop: Workshop, verdict: Verdict) -> None:
    decision = verdict.decision
    drained = [one for one in decision.steps if one.service in decision.drained]
    shop.containers.start([one.observed for one in drained if one.observed])


def _words(shop: Workshop, verdict: Verdict) -> str:
    failed = verdict.decision.of(CREATED, RECREATED, STARTED)
    return last_words(shop.engine, [one.name for one in failed], _secrets(verdict))


def _secrets(verdict: Verdict) -> set[str]:
    found = {
        value for one in verdict.containers for value in one.secret_environment.values()
    }
    for step in verdict.files:
        if len(step.content) <= LONGEST_SECRET_FILE:
            found.add(step.content.decode("utf-8", "replace").strip())
    return found - {""}
