# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.
"""Documentation of what modules can do."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of the info modules, and of the action groups."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details:
      - This module never changes anything, so check mode makes no difference.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details:
      - This module never changes anything.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
    support: full
"""

    TENCENT = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/cloudwait.conversion.tencent) or C(group/cloudwait.conversion.all) in C(module_defaults).
    support: full
    membership:
      - cloudwait.conversion.tencent
      - cloudwait.conversion.all
"""

    WAIT = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/cloudwait.conversion.tencent), C(group/cloudwait.conversion.dingtalk) or
        C(group/cloudwait.conversion.all) in C(module_defaults).
    support: full
    membership:
      - cloudwait.conversion.tencent
      - cloudwait.conversion.dingtalk
      - cloudwait.conversion.all
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
  async:
    description: Supports being used with the C(async) keyword.
"""

    DINGTALK = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/cloudwait.conversion.dingtalk) or C(group/cloudwait.conversion.all) in C(module_defaults).
    support: full
    membership:
      - cloudwait.conversion.dingtalk
      - cloudwait.conversion.all
"""
