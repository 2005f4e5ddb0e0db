# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection; the documentation is that of the module of the same name.
"""Action plugin of ``mps_task_abort``: reports what may have happened when the module is lost."""

from __future__ import annotations

from ansible_collections.cloudwait.conversion.plugins.module_utils import _uncertain
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._start import StartAction


class ActionModule(StartAction):
    """Runs the module like Ansible's own action, and reports what a lost module may have done."""

    tried = "Aborting a Tencent MPS cloud task"

    def uncertain(self) -> str:
        """Returns what to do when it is uncertain whether the call was carried out."""
        return _uncertain.MPS_ABORT
