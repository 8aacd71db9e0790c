# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The dashboard: pages that the service makes of what it knows."""

from __future__ import annotations
