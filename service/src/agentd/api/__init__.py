# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The HTTP API, one file for each resource."""

from __future__ import annotations
