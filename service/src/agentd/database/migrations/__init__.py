# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The schema's migrations, run by control when it starts."""

from __future__ import annotations
