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
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils import _verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._book import Book, Entry, clock_face
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _progress

SHORTEST_ROUND = 5.0
"""Seconds for which a round goes on at least, when something has changed."""

HANDOVER_SHARE = 20.0
"""How much longer than its hand-over costs in CPU a round should be: 20 means at most 5 % for handing over."""

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

    def lines(self, host: str, changed: t.Sequence[int]) -> list[str]:
        """The progress lines after a round, whoever prints them; the next heartbeat is due in a while."""
        if not changed and self._clock() < self._line_due:
            return []
        self._line_due = self._clock() + self._period()
        if changed:
            return list(_progress.change_lines(host, self.book, changed))
        if self.has_verdict():
            return []
        return [_progress.heartbeat_line(host, self.book, elapsed=self.elapsed(), left=max(0.0, self.left()))]

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
            "after_change": max(SHORTEST_ROUND, HANDOVER_SHARE * self._cost),
            "first": self._first,
            "once": self.once(),
            "within": None if at_most == FOREVER else at_most,
            "condition": self._conditional,
        }
        if self._plan is None:
            return {"_round": order}
        numbers = self.book.open_numbers()
        items = [_item(self._plan[number]) for number in numbers]
        return {"tasks": items, "task_id": None, "_round": {**order, "numbers": numbers}}

    def take(self, answer: Answer, *, cost: float) -> list[int]:
        """A round's answer.

        :param cost: CPU seconds that handing it over took.
        :returns: the numbers of the cloud tasks that have changed.
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
            entry.look_error = CloudError("network", said).as_dict()
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
        entry.doubt = CloudError("config", problem).as_dict() if problem else None
        if verdict:
            entry.end(_verdict.SATISFIED, self.elapsed())
        elif entry.record["done"] and verdict is None:
            entry.look_error = entry.doubt
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

    def stop(self, outcome: str, problem: str | None = None) -> None:
        """End what is open, with the reason."""
        if problem:
            for number in self.book.open_numbers():
                self.book.entries[number].look_error = CloudError("config", problem).as_dict()
        self.book.end_open(outcome, self.elapsed())

    def result(self) -> dict[str, t.Any]:
        """The result so far."""
        result = self.book.result(require=self._options["require"], check_mode=self._check_mode, elapsed=self.elapsed())
        return {**result, **self._about}

    # --- life after a kill ---

    def dump(self) -> dict[str, t.Any]:
        """What another process needs to go on."""
        return {
            "started": self._started,
            "deadline": self._wall() + self.left(),
            "saved": self._wall(),
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
        gone = self._wall() - saved["started"]
        self._started = saved["started"]
        self._about.update(about or {})
        self._began = self._clock() - gone
        self._deadline = self._clock() + saved["deadline"] - self._wall()
        self._handed_over = self._clock() - max(0.0, self._wall() - saved["saved"])
        self.book = Book(self.book.entries, clock_face(self._started))
        self.book.api_calls = dict(saved["api_calls"])
        if not self._conditional:
            self.book.judge(self._options["until"], self.elapsed())
        return True


def _take_over(entry: Entry, old: t.Mapping[str, t.Any]) -> None:
    """All that is known of a cloud task; what became of a record that is done is judged anew."""
    loaded = Entry.load(old)
    loaded.twin_of = entry.twin_of
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
