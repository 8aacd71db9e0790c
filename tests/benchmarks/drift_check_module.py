# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Run a module with the options in a file, as one process of its own."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from ansible.module_utils.testing import patch_module_args

MODULES = "ansible_collections.agentkeep.agents.plugins.modules"

if __name__ == "__main__":
    options = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    module = importlib.import_module(f"{MODULES}.{sys.argv[1]}")
    with patch_module_args(options):
        module.main()
