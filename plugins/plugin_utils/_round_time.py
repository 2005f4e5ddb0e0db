# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""The time of rounds: how much of it the next one has, when it is given up, and whether there is time for another."""

from __future__ import annotations

from ansible_collections.cloudwait.conversion.plugins.plugin_utils._timing import Timing

LONGEST_ROUND = 600.0
"""Longest duration, in seconds, of a round in which nothing changes. Tokens and temporary keys are fetched in each."""

ABANDONED_AFTER = 5.0
"""Seconds after the deadline at which a round is abandoned, if the host or the connection to it hangs."""

SHORTEST_LIMIT = 3.0
"""Shortest time, in seconds, that a round gets in addition to ``ABANDONED_AFTER``: starting the module may take as long."""

SILENCE = 120.0
"""Seconds after the expected end of a round at which it is abandoned."""

USUAL_START = 1.5
"""Seconds of a round, besides those of its polls, that the limits above allow for."""

MOST_SLOWNESS = 3.0
"""Largest number of seconds by which a round ends sooner because the last one took longer than that to start."""


class RoundTime:
    """The time of the rounds of a wait."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._late_rounds = 0  # those that began although the deadline had passed long before
        self.slowness = 0.0  # seconds by which the last round took longer than usual to start and to return its answer

    def begin(self, *, is_live: bool = False) -> float:
        """Note that a round begins. Returns the seconds until the deadline, counted from the start of its polls.

        :param is_live: whether the module itself counts how long it takes to start.
        """
        self._late_rounds += self._is_past_deadline()
        return max(0.0, self._timing.left() - (0.0 if is_live else self.slowness))

    def end(self, seconds: float) -> None:
        """Note how long, in seconds, the last round took without its polls: to start and to return its answer."""
        self.slowness = min(MOST_SLOWNESS, max(0.0, seconds - USUAL_START))

    def limit(self, request_timeout: float, *, is_first: bool) -> float:
        """Returns the seconds after which a round is abandoned, because the host or the connection hangs.

        :param request_timeout: seconds that one poll may take.
        :param is_first: whether no round has told anything yet.
        """
        shortest = SHORTEST_LIMIT + ABANDONED_AFTER if is_first or self._is_past_deadline() else 0.0
        return min(LONGEST_ROUND + request_timeout + SILENCE, max(self._timing.left() + ABANDONED_AFTER, shortest))

    def is_too_late(self) -> bool:
        """Returns whether the deadline passed so long ago that another round would be too late for last polls.

        A wait that is continued after its deadline gets one round nevertheless, whether from a state file or since this
        process was stopped meanwhile.
        """
        return self._is_past_deadline() and self._late_rounds > 0

    def _is_past_deadline(self) -> bool:
        return self._timing.left() < SHORTEST_LIMIT - ABANDONED_AFTER


__all__ = ["LONGEST_ROUND", "SILENCE", "USUAL_START", "RoundTime"]
