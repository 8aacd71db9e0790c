# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Keys and sign-ins that are uploaded: what is taken, how it stands, how it is kept."""
