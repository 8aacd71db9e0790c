# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The agent service of Agentkeep."""

from __future__ import annotations

__version__ = "0.1.0"
