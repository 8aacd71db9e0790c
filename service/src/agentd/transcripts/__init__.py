# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Find a session's transcript on disk, prove what it holds, judge it and repair it."""
