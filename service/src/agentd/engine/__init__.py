# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The engine: live Claude clients, and turns in them."""

from __future__ import annotations
