# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Events of forges and trackers: checked, judged, and given to agents as tasks."""
