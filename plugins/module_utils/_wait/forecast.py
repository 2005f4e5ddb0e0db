# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""Forecasts when a cloud task should end, so that polls can be concentrated around that moment.

A forecast is made of the cloud task's own progress, else of how long cloud tasks of the same service took that have
ended in the same wait. All times are seconds since the wait began; durations are seconds.
"""

from __future__ import annotations

import bisect
import typing as t

AIM = 0.75
"""Fraction of the time left after which a cloud task is polled again, since a forecast may be too late."""

OVERDUE_SHARE = 0.5
"""Fraction of the time since the forecast end after which an overdue cloud task is polled again."""

FEWEST_LIVES = 3
"""Smallest number of ended cloud tasks of a service from which others are forecast."""

MOST_LIVES = 50
"""Largest number of ended cloud tasks that are remembered for a service: the last ones."""

EARLY = 0.25
"""Fraction of the durations that end before a forecast made of them."""

ALIKE = 0.15
"""Largest spread of durations from which others are forecast, as a fraction of the middle one. The spread is that
between the first and the third quarter."""

Mark = list[float]
"""A time and the progress that was seen then, as ``[12.5, 40]``."""


class Life:
    """What is known about the course of a cloud task.

    :param began: when it was first seen running, or was to be polled first if the first poll found it so; null before.
    :param marks: the first mark, and the last two; fewer if fewer were seen.
    """

    def __init__(self, began: float | None = None, marks: t.Iterable[Mark] = ()) -> None:
        self.began = began
        self.marks = [[*mark] for mark in marks]

    def see(self, now: float, progress: int | None, *, is_first: bool, since: float = 0.0) -> None:
        """Note that the cloud task is running, with this progress.

        :param is_first: whether the first poll has told it.
        :param since: when the cloud task was to be polled first.
        """
        if self.began is None:
            self.began = since if is_first else now
        if progress is None or (self.marks and progress == self.marks[-1][1]):
            return
        if self.marks and progress < self.marks[-1][1]:  # it has begun anew
            self.marks = []
        self.marks = [*self.marks[:1], *self.marks[1:][-1:], [now, progress]]

    def end_by_progress(self) -> float | None:
        """Returns when progress should reach 100 at the pace so far, or at that of late if it is faster."""
        if len(self.marks) < 2:
            return None
        last = self.marks[-1]
        paces = [(last[1] - mark[1]) / (last[0] - mark[0]) for mark in self.marks[:-1] if last[0] > mark[0]]
        return last[0] + (100 - last[1]) / max(paces) if paces else None


class Forecast:
    """Forecasts the ends of the cloud tasks of a wait.

    :param lives: durations of ended cloud tasks, by provider word.
    """

    def __init__(self, lives: t.Mapping[str, t.Iterable[float]] | None = None) -> None:
        self.lives = {word: [*some][-MOST_LIVES:] for word, some in (lives or {}).items()}

    def learn(self, word: str, life: Life, now: float) -> None:
        """Note that a cloud task of a service has ended well.

        :param word: provider word of the service.
        """
        if life.began is not None:
            some = self.lives.setdefault(word, [])
            some.append(round(now - life.began, 3))
            del some[:-MOST_LIVES]

    def end_of(self, word: str, life: Life, now: float) -> float | None:
        """Returns when a cloud task should end, which may have passed; null if there is no forecast.

        :param word: provider word of the service.
        """
        by_progress = life.end_by_progress()
        if by_progress is not None or life.began is None:
            return by_progress
        durations = sorted(self.lives.get(word, ()))
        longer = durations[bisect.bisect_right(durations, now - life.began) :]
        duration = _typical(longer) or _typical(durations)
        return None if duration is None else life.began + duration


def _typical(durations: t.Sequence[float]) -> float | None:
    """Returns what is typical of sorted durations; null if they are few or differ too much."""
    if len(durations) < FEWEST_LIVES:
        return None
    early, middle, late = (durations[int(len(durations) * share)] for share in (EARLY, 0.5, 1 - EARLY))
    return early if late - early <= ALIKE * middle else None


def pause_before(end: float, now: float) -> float:
    """Returns the seconds until the next poll of a cloud task, given the forecast of its end."""
    left = end - now
    return AIM * left if left > 0 else -OVERDUE_SHARE * left


__all__ = ["Forecast", "Life", "Mark", "pause_before"]
