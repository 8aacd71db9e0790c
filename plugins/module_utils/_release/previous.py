# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The previous release, put back by hand."""

from __future__ import annotations

import time

from .._deploy.decide import Verdict, decide_previous
from .._deploy.journal import UNDOING, Journal
from .._deploy.release import ReleaseIndex
from .._errors import AgentkeepError, DeploymentFailed, DeploymentRefused
from .back import put_back
from .databases import database_directories
from .store import JOURNAL
from .workshop import Workshop


def go_back(shop: Workshop) -> Verdict:
    """Put the release before the current one back, and make it the current one."""
    reading = shop.read()
    verdict = decide_previous(reading, shop.wanted)
    target, leaves = reading.previous, reading.current
    if target is None or leaves is None:
        raise DeploymentRefused(
            f'Cannot put back the previous release of "{shop.wanted.deployment.name}"',
            "the current one is not known",
            "Set state to present and declare what should run.",
        )
    mark = f"{leaves.id}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    # An interrupted run goes on towards the same release.
    journal = Journal(
        to=leaves.id,
        before=target.id,
        copied=True,
        mark=mark,
        touched=tuple(target.services),
    )
    ours = [one.observed for one in reading.found.values() if one.ours]
    shop.containers.stop(ours)
    begun = reading.journal is not None and reading.journal.undoes
    if not begun:
        shop.databases.copy(leaves, database_directories(shop.wanted.deployment))
    journal = shop.store.write_journal(journal.at(UNDOING))
    try:
        put_back(shop, target, leaves, journal)
    except AgentkeepError as error:
        raise DeploymentFailed(
            f'Cannot put back the previous release of "{shop.wanted.deployment.name}"',
            str(error),
            "Run with state present to go forward again.",
        ) from error
    shop.store.write_index(ReleaseIndex(current=target.id, previous=leaves.id))
    shop.store.drop(JOURNAL)
    return verdict
