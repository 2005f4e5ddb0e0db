# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""The options that describe one cloud task, with their types.

They are options of modules, keys of the items of a wait, and, except ``api_action`` and ``edition``, keys of a ``ref``.
Each service class lists the names of those that it uses. The types are declared here, so that a wait can check items
without importing the file of every service.
"""

from __future__ import annotations

import typing as t

Spec = dict[str, dict[str, t.Any]]

TASK_OPTIONS: t.Mapping[str, t.Mapping[str, t.Any]] = {
    "provider": {"type": "str"},
    "task_id": {"type": "str"},
    "bucket": {"type": "str"},
    "region": {"type": "str"},
    "agent": {
        "type": "dict",
        "options": {
            "app_id": {"type": "str"},
            "proxy_organization_open_id": {"type": "str"},
            "proxy_operator": {"type": "dict", "options": {"open_id": {"type": "str"}}},
            "proxy_app_id": {"type": "str"},
        },
    },
    "operator": {"type": "dict", "options": {"user_id": {"type": "str"}}},
    "edition": {"type": "str", "choices": ["auto", "channel", "company"]},
    "api_action": {"type": "str", "choices": ["auto", "ChannelGetTaskResultApi", "DescribeFileConvertTask"]},
    "site": {"type": "str", "choices": ["china", "intl"]},
    "profile": {"type": "str"},
}
"""Argument specification of each option."""


def spec_of(name: str, **changes: t.Any) -> dict[str, t.Any]:
    """Returns a copy of an option's argument specification, since Ansible changes what it is given.

    :param changes: members that differ here, such as ``default``.
    """
    return {**_copy(TASK_OPTIONS[name]), **changes}


def _copy(spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: _copy(value) if isinstance(value, t.Mapping) else value for name, value in spec.items()}


__all__ = ["TASK_OPTIONS", "Spec", "spec_of"]
