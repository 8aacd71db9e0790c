# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The hosts that share one database: who is there, and who was lost."""

from __future__ import annotations
