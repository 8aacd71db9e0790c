# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Run state_layout with the options in a file, as one process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ansible.module_utils.testing import patch_module_args
from ansible_collections.agentkeep.agents.plugins.modules import state_layout

if __name__ == "__main__":
    options = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with patch_module_args(options):
        state_layout.main()
