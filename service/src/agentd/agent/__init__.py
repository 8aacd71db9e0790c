# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent side: holds one agent's state, runs its CLI processes, holds no key."""
