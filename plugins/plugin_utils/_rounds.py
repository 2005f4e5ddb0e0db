# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""The rounds of a wait: makes the order for the next round, and processes the answer of the last one."""

from __future__ import annotations

import itertools
import json
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.book import Book, Entry, News, clock_face
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.contract import (
    Handover,
    Order,
    PlanItem,
    Update,
)
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.result import make_result
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._next_round import NextRound
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._round_time import LONGEST_ROUND, SILENCE, RoundTime
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._timing import Timing

FIRST_NEWS = 1.0
"""Seconds after which the first round returns changes, even if some cloud tasks have not been polled yet."""

SHORTEST_ROUND = 5.0
"""Shortest duration, in seconds, of a round in which something has changed."""

LONGEST_CHANGED_ROUND = 30.0
"""Longest duration, in seconds, of such a round, so that changes are never told later than that."""

HANDOVER_SHARE = 20.0
"""Ratio of a round's duration to the CPU time of starting it and returning its answer: 20 means at most 5 %."""

Options = t.Mapping[str, t.Any]


class Rounds:
    """The state of a wait between rounds, which the module itself does not keep.

    :param options: options of the wait, already checked.
    :param conditional: whether a condition decides in place of ``until``.
    """

    def __init__(self, options: Options, timing: Timing, *, check_mode: bool, conditional: bool) -> None:
        self.timing = timing
        self.losses = 0  # rounds in a row without an answer
        self.last_loss = ""
        self.book = Book([], clock_face(timing.started))
        self._options = options
        self._check_mode = check_mode
        self._conditional = conditional
        self._cost = 0.0
        self.next = NextRound(timing.now)
        self._is_first = True
        self._time = RoundTime(timing)
        self.plan: list[PlanItem] | None = None
        self._about: dict[str, t.Any] = {}

    @property
    def begun(self) -> bool:
        """Whether the plan of the wait is known."""
        return self.plan is not None

    @property
    def polls_once(self) -> bool:
        """Whether there is only one round, which polls each cloud task once."""
        return self._check_mode or not self._options["timeout"]

    # --- the next round ---

    def next_arguments(self, at_most: float = FOREVER, reach: Order | None = None) -> dict[str, t.Any]:
        """Returns the arguments of the module for the next round that replace those of the user.

        :param at_most: seconds after which the round must have ended, whatever it is doing.
        :param reach: the members of the order by which the round reaches the controller while it runs.
        """
        tally = self.book.tally()
        still_open = self.book.open_numbers()
        slow = max(SHORTEST_ROUND, HANDOVER_SHARE * self._cost)
        order = t.cast(Order, self.next.aged(map(str, still_open)))
        order.update(
            {
                **(reach or {}),
                "left": self._time.begin(is_live="channel" in (reach or {})),
                "asked_at": self.timing.now(),
                "elapsed": self.timing.elapsed(),
                "linger": min(LONGEST_ROUND, at_most),
                "after_change": FIRST_NEWS if self._is_first else min(LONGEST_CHANGED_ROUND, slow),
                "first": self._is_first,
                "satisfied": tally["satisfied"],
                "otherwise": tally["otherwise"],
                "once": self.polls_once,
                "within": None if at_most == FOREVER else max(0.0, at_most - self._time.slowness),
                "condition": self._conditional,
            }
        )
        if self.plan is None:
            return {"_round": order}
        order["plan"] = {str(number): _to_poll(self.plan[number]) for number in still_open}
        return {"tasks": None, "task_id": None, "_round": order}

    def limit(self, polls: float, request_timeout: float) -> float:
        """Returns the seconds after which a round is abandoned, because the host or the connection hangs.

        :param polls: seconds that one poll of every cloud task may take within the rate limits. Only a single round, which
            polls each, needs it.
        :param request_timeout: seconds that one poll may take.
        """
        if self.polls_once:
            return SILENCE + request_timeout + polls
        return self._time.limit(request_timeout, is_first=self._is_first or not self.begun)

    def is_too_late(self) -> bool:
        """Returns whether another round would be too late for last polls."""
        return self.begun and not self.polls_once and self._time.is_too_late()

    # --- updates ---

    def take(self, update: Update) -> News:
        """Enter an update into the book, whether it came over the live channel or with the answer of a round.

        :returns: what progress lines should report.
        """
        self._is_first = False
        if self.plan is None:
            self.begin(update["plan"], update["about"])
        self.next.take(update["next"])
        return self.book.apply(update["report"])

    def end_round(self, cost: float, seconds: float) -> None:
        """Note that a round has returned its answer, and what it took to start it and to return that.

        :param cost: CPU seconds.
        :param seconds: seconds of the clock.
        """
        self._time.end(seconds)
        self._cost, self.losses = cost, 0

    def begin(self, plan: list[PlanItem], about: t.Mapping[str, t.Any]) -> None:
        """Make the book for a plan. Records that came with items are judged at once.

        :param about: further members of the result.
        """
        self.plan = plan
        self._about.update(about)
        self.book = Book.open(plan, clock_face(self.timing.started))
        if self._check_mode:
            for number, item in enumerate(plan):
                if item.get("unstarted"):
                    self.book.end(number, verdict.UNFINISHED, 0.0)
        if not self._conditional:
            self.book.judge(self._options["until"], 0.0)

    def lose(self, said: str) -> None:
        """Count an error for every open cloud task, since a round gave no answer.

        :param said: the reason, for messages.
        """
        self.losses += 1
        self.last_loss = said
        self._is_first = False
        elapsed = self.timing.elapsed()
        for number in self.book.open_numbers():
            self.book.entries[number].fail_poll(CloudError("network", said))
            if self.next.count_error(str(number)) >= self._options["max_errors"]:
                self.book.end(number, verdict.ERROR, elapsed)
        if self.timing.left() <= 0:
            self.book.end_open(verdict.TIMED_OUT, elapsed)

    # --- the end ---

    def has_verdict(self) -> bool:
        """Returns whether the outcome of the wait is certain."""
        fail_fast = self._options["fail_fast"] and not self._check_mode
        return self.begun and self.book.is_over(require=self._options["require"], fail_fast=fail_fast)

    def stop(self, outcome: str, problem: CloudError | None = None) -> None:
        """End every open cloud task.

        :param problem: the reason, which becomes the ``poll_error`` of each; null for none.
        """
        for number in self.book.open_numbers() if problem else ():
            self.book.entries[number].fail_poll(t.cast(CloudError, problem))
        self.book.end_open(outcome, self.timing.elapsed())

    def result(self) -> dict[str, t.Any]:
        """Returns the result of the wait as it is now."""
        result = make_result(
            self.book,
            require=self._options["require"],
            check_mode=self._check_mode,
            elapsed=self.timing.elapsed(),
            return_records=self._options["return_records"],
        )
        return {**result, **self._about}

    # --- saving and resuming ---

    def dump(self) -> dict[str, t.Any]:
        """Returns what another process needs to continue the wait, as plain JSON types."""
        unfinished = (str(number) for number, entry in enumerate(self.book.entries) if not entry.done)
        return {
            **self.timing.dump(),
            "plan": self.plan,
            "entries": [entry.dump() for entry in self.book.entries],
            "api_calls": self.book.api_calls,
            "next": self.next.aged(unfinished),
        }

    def resume(self, saved: t.Mapping[str, t.Any], plan: list[PlanItem], about: t.Mapping[str, t.Any]) -> bool:
        """Continue a saved wait, with the cloud tasks in the order of a new plan.

        The deadline is kept. The options of the new call replace all others.

        :param saved: what ``dump`` returned.
        :param about: further members of the result.
        :returns: false if the saved wait has other cloud tasks.
        :raises ValueError: or another built-in exception, when ``saved`` is not what ``dump`` returned.
        """
        places = {name: number for number, name in reversed(list(enumerate(_identities(saved["plan"]))))}
        names = _identities(plan)
        if set(places) != set(names):
            return False
        pause = self.timing.resume(saved)
        self.begin(plan, about)
        states = saved["next"].get("states", {})
        moved = {str(number): states.get(str(places[name]), {}) for number, name in enumerate(names)}
        self.next.take(t.cast(Handover, {**saved["next"], "states": moved}), ago=pause)
        for name, entry in zip(names, self.book.entries):
            _continue_entry(entry, saved["entries"][places[name]])
        self.book.count()
        self.book.api_calls = dict(saved["api_calls"])
        if not self._conditional:
            self.book.judge(self._options["until"], self.timing.elapsed())
        return True


def abort_arguments(rounds: Rounds, numbers: t.Iterable[int], seconds: float) -> dict[str, t.Any]:
    """Returns the arguments of the module that abort cloud tasks, which replace those of the user.

    :param seconds: time limit.
    """
    plan = t.cast("list[PlanItem]", rounds.plan)
    items = {str(number): _to_poll(plan[number]) for number in numbers}
    order = {**rounds.next.aged([]), "abort": True, "left": seconds, "plan": items}
    return {"tasks": None, "task_id": None, "_round": order}


def _continue_entry(entry: Entry, saved: t.Mapping[str, t.Any]) -> None:
    """Enter what was saved about a cloud task. Its outcome is determined anew by the new options.

    One that has not ended at the vendor is polled again, whatever the wait before has made of it.
    """
    loaded = Entry.load(saved)
    loaded.twin_of, loaded.name, loaded.outcome = entry.twin_of, entry.name, None
    if not loaded.done:
        loaded.ended = None
        loaded.told = entry.told if entry.done else loaded.told  # a record that came with the call
    vars(entry).update(vars(loaded))


def _identities(plan: t.Iterable[PlanItem]) -> list[str]:
    """Returns a text for each item that identifies its cloud task.

    Cloud tasks without an id have ended; they are identified by their order.
    """
    without_id = itertools.count()
    return [
        json.dumps([item["ref"], next(without_id) if item["ref"]["task_id"] is None else None], sort_keys=True)
        for item in plan
    ]


def _to_poll(item: PlanItem) -> PlanItem:
    """Returns what a round must know of an item."""
    return t.cast(PlanItem, {name: item[name] for name in ("ref", "options", "twins") if name in item})


__all__ = ["Rounds", "abort_arguments"]
