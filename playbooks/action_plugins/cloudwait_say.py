# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints plain lines, and the cloud tasks of waits as a table. For the demo, which is read and not parsed.

``ansible.builtin.debug`` would print them as JSON, with quotes and without colours.
"""

from __future__ import annotations

import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.model import read_report
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.table import make_table
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.words import LANGUAGES
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _stdout_callback

display = Display()


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible has no types
    """Prints the argument ``waits`` as a table, coloured where Ansible uses colours, and then ``lines``."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"lines", "waits"})

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the action. Returns a result that says nothing more."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        colours = {"good": constants.COLOR_OK, "bad": constants.COLOR_ERROR, "late": constants.COLOR_WARN, "open": None}
        waits = self._task.args.get("waits")
        table = make_table(read_report(waits, ""), LANGUAGES["en"]) if waits else []
        for line, tone in [*table, *((str(line), "open") for line in self._task.args.get("lines", []))]:
            display.display(line, color=colours[tone], stderr=_stdout_callback.is_for_programs())
        return {**result, "changed": False}
