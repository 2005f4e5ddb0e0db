# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""Saves a wait in a state file after changes, so that another process can continue it after a kill."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._arguments import Refused
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._state_file import StateError, StateFile

SAVE_SHARE = 20.0
"""Ratio of the time between two writes of the state file to the time of one: 20 means at most 5 % of the wait."""


class SavedWait:
    """A wait with a state file.

    :param file: open, and so locked by this process.
    """

    def __init__(self, file: StateFile, rounds: Rounds) -> None:
        self._file = file
        self._rounds = rounds
        self._is_changed = False
        self._not_before = rounds.timing.now()

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

    def note_change(self) -> None:
        """Note that there is something to save."""
        self._is_changed = True

    def next_in(self) -> float:
        """Returns the seconds until there is something to save and time for it."""
        if not self._is_changed or self._rounds.has_verdict():
            return FOREVER
        return max(0.0, self._not_before - self._rounds.timing.now())

    def save(self, *, at_once: bool = False) -> str | None:
        """Save the wait, unless its outcome is certain, or nothing has changed, or the last write was not long ago.

        :param at_once: whether to save even if the last write was not long ago, since this is the last chance.
        :returns: a warning if saving failed, else null. The wait goes on, for example if the disk is full.
        """
        now = self._rounds.timing.now
        began = now()
        if not self._is_changed or self._rounds.has_verdict() or (began < self._not_before and not at_once):
            return None
        self._is_changed = False
        try:
            self._file.write(self._rounds.dump())
        except StateError as error:
            return f"{error} The wait goes on; after a kill it would begin from what was saved last."
        finally:
            self._not_before = now() + SAVE_SHARE * (now() - began)
        return None


__all__ = ["SavedWait"]
