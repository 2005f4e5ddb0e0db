# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""What becomes of an update, whether it came over the live channel or with the answer of a round.

It goes into the book; then conditions are evaluated, lines are printed, and the state file is written.
"""

from __future__ import annotations

import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.book import drop_satisfied
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._conditions import Conditions
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._progress import Lines
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._saved_wait import SavedWait


class Updates:
    """Processes the updates of a wait.

    :param warnings: a list to which warnings for the user are added.
    :param only_problems: whether the result leaves out what has satisfied the wait.
    """

    saved_wait: SavedWait | None = None
    """The wait's state file; null without one."""

    def __init__(
        self, rounds: Rounds, conditions: Conditions, lines: Lines, warnings: list[str], *, only_problems: bool
    ) -> None:
        self._rounds = rounds
        self._conditions = conditions
        self._lines = lines
        self._warnings = warnings
        self._only_problems = only_problems

    def take(self, update: dict[str, t.Any]) -> bool:
        """Process an update. Returns whether the outcome of the wait is certain."""
        rounds = self._rounds
        self._warnings += update["notes"]
        news = rounds.take(t.cast(t.Any, update))
        came_along = rounds.book.undecided() if "plan" in update else []
        self._conditions.decide(rounds.book, {*news.changed, *came_along}, rounds.timing.elapsed())
        self._lines.tell_news(rounds.book, news)
        if self.saved_wait is not None:
            self.saved_wait.note_change()
            self._save()
        elif self._only_problems:  # a state file has everything, since the wait may be resumed with other options
            drop_satisfied(rounds.book, news.changed)
        return rounds.has_verdict()

    def beat(self) -> None:
        """Do what is due although no update has come: print a heartbeat line, and write the state file."""
        self._lines.beat(self._rounds.book if self._rounds.begun else None)
        self._save()

    def next_beat(self) -> float:
        """Returns the seconds until ``beat`` should be called."""
        return min([self._lines.next_in(), *([self.saved_wait.next_in()] if self.saved_wait else [])])

    def save_last(self) -> None:
        """Write the state file, because the wait ends without a verdict."""
        self._save(at_once=True)

    def _save(self, *, at_once: bool = False) -> None:
        warning = self.saved_wait.save(at_once=at_once) if self.saved_wait else None
        self._warnings += [warning] if warning and warning not in self._warnings else []


__all__ = ["Updates"]
