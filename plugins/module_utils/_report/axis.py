# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The axis of the time line: where a time is drawn, and which times are labeled."""

from __future__ import annotations

import typing as t

from .model import CloudTask, Report

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Seconds between two labels, up to a day. Longer steps are doubled days."""

MOST_LABELS = 5
SHORTEST = 0.1


class Axis:
    """Converts times to percent of the width of the picture.

    Waits are placed by the time of day at which they began. One whose result does not tell that follows the one before it.
    """

    def __init__(self, report: Report) -> None:
        known = [wait.began for wait in report.waits if wait.began is not None]
        self.began = min(known) if known else None
        self._offsets: list[float] = []
        last = 0.0
        for wait in report.waits:
            offset = last if wait.began is None or self.began is None else wait.began - self.began
            self._offsets.append(offset)
            last = offset + wait.elapsed
        ends = [offset + wait.elapsed for offset, wait in zip(self._offsets, report.waits)]
        self.length = max([SHORTEST, *ends])

    def percent(self, wait: int, seconds: float) -> float:
        """Returns where a time is drawn.

        :param wait: the number of the wait.
        :param seconds: the time in seconds since that wait began.
        """
        return min(100.0, 100 * self.seconds(wait, seconds) / self.length)

    def seconds(self, wait: int, seconds: float) -> float:
        """Returns a time of a wait in seconds since the beginning of the picture."""
        return self._offsets[wait] + seconds

    def labels(self) -> list[tuple[float, float]]:
        """Returns the times to label, each with its place in percent and its seconds since the beginning."""
        step = next((step for step in STEPS if self.length / step <= MOST_LABELS), 0.0)
        while not step or self.length / step > MOST_LABELS:
            step = 2 * (step or STEPS[-1])
        count = int(self.length / step + 1e-9)
        return [(100 * number * step / self.length, number * step) for number in range(count + 1)]


def count_statuses(tasks: t.Iterable[CloudTask], axis: Axis, columns: int) -> dict[str, list[int]]:
    """Returns how many cloud tasks had which status, at moments that divide the axis evenly.

    A cloud task that has ended counts under ``satisfied`` or ``failed``, as long as it satisfied the wait or not.
    """
    changes: dict[str, list[int]] = {}

    def add(status: str, start: float, end: float) -> None:
        line = changes.setdefault(status, [0] * (columns + 1))
        line[_column(start, axis, columns)] += 1
        line[_column(end, axis, columns)] -= 1

    for task in tasks:
        for span in task.spans:
            add(span.status, axis.seconds(task.wait, span.start), axis.seconds(task.wait, span.end))
        end = axis.seconds(task.wait, task.elapsed)
        add("satisfied" if task.is_good else "failed", end, axis.length * 2)
    return {status: _sums(line)[:columns] for status, line in changes.items()}


def _column(seconds: float, axis: Axis, columns: int) -> int:
    return min(columns, round(seconds / axis.length * (columns - 1)))


def _sums(line: t.Iterable[int]) -> list[int]:
    sums, total = [], 0
    for change in line:
        total += change
        sums.append(total)
    return sums


__all__ = ["Axis", "count_statuses"]
