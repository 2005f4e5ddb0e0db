# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.
"""Documentation of what modules can do."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of the info modules and of those that start cloud tasks, and of the action groups."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details:
      - This module never changes anything, so check mode makes no difference.
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details:
      - This module never changes anything.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
    support: full
"""

    STARTS = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details:
      - Starts nothing. All that can be checked on the host is checked as it is outside check mode.
      - The record has no C(task_id) and the status V(unknown). M(cloudwait.conversion.wait_for_task) accepts it and
        counts it as unfinished, so a play that starts and waits can be run with C(--check).
      - With O(ledger), a cloud task that was started before is polled or searched for and returned, since that only
        reads. The ledger is not changed.
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details:
      - Shows what is asked for, without passwords, and with O(ledger) the cloud task that is there.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
    support: partial
    details:
      - Only with O(ledger). Without it, each run starts another cloud task.
  action:
    description:
      - Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details:
      - The action plugin runs the module unchanged. When the module is killed or its connection is lost, the action
        plugin reports what may have happened.
  async:
    description: Supports being used with the C(async) keyword.
    support: full
    details:
      - For a module that was killed in the background, M(ansible.builtin.async_status) returns no C(error) and not
        RV(ignore:changed=true), although the cloud task may exist.
notes:
  - A start is not repeated when it is uncertain whether it happened, such as after a time-out, a broken connection, an
    error on the vendor's side like HTTP 500, or an unreadable answer. The module then fails with
    RV(ignore:changed=true) and RV(ignore:error.retryable=false), and its message says that the cloud task may exist and
    where to search for it. With O(ledger), the module searches for it itself, as far as the vendor offers that.
  - The result is the same when the module was killed, crashed, lost its connection to the host while it ran, or was
    ended by the C(timeout) of the Ansible task; C(error.kind) is V(interrupted) then. A module that is ended by
    C(SIGTERM) or C(SIGINT) before it sent anything reports that nothing was changed.
  - Do not use the keywords C(until) and C(retries) with this module without checking RV(ignore:error.retryable). They
    repeat every failure, including an uncertain start, and so may start and pay for a second cloud task. With O(ledger),
    repeating is safe. O(request_retries) repeats only what is safe to repeat.
  - When the connection breaks while this module runs, the module is not run again, whatever C(reconnection_retries) of
    the ssh connection says; that option then applies to connecting only.
  - A start that the vendor throttled, or that certainly never reached the vendor, is repeated up to O(request_retries)
    times.
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

    ANY_SERVICE = r"""
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
"""

    WAIT = r"""
options: {}
attributes:
  action:
    description:
      - Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
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
