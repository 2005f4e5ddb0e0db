# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""The options that modules share, each set as a function so that no two modules share one dict.

The documentation of each set is the doc fragment of the same name.
"""

from __future__ import annotations

from .._oldest_python import refuse_older_python

refuse_older_python()  # here, since each module imports this file before any other of the collection

from .._services.task_options import Spec, spec_of  # noqa: E402 # only a new enough Python can read it


def tencent() -> Spec:
    """A Tencent key pair or where to find one, and the region, which some modules do not need; fragment ``_tencent``."""
    return {
        "secret_id": {"type": "str", "no_log": True},
        "secret_key": {"type": "str", "no_log": True},
        "token": {"type": "str", "no_log": True},
        "profile": spec_of("profile"),
        "cvm_role": {"type": "str"},
        "region": spec_of("region"),
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
        "site": spec_of("site"),
        "request_timeout": {"type": "raw", "default": 10},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
    }


def one_poll() -> Spec:
    """What a single poll has and a wait has not; fragment ``_transport.poll``."""
    return {
        "endpoint": {"type": "str"},
        "request_retries": {"type": "int", "default": 3},
    }


def ess() -> Spec:
    """On whose behalf Tencent ESS is asked, and which edition of it."""
    return {
        "agent": spec_of("agent"),
        "operator": spec_of("operator"),
        "edition": spec_of("edition", default="auto"),
    }


def http_method() -> Spec:
    """How Tencent MPS is asked; the vendor's page shows GET."""
    return {"http_method": {"type": "str", "default": "POST", "choices": ["POST", "GET"]}}


def one_task() -> Spec:
    """What describes a cloud task of any service, without what the other sets have."""
    return {
        name: spec_of(name) for name in ("provider", "task_id", "bucket", "agent", "operator", "edition", "api_action")
    }


def wait() -> Spec:
    """All options of ``wait_for_task``; the module's own documentation and three fragments."""
    from .._wait import options  # noqa: PLC0415 # every other module would pay for what it does not use

    return {
        **one_task(),
        "tasks": {"type": "list", "elements": "raw"},
        **options.POLICY,
        **options.ON_CONTROLLER,
        "endpoint": one_poll()["endpoint"],
        **tencent(),
        **dingtalk(),
        **transport(),
    }


__all__ = ["Spec", "dingtalk", "ess", "http_method", "one_poll", "one_task", "tencent", "transport", "wait"]
