# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations: one turn at a time in each, to its end and stored."""

from __future__ import annotations
