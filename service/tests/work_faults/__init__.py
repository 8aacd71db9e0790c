# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Agents on many branches, while issues close, sweeps run and processes are killed."""
