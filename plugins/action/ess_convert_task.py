# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection; the documentation is that of the module of the same name.
"""The controller's side of ``ess_convert_task``: says what may have happened when the module is lost."""

from __future__ import annotations

from ansible_collections.cloudwait.conversion.plugins.module_utils import _uncertain
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._start import StartAction


class ActionModule(StartAction):
    """Runs the module as Ansible would without this file."""

    tried = "Starting a Tencent ESS cloud task"

    def uncertain(self) -> str:
        """What to do when it may have happened."""
        return _uncertain.ESS
