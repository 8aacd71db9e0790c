# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Workers killed, and servers restarted, lost and cut off, below a load of tasks."""
