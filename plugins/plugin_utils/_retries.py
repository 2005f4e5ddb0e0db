# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""The retries of connection plugins, which would run a command a second time that had begun to run."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleError

LONGEST_PAUSE = 30
"""Longest pause, in seconds, between two attempts to connect, as in Ansible's ssh connection plugin."""


@contextlib.contextmanager
def retries_taken_from(connection: t.Any) -> t.Iterator[int]:
    """Yields how often to try again to connect, and meanwhile turns off the retries of the connection plugin.

    The ssh plugin would repeat the module if the connection breaks: a start would make a second cloud task, and a round of
    a wait would have the time limits of its first run.
    """
    try:
        retries = int(connection.get_option("reconnection_retries") or 0)
    except (AnsibleError, KeyError):
        retries = 0
    if retries:
        connection.set_option("reconnection_retries", 0)
    try:
        yield retries
    finally:
        if retries:
            connection.set_option("reconnection_retries", retries)


def pause_before_retry(attempt: int) -> float:
    """Returns the seconds to pause after a failed attempt to connect.

    :param attempt: number of attempts before it.
    """
    return min(2.0**attempt - 1, LONGEST_PAUSE)


__all__ = ["pause_before_retry", "retries_taken_from"]
