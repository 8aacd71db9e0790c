# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The queue: tasks accepted, taken, run and ended; the table of tasks is the truth."""
