# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sessions: their identity, and pure decisions on how to go on in one."""

from __future__ import annotations
