# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only; pure, clocks are arguments.
"""What the controller knows of a wait from round to round: which round comes next, and what an answer means.

The module does the looking and forgets; this remembers. Everything that goes to the module is a duration, a count or a
word of ours.
"""

from __future__ import annotations

import itertools
import json
import math
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils import _verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._book import Book, Entry, News, clock_face
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _progress

FIRST_NEWS = 1.0
"""Seconds after which the first round comes back with what it has seen, though others were not polled yet."""

SHORTEST_ROUND = 5.0
"""Seconds for which a round goes on at least, when something has changed."""

HANDOVER_SHARE = 20.0
"""How much longer than its hand-over costs in CPU a round should be: 20 means at most 5 % for handing over."""

LAST_POLLS = 5.0
"""Seconds after the deadline at which a round is over at the latest, whatever hangs on the host or the way to it."""

SHORTEST_LIMIT = 3.0
"""Seconds that a round gets at least before its last polls, since only to start the module may take as long."""

SILENCE = 120.0
"""Seconds after the expected end of a round at which it is taken for lost."""

IDLE_ROUND = 60.0
"""Seconds for which a round lingers where no progress lines are wanted."""

Answer = t.Mapping[str, t.Any]
Options = t.Mapping[str, t.Any]


class Rounds:
    """A wait, seen from the controller.

    :param options: the validated options of the wait.
    :param conditional: whether a condition decides, in place of ``until``.
    :param clock: monotonic seconds.
    :param wall: Unix seconds, for what is shown and for what must outlive this process.
    """

    def __init__(
        self,
        options: Options,
        *,
        check_mode: bool,
        conditional: bool,
        clock: t.Callable[[], float],
        wall: t.Callable[[], float],
    ) -> None:
        self._options = options
        self._check_mode = check_mode
        self._conditional = conditional
        self._clock = clock
        self._wall = wall
        self._began = clock()
        self._started = wall()
        self._deadline = self._began + options["timeout"]
        self._handed_over = self._began
        self._line_due = self._began + self._period()
        self._cost = 0.0
        self._next: dict[str, t.Any] = {}
        self._first = True
        self._plan: list[dict[str, t.Any]] | None = None
        self._about: dict[str, t.Any] = {}
        self.losses = 0
        self.book = Book([], clock_face(self._started))

    @property
    def begun(self) -> bool:
        """Whether it is known what the wait is about."""
        return self._plan is not None

    # --- time ---

    def elapsed(self) -> float:
        """Seconds since the wait began."""
        return self._clock() - self._began

    def left(self) -> float:
        """Seconds to the deadline."""
        return float(self._deadline - self._clock())

    def _period(self) -> float:
        return float(self._options["heartbeat"] or IDLE_ROUND)

    def lines(self, host: str, news: News) -> list[str]:
        """The progress lines after a round, whoever prints them; the next heartbeat is due in a while."""
        left = max(0.0, self.left())
        grace = self._options["not_found_grace"] - self.elapsed()
        patience = _progress.Patience(left, grace, self._options["max_errors"])
        lines = list(_progress.news_lines(host, self.book, news, patience))
        if not lines and self._clock() < self._line_due:
            return []
        self._line_due = self._clock() + self._period()
        if lines or self.has_verdict():
            return lines
        return [_progress.heartbeat_line(host, self.book, elapsed=self.elapsed(), left=left)]

    # --- the next round ---

    def once(self) -> bool:
        """Whether there is but one round, with one look at each cloud task."""
        return self._check_mode or not self._options["timeout"]

    def next_round(self, at_most: float = FOREVER) -> dict[str, t.Any]:
        """The options of the module for the next round that differ from the user's.

        :param at_most: seconds after which the round should be back whatever happens.
        """
        now = self._clock()
        gap = now - self._handed_over
        linger = min(max(0.0, self._line_due - now), at_most)
        order: dict[str, t.Any] = {
            **_aged(self._next, gap),
            "left": max(0.0, self.left()),
            "elapsed": self.elapsed(),
            "linger": linger,
            "after_change": FIRST_NEWS if self._first else max(SHORTEST_ROUND, HANDOVER_SHARE * self._cost),
            "first": self._first,
            "satisfied": self.book.outcomes().count(_verdict.SATISFIED),
            "once": self.once(),
            "within": None if at_most == FOREVER else at_most,
            "condition": self._conditional,
        }
        if self._plan is None:
            return {"_round": order}
        numbers = self.book.open_numbers()
        items = [_item(self._plan[number]) for number in numbers]
        return {"tasks": items, "task_id": None, "_round": {**order, "numbers": numbers}}

    def round_limit(self, count: int, request_timeout: float) -> float:
        """Seconds after which a round is taken for lost, whatever hangs: an ssh connection, the host.

        :param count: how many cloud tasks the wait is about, as far as the controller can tell.
        :param request_timeout: seconds that one poll may take.
        """
        if self.once():  # a poll of each, as slowly as the rate limits want
            return SILENCE + request_timeout + count
        expected = max(self._line_due - self._clock(), 0.0) + request_timeout + SILENCE
        shortest = 1.0 if self.begun else SHORTEST_LIMIT + LAST_POLLS
        return min(expected, max(self.left() + LAST_POLLS, shortest))

    def is_too_late(self) -> bool:
        """Whether the deadline passed so long ago that the last polls of another round would come too late."""
        return self.begun and not self.once() and self.left() < SHORTEST_LIMIT - LAST_POLLS

    def take(self, answer: Answer, *, cost: float) -> News:
        """A round's answer.

        :param cost: CPU seconds that handing it over took.
        :returns: what people want to hear of it.
        """
        self._handed_over = self._clock()
        self._cost = cost
        self._first = False
        self.losses = 0
        if self._plan is None:
            self.plan(answer["plan"])
        self._about.update(answer.get("about", {}))
        self._next = answer["next"]
        return self.book.apply(answer["report"])

    def plan(self, plan: list[dict[str, t.Any]]) -> None:
        """What the wait is about, as the module understands it; records that came along are judged at once."""
        self._plan = plan
        self.book = Book.open(plan, clock_face(self._started))
        if self._check_mode:
            for entry, item in zip(self.book.entries, plan):
                if item.get("unstarted"):
                    entry.end(_verdict.UNFINISHED, 0.0)
        if not self._conditional:
            self.book.judge(self._options["until"], 0.0)

    def lost(self, said: str) -> None:
        """A round that did not come back counts one error against everything that is open."""
        self.losses += 1
        self._first = False
        elapsed = self.elapsed()
        for number in self.book.open_numbers():
            entry = self.book.entries[number]
            entry.fail_poll(CloudError("network", said))
            state = self._next.setdefault("states", {}).setdefault(str(number), {})
            state["errors"] = state.get("errors", 0) + 1
            if state["errors"] >= self._options["max_errors"]:
                entry.end(_verdict.ERROR, elapsed)
        if self.left() <= 0:
            self.book.end_open(_verdict.TIMED_OUT, elapsed)

    # --- the end ---

    def decide(self, number: int, verdict: bool | None, problem: str | None = None) -> None:
        """What a condition says of a cloud task; null when it cannot be evaluated, with the reason."""
        entry = self.book.entries[number]
        error = CloudError("config", problem, advice="correct condition") if problem else None
        entry.doubt = error.as_dict() if error else None
        if verdict:
            entry.end(_verdict.SATISFIED, self.elapsed())
        elif entry.record["done"] and verdict is None and error:
            entry.fail_poll(error)
            entry.end(_verdict.ERROR, self.elapsed())
        elif entry.record["done"]:
            entry.end(_verdict.FAILED, self.elapsed())

    def undecided(self) -> list[int]:
        """Cloud tasks that are over but not judged yet: those of which only a condition can say what that means."""
        return [number for number in self.book.open_numbers() if self.book.entries[number].record["done"]]

    def seen(self) -> list[int]:
        """Cloud tasks that are not judged yet and of which something is known, by a look or by what came along."""
        entries = self.book.entries
        return [
            number for number in self.book.open_numbers() if entries[number].history or entries[number].record["done"]
        ]

    def has_verdict(self) -> bool:
        """Whether the wait is over."""
        fail_fast = self._options["fail_fast"] and not self._check_mode
        return self.begun and self.book.is_over(require=self._options["require"], fail_fast=fail_fast)

    def stop(self, outcome: str, problem: CloudError | None = None) -> None:
        """End what is open, with the reason."""
        for number in self.book.open_numbers() if problem else ():
            self.book.entries[number].fail_poll(t.cast(CloudError, problem))
        self.book.end_open(outcome, self.elapsed())

    def result(self) -> dict[str, t.Any]:
        """The result so far."""
        result = self.book.result(require=self._options["require"], check_mode=self._check_mode, elapsed=self.elapsed())
        return {**result, **self._about}

    # --- life after a kill ---

    def dump(self) -> dict[str, t.Any]:
        """What another process needs to go on: durations, since a clock may be set meanwhile."""
        return {
            "started": self._started,
            "saved": self._wall(),
            "elapsed": self.elapsed(),
            "left": self.left(),
            "plan": self._plan,
            "entries": [entry.dump() for entry in self.book.entries],
            "api_calls": self.book.api_calls,
            "next": self._next,
        }

    def resume(self, saved: Answer, plan: list[dict[str, t.Any]], *, about: Answer | None = None) -> bool:
        """Go on with what was dumped, in the order of a new plan; false when that is about other cloud tasks.

        The deadline stays; all else is as the options of the new call say.

        :param about: what else the result is to tell.
        """
        if not all(math.isfinite(saved[name]) for name in ("started", "saved", "elapsed", "left")):
            raise ValueError("a time is no number")
        places = {name: number for number, name in reversed(list(enumerate(_identities(saved["plan"]))))}
        names = _identities(plan)
        if set(places) != set(names):
            return False
        self.plan(plan)
        states = saved["next"].get("states", {})
        self._next = {**saved["next"], "states": {}}
        for number, (name, entry) in enumerate(zip(names, self.book.entries)):
            self._next["states"][str(number)] = states.get(str(places[name]), {})
            _take_over(entry, saved["entries"][places[name]])
        pause = max(0.0, self._wall() - saved["saved"])  # a clock that was set back gives no time back
        self._started = saved["started"]
        self._about.update(about or {})
        self._began = self._clock() - saved["elapsed"] - pause
        self._deadline = self._clock() + saved["left"] - pause
        self._handed_over = self._clock() - pause
        self.book = Book(self.book.entries, clock_face(self._started))
        self.book.api_calls = dict(saved["api_calls"])
        if not self._conditional:
            self.book.judge(self._options["until"], self.elapsed())
        return True


def _take_over(entry: Entry, old: t.Mapping[str, t.Any]) -> None:
    """All that is known of a cloud task; what became of a record that is done is judged anew."""
    loaded = Entry.load(old)
    loaded.twin_of, loaded.name = entry.twin_of, entry.name
    if loaded.record["done"]:
        loaded.outcome = None
    vars(entry).update(vars(loaded))


def _identities(plan: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The same for the same cloud task; those without an id, which are over, are told apart by their order."""
    without_id = itertools.count()
    return [
        json.dumps([item["ref"], next(without_id) if item["ref"]["task_id"] is None else None], sort_keys=True)
        for item in plan
    ]


def _item(planned: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A planned cloud task in the form of an item of ``tasks``."""
    action = planned.get("api_action")
    return {**planned["ref"], **({"api_action": action} if action else {})}


def _aged(handed_over: t.Mapping[str, t.Any], gap: float) -> dict[str, t.Any]:
    """What a round handed over, some seconds later."""
    lanes = {
        name: {**lane, "ready_in": max(0.0, lane["ready_in"] - gap)}
        for name, lane in handed_over.get("lanes", {}).items()
    }
    states = {}
    for number, state in handed_over.get("states", {}).items():
        older = dict(state)
        if "due_in" in older:
            older.update(due_in=max(0.0, older["due_in"] - gap), changed_ago=older["changed_ago"] + gap)
        states[number] = older
    sweeps = {
        account: {**sweep, "due_in": max(0.0, sweep["due_in"] - gap)}
        for account, sweep in handed_over.get("sweeps", {}).items()
    }
    return {**handed_over, "lanes": lanes, "states": states, "sweeps": sweeps}


__all__ = ["Rounds"]
