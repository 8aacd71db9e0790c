# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The database: opened, moved to this schema, read and written."""

from __future__ import annotations
