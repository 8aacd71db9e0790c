# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options ask for on this host."""

from __future__ import annotations

from typing import Any, Mapping

from .._deploy.wanted import Wanted, wanted_of
from .._engine.engine import wait_for
from .._engine.on_host import deployment_on_host
from .._files.host_paths import HostPaths
from .._mounts.effective import mount_list


def declared(params: Mapping[str, Any]) -> Wanted:
    """Given the options of a module, return what they ask for on this host."""
    wait_for(str(params["engine_socket"]), params.get("engine_wait_seconds") or 0)
    deployment = deployment_on_host(params).deployment
    return wanted_of(params, deployment, mount_list(params, deployment, HostPaths()))
