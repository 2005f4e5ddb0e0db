# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""Lets the module abort what a wait has given up on, in the time that is left for it."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.book import enter_aborts, numbers_to_abort
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.options import ABORT_LIMIT
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._answers import sentence_of
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._arguments import module_arguments
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._orphan import end_children
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._retries import retries_taken_from
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._round_time import USUAL_START
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds, abort_arguments
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import (
    TASK_TIMEOUT_MARGIN,
    Overdue,
    is_task_timeout,
    seconds_to_alarm,
    time_limit,
)

Answer = dict[str, t.Any]

ABORT_MARGIN = 10.0
"""Seconds that are left for this before the ``timeout`` of the Ansible task; a third of it, if that is less."""

SLACK = 30.0
"""Seconds after the time limit for aborting at which the module is abandoned."""

TOO_LATE = "the timeout of the Ansible task came before it could be aborted; raise it"


def abort(execute: t.Callable[[Answer], Answer], connection: t.Any, args: Answer, rounds: Rounds) -> None:
    """Abort what the wait has given up on, and enter what became of it into the book.

    :param execute: runs the module with these arguments, and returns its answer.
    :param connection: Ansible's connection to the host.
    :param args: the arguments of the user.
    """
    numbers = numbers_to_abort(rounds.book)
    if numbers:
        with retries_taken_from(connection):  # a second run would find what the first one has aborted
            answer = _answer(execute, args, rounds, numbers)
        lost: Answer = {str(number): {"aborted": False, "reason": sentence_of(answer)} for number in numbers}
        enter_aborts(rounds.book, answer.get("aborts", lost), answer.get("api_calls", {}))


def _answer(execute: t.Callable[[Answer], Answer], args: Answer, rounds: Rounds, numbers: list[int]) -> Answer:
    """Returns the answer of the module, or one with a message alone if there is none."""
    seconds = min(ABORT_LIMIT, seconds_to_alarm() - TASK_TIMEOUT_MARGIN - USUAL_START)
    if seconds <= 0:
        return {"msg": TOO_LATE}
    try:
        with time_limit(ABORT_LIMIT + SLACK):
            return execute(module_arguments(args, abort_arguments(rounds, numbers, seconds)))
    except AnsibleError as error:
        return {"msg": f"the host could not be used: {error}"}
    except BaseException as error:
        if not (isinstance(error, Overdue) or is_task_timeout(error)):
            raise
        end_children()
        silent = f"the host gave no sign of life for {ABORT_LIMIT + SLACK:.0f} s"
        return {"msg": silent if isinstance(error, Overdue) else TOO_LATE}


__all__ = ["ABORT_MARGIN", "abort"]
