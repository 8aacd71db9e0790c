# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Clones of repositories and the worktrees of agents; standard library only."""
