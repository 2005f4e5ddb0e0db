# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""Finds out whether people or programs read what Ansible prints to standard output."""

from __future__ import annotations

import functools

from ansible import constants
from ansible.context import CLIARGS
from ansible.plugins.callback.default import CallbackModule as Default
from ansible.plugins.callback.minimal import CallbackModule as Minimal
from ansible.plugins.loader import callback_loader


@functools.cache
def is_for_programs() -> bool:
    """Returns whether the callback plugin for standard output writes for programs: JSON, or one line per host.

    Callbacks that are based on Ansible's default ones write for people. Any other is taken for one that writes for
    programs, whose input must not be disturbed.
    """
    name = _stdout_callback()
    if name in ("default", "minimal", "ansible.builtin.default", "ansible.builtin.minimal"):
        return False
    plugin = callback_loader.get(name, class_only=True)
    return not (isinstance(plugin, type) and issubclass(plugin, (Default, Minimal)))


def _stdout_callback() -> str:
    """Returns the name of the callback plugin for standard output, as ``ansible`` or ``ansible-playbook`` choose it."""
    configured = str(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK"))
    if "module_name" not in CLIARGS:  # ansible-playbook
        return configured
    if CLIARGS.get("one_line"):
        return "oneline"
    chosen = constants.config.get_config_value("DEFAULT_LOAD_CALLBACK_PLUGINS") and configured != "default"
    return configured if chosen else "minimal"


__all__ = ["is_for_programs"]
