# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: which calls came and how they were answered, without headers, bodies and query strings."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any, NamedTuple

MOST_ENTRIES = 20_000
LONGEST_TEXT = 300


class Entry(NamedTuple):
    """One call; the path comes without its query string."""

    provider: str
    method: str
    path: str
    action: str
    task_id: str
    verdict: str
    connection: int


class Journal:
    """Entries of the last calls, and counts of all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[tuple[float, Entry]] = deque(maxlen=MOST_ENTRIES)
        self._calls: Counter[str] = Counter()
        self._throttled: Counter[str] = Counter()
        self._starts: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._callbacks: Counter[str] = Counter()
        self.connections_accepted = 0
        self.connections_open = 0
        self.connections_broken = 0

    def write(self, entry: Entry) -> None:
        """Add one call."""
        with self._lock:
            self._entries.append((time.time(), entry))
            self._calls[entry.provider] += 1

    def called_back(self, entry: Entry) -> None:
        """Add one callback that was sent. It is no call."""
        with self._lock:
            self._entries.append((time.time(), entry))
            self._callbacks[entry.provider] += 1

    def started(self, provider: str, made: bool) -> None:
        """Count a call that starts a cloud task or, with `made`, a cloud task that such a call has made."""
        with self._lock:
            (self._made if made else self._starts)[provider] += 1

    def throttled(self, provider: str) -> None:
        """Count a call that was refused because too many came."""
        with self._lock:
            self._throttled[provider] += 1

    def connected(self, change: int) -> None:
        """Count a connection that was opened (1) or closed (-1)."""
        with self._lock:
            self.connections_open += change
            self.connections_accepted += change > 0

    def broken(self) -> None:
        """Count a connection that a fault of `connections` has struck."""
        with self._lock:
            self.connections_broken += 1

    def entries(self) -> list[dict[str, Any]]:
        """Return the calls that are remembered, oldest first."""
        with self._lock:
            rows = list(self._entries)
        return [{"time": at, **{k: _short(v) for k, v in entry._asdict().items()}} for at, entry in rows]

    def counts(self) -> dict[str, Any]:
        """Return all counts."""
        with self._lock:
            return {
                "calls": dict(self._calls),
                "throttled": dict(self._throttled),
                "starts": dict(self._starts),
                "made": dict(self._made),
                "callbacks": dict(self._callbacks),
                "connections_accepted": self.connections_accepted,
                "connections_open": self.connections_open,
                "connections_broken": self.connections_broken,
            }

    def reset(self) -> None:
        """Forget everything but the connections that are open."""
        with self._lock:
            self._entries.clear()
            self._calls.clear()
            self._throttled.clear()
            self._starts.clear()
            self._made.clear()
            self._callbacks.clear()
            self.connections_accepted = 0
            self.connections_broken = 0


def _short(value: object) -> object:
    return value[:LONGEST_TEXT] if isinstance(value, str) else value
