# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One module for each step of the schema."""

from __future__ import annotations
