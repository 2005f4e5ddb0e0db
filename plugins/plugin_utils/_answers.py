# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""Reads the answer of a module that failed: it may have refused its options, crashed or been killed."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError

REFUSALS = (
    "Unsupported parameters",
    "argument '",
    "missing ",
    "value of ",
    "Elements value ",
    "parameters are ",
    "one of the following",
)
"""Beginnings of the messages with which Ansible refuses the options of a module."""

Answer = dict[str, t.Any]


def sentence_of(answer: Answer) -> str:
    """Returns the message of a module that failed; after a crash, the last line of the traceback."""
    msg = str(answer.get("msg") or "")
    if msg and not msg.startswith("MODULE FAILURE"):  # ansible-core before 2.19 says no more
        return msg
    crash = answer.get("exception")
    event = getattr(crash, "event", None)  # an object from 2.19 on, before that a text
    lines = str(event.msg if event else crash or "").strip().splitlines()
    return lines[-1] if lines else "The module ended without an answer"


def error_of(answer: Answer, said: str) -> CloudError:
    """Returns the error of a module that failed: its own, else ``config`` for a refusal by Ansible, else ``internal``.

    :param said: the message for an error that has none.
    """
    told = answer.get("error")
    if not isinstance(told, dict):
        return CloudError("config" if sentence_of(answer).startswith(REFUSALS) else "internal", said.rstrip("."))
    error = CloudError(told["kind"], str(told["message"] or said).rstrip("."))
    vars(error).update({name: told[name] for name in ("code", "message", "http_status", "request_id", "retryable")})
    return error


__all__ = ["error_of", "sentence_of"]
