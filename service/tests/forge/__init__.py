# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A forge for tests: real repositories over HTTP and SSH, issues, and webhooks."""
