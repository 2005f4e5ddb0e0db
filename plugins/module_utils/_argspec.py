# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: what modules share.
"""The options that modules share, each set as a function so that no two modules share one dict.

The documentation of each set is the doc fragment of the same name.
"""

from __future__ import annotations

import typing as t

from ._oldest_python import refuse_older_python

refuse_older_python()  # here, since each module imports this file before any other of the collection

Spec = dict[str, dict[str, t.Any]]


def tencent() -> Spec:
    """A Tencent key pair or where to find one, and the region, which some modules do not need; fragment ``_tencent``."""
    return {
        "secret_id": {"type": "str", "no_log": True},
        "secret_key": {"type": "str", "no_log": True},
        "token": {"type": "str", "no_log": True},
        "profile": {"type": "str"},
        "cvm_role": {"type": "str"},
        "region": {"type": "str"},
    }


def dingtalk() -> Spec:
    """A DingTalk app or token; fragment ``_dingtalk``."""
    return {
        "app_key": {"type": "str", "no_log": True, "aliases": ["client_id"]},
        "app_secret": {"type": "str", "no_log": True, "aliases": ["client_secret"]},
        "access_token": {"type": "str", "no_log": True},
    }


def transport() -> Spec:
    """How requests travel; fragment ``_transport``."""
    return {
        "site": {"type": "str", "choices": ["china", "intl"]},
        "request_timeout": {"type": "raw", "default": 10},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
    }


def one_look() -> Spec:
    """What only a single look has; fragment ``_transport.look``."""
    return {
        "endpoint": {"type": "str"},
        "request_retries": {"type": "int", "default": 3},
    }


def agent() -> dict[str, t.Any]:
    """On whose behalf Tencent ESS is asked."""
    return {
        "type": "dict",
        "options": {
            "app_id": {"type": "str"},
            "proxy_organization_open_id": {"type": "str"},
            "proxy_operator": {"type": "dict", "options": {"open_id": {"type": "str"}}},
            "proxy_app_id": {"type": "str"},
        },
    }


def operator() -> dict[str, t.Any]:
    """By whom the company edition of Tencent ESS is asked."""
    return {"type": "dict", "options": {"user_id": {"type": "str"}}}


def edition() -> dict[str, t.Any]:
    """Which edition of Tencent ESS is asked."""
    return {"type": "str", "default": "auto", "choices": ["auto", "channel", "company"]}


def api_action() -> dict[str, t.Any]:
    """With which operation Tencent ESS is asked."""
    return {
        "type": "str",
        "default": "auto",
        "choices": ["auto", "ChannelGetTaskResultApi", "DescribeFileConvertTask"],
    }


def start_action() -> dict[str, t.Any]:
    """With which operation Tencent ESS is told to convert."""
    return {
        "type": "str",
        "default": "auto",
        "choices": ["auto", "ChannelCreateConvertTaskApi", "CreateFileConvertTask"],
    }


def wait() -> Spec:
    """All options of ``wait_for_task``; the module's own documentation and three fragments."""
    from . import _wait_options  # noqa: PLC0415 # every other module would pay for what it does not use

    return {
        "provider": {"type": "str"},
        "task_id": {"type": "str"},
        "bucket": {"type": "str"},
        "agent": agent(),
        "operator": operator(),
        "edition": {**edition(), "default": None},
        "api_action": {**api_action(), "default": None},
        "tasks": {"type": "list", "elements": "raw"},
        **_wait_options.POLICY,
        **_wait_options.ON_CONTROLLER,
        "endpoint": one_look()["endpoint"],
        **tencent(),
        **dingtalk(),
        **transport(),
    }


__all__ = [
    "Spec",
    "agent",
    "api_action",
    "dingtalk",
    "edition",
    "one_look",
    "operator",
    "start_action",
    "tencent",
    "transport",
    "wait",
]
