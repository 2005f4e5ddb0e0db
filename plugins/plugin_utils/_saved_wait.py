# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""Saves a wait in a state file after each round, so that another process can continue it after a kill."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._arguments import Refused
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._state_file import StateError, StateFile


class SavedWait:
    """A wait with a state file.

    :param file: open, and so locked by this process.
    """

    def __init__(self, file: StateFile, rounds: Rounds) -> None:
        self._file = file
        self._rounds = rounds

    def resume(self, saved: t.Mapping[str, t.Any], answer: t.Mapping[str, t.Any]) -> list[int]:
        """Continue a wait that an earlier process has saved.

        :param saved: content of the state file.
        :param answer: answer of the module with the plan for the present arguments.
        :returns: numbers of the open cloud tasks that have a record.
        :raises StateError: when the content is damaged.
        :raises Refused: when the saved wait has other cloud tasks.
        """
        try:
            same = self._rounds.resume(saved, answer["plan"], answer["about"])
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise StateError.damaged(self._file.path) from None
        if not same:
            said = f"the state file {self._file.path} is of a wait on other cloud tasks"
            raise Refused(CloudError("config", said, advice="name another, or remove it if that wait is given up"))
        book = self._rounds.book
        return [number for number in book.open_numbers() if book.entries[number].seen]

    def save(self) -> str | None:
        """Save the wait, unless its outcome is certain.

        :returns: a warning if saving failed, else null. The wait goes on, for example if the disk is full.
        """
        if self._rounds.has_verdict():
            return None
        try:
            self._file.write(self._rounds.dump())
        except StateError as error:
            return f"{error} The wait goes on; after a kill it would begin from what was saved last."
        return None


__all__ = ["SavedWait"]
