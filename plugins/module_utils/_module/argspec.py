# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""The argument specifications that modules share. Each function returns a new dict, since Ansible changes them.

The documentation of each set of options is the doc fragment that its function names.
"""

from __future__ import annotations

from .._oldest_python import refuse_older_python

refuse_older_python()  # here, since every module imports this file first

from .._services.task_options import Spec, spec_of  # noqa: E402 # an older Python could not compile it


def tencent() -> Spec:
    """Returns the options for a Tencent key pair or its source, and for the region; fragment ``_tencent``.

    Some modules do not use ``region``, but accept it, so that it can be set for the whole action group.
    """
    return {
        "secret_id": {"type": "str", "no_log": True},
        "secret_key": {"type": "str", "no_log": True},
        "token": {"type": "str", "no_log": True},
        "profile": spec_of("profile"),
        "cvm_role": {"type": "str"},
        "region": spec_of("region"),
    }


def dingtalk() -> Spec:
    """Returns the options for a DingTalk app or token; fragment ``_dingtalk``."""
    return {
        "app_key": {"type": "str", "no_log": True, "aliases": ["client_id"]},
        "app_secret": {"type": "str", "no_log": True, "aliases": ["client_secret"]},
        "access_token": {"type": "str", "no_log": True},
    }


def transport() -> Spec:
    """Returns the options for hosts, timeouts and certificates; fragment ``_transport``."""
    return {
        "site": spec_of("site"),
        "request_timeout": {"type": "raw", "default": 10},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
    }


def one_poll() -> Spec:
    """Returns the options that a single call has in addition to those of a wait; fragment ``_transport.poll``."""
    return {
        "endpoint": {"type": "str"},
        "request_retries": {"type": "int", "default": 3},
    }


def ess() -> Spec:
    """Returns the options for the edition of Tencent ESS, and for on whose behalf requests are made."""
    return {
        "agent": spec_of("agent"),
        "operator": spec_of("operator"),
        "edition": spec_of("edition", default="auto"),
    }


def ledger() -> Spec:
    """Returns the options that let a start happen once; fragment ``_ledger``."""
    return {
        "ledger": {"type": "path"},
        "idempotency_key": {"type": "str", "no_log": False},
        "input_version": {
            "type": "dict",
            "options": {"etag": {"type": "str", "required": True}, "last_modified": {"type": "str"}},
        },
        "on_failed": {"type": "str", "default": "leave", "choices": ["leave", "start_again"]},
    }


def ledger_info() -> Spec:
    """Returns the options of ``ledger_info``; the module's own documentation."""
    return {
        "ledger": {"type": "path", "required": True},
        "provider": {"type": "str"},
        "idempotency_key": {"type": "str", "no_log": False},
        "prune_older_than": {"type": "raw"},
        "forget": {"type": "list", "elements": "str", "default": []},
        "ended": {"type": "list", "elements": "raw", "default": []},
    }


def http_method() -> Spec:
    """Returns the option for the HTTP method with Tencent MPS, since the vendor's page shows GET."""
    return {"http_method": {"type": "str", "default": "POST", "choices": ["POST", "GET"]}}


def one_task() -> Spec:
    """Returns the options that describe a cloud task of any service, except those that are in other sets."""
    return {
        name: spec_of(name) for name in ("provider", "task_id", "bucket", "agent", "operator", "edition", "api_action")
    }


def wait(own: Spec) -> Spec:
    """Returns all options of ``wait_for_task``; the module's own documentation and three fragments.

    :param own: ``SPEC`` of ``_wait/options.py``. This file does not import it, since Ansible would send it with every module.
    """
    return {
        **one_task(),
        "tasks": {"type": "list", "elements": "raw"},
        **own,
        "endpoint": one_poll()["endpoint"],
        **tencent(),
        **dingtalk(),
        **transport(),
    }


def report() -> Spec:
    """Returns the options of ``wait_report``; the module's own documentation."""
    return {
        "waits": {"type": "raw", "required": True},
        "dest": {"type": "path", "required": True},
        "format": {"type": "str", "choices": ["html", "junit", "json", "markdown"]},
        "title": {"type": "str"},
        "language": {"type": "str", "choices": ["en", "zh"], "default": "en"},
    }


__all__ = [
    "Spec",
    "dingtalk",
    "ess",
    "http_method",
    "ledger",
    "ledger_info",
    "one_poll",
    "one_task",
    "report",
    "tencent",
    "transport",
    "wait",
]
