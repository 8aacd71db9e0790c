# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The one sync of skills: nothing is lost, nothing removed comes back."""
