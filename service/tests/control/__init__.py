# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tests of control: with fakes, and with the real CLI over real sockets."""
