# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Definitions, skills and webhook settings: uploaded, resolved and read."""
