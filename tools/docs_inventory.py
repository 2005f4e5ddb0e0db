# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the inventory from which Sphinx makes links to Ansible's own documentation.

Every build would have to download the real inventory, so this one has only what our pages refer to. If a reference is
missing here, the build fails and names it.
"""

from __future__ import annotations

import pathlib
import sys
import zlib

HEAD = """\
# Sphinx inventory version 2
# Project: Ansible
# Version: devel
# The remainder of this file is compressed using zlib.
"""
LABELS = {
    "action_plugins": ("plugins/action.html#action-plugins", "Action plugins"),
    "ansible_configuration_settings": (
        "reference_appendices/config.html#ansible-configuration-settings",
        "Ansible Configuration Settings",
    ),
    "ansible_collections.ansible.builtin.async_status_module": (
        "collections/ansible/builtin/async_status_module.html#ansible-collections-ansible-builtin-async-status-module",
        "ansible.builtin.async_status",
    ),
    "common_return_values": ("reference_appendices/common_return_values.html#common-return-values", "Return Values"),
}


def write(path: pathlib.Path) -> None:
    """Write the inventory of ``LABELS`` to a file."""
    lines = [f"{label} std:label -1 {place} {title}\n" for label, (place, title) in sorted(LABELS.items())]
    path.write_bytes(HEAD.encode() + zlib.compress("".join(lines).encode()))


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
