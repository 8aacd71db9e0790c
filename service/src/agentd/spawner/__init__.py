# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Start CLI processes and call fixed functions in an agent over its Unix socket."""
