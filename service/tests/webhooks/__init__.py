# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Webhooks: signatures, what they tell, what is done, repeats and kills."""
