# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""How long a wait has lasted and may last, also if several processes continue it one after the other."""

from __future__ import annotations

import math
import typing as t


class Timing:
    """The time of a wait.

    :param timeout: seconds for the whole wait.
    :param clock: returns monotonic seconds.
    :param wall: returns Unix seconds, for times in results and in the state file.
    """

    def __init__(self, timeout: float, *, clock: t.Callable[[], float], wall: t.Callable[[], float]) -> None:
        self.now = clock
        self.started = wall()
        self._wall = wall
        self._began = clock()
        self._deadline = self._began + timeout

    def elapsed(self) -> float:
        """Returns the seconds since the wait began."""
        return self.now() - self._began

    def left(self) -> float:
        """Returns the seconds until the deadline; below 0 after it."""
        return self._deadline - self.now()

    def dump(self) -> dict[str, float]:
        """Returns what another process needs to continue the wait.

        Most are durations, since the clock of the host may be set meanwhile.
        """
        return {"started": self.started, "saved": self._wall(), "elapsed": self.elapsed(), "left": self.left()}

    def resume(self, saved: t.Mapping[str, t.Any]) -> float:
        """Continue a saved wait with its deadline.

        :param saved: what ``dump`` returned.
        :returns: seconds since it was saved; 0 if the clock was set back meanwhile.
        :raises ValueError: when a time is not a finite number.
        """
        if not all(math.isfinite(saved[name]) for name in ("started", "saved", "elapsed", "left")):
            raise ValueError("a time is no number")
        pause: float = max(0.0, self._wall() - saved["saved"])
        self.started = saved["started"]
        self._began = self.now() - saved["elapsed"] - pause
        self._deadline = self.now() + saved["left"] - pause
        return pause


__all__ = ["Timing"]
