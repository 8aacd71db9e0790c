# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module says about check mode, diff and idempotence."""

from __future__ import annotations


class ModuleDocFragment:
    """Hold the attributes that modules share."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description:
      - Can run in check mode and return what it would change without changing it.
  diff_mode:
    description: Returns what changed, or would change, when diff mode is on.
  idempotent:
    description: A second run with the same options changes nothing.
  platform:
    description: The systems that the module runs on.
    platforms: posix
    support: full
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module only reads.
  idempotent:
    support: full
    details:
      - This module only reads.
"""
