# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Processes killed at random points below a load of conversations."""
