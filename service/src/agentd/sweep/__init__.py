# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is removed after a time: sessions, worktrees, transcripts and old files."""
