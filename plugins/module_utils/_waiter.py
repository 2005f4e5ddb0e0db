# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the one wait loop. Clock, sleep and the look are arguments.
"""Looks at all cloud tasks that are due, side by side within the rate budgets, until the round is over.

A round ends at the verdict; at its deadline, after a last look at what is still open; after it has lingered long
enough for a progress line; or some time after a change, or after polls have begun to fail, so that it is told. What must outlive it is given as a
``Report`` of plain JSON types: durations, never clock readings, so that it means the same on another host.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import typing as t

from . import _verdict
from ._errors import CloudError
from ._pacing import FOREVER, DueQueue, RateBudget, backoff
from ._status import PENDING, RUNNING, Record, lean
from ._sweep import Sweep, Swept

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ._book import Report

R = t.TypeVar("R")

PERMANENT = frozenset({"auth", "permission", "invalid", "config", "clock"})
"""The kinds of errors that no further look mends."""

LAST_LOOK = 2.5
"""Seconds that the last looks may take after the deadline, all together; the start of the module comes on top."""

RETRY_AFTER_CAP = 120.0
"""The longest that a provider may keep us away, in seconds."""

NO_TIME = 0.05
"""Seconds left below which a look is not begun any more: the last look at the deadline is near."""

SHORTEST_LOOK = 0.5
"""Seconds that a look gets even where the round should be over already."""

LONGEST_PAUSE = 86400.0
"""Seconds after which the loop looks around at least; a platform takes no pause of any length."""

OVERDUE = 1.0
"""Seconds after its time limit at which a poll is taken for lost, and its thread is left behind."""

THREADS = 16
"""The most threads, and so connections, of one provider."""


class Policy(t.NamedTuple):
    """The options of the wait that a round obeys; times in seconds."""

    until: t.Collection[str] | None  # null where a condition decides, which only the controller can evaluate
    require: _verdict.Require = _verdict.ALL
    fail_fast: bool = True
    delay: float = 0.0
    sleep: float = 2.0
    backoff: float = 1.5
    max_sleep: float = 30.0
    max_polls: int | None = None
    stall_timeout: float | None = None
    not_found_grace: float = 30.0
    max_errors: int = 10
    request_timeout: float = 10.0


class Limits(t.NamedTuple):
    """When a round must end, in seconds since it began; and how long the wait had gone on by then."""

    left: float
    linger: float = FOREVER
    after_change: float = FOREVER
    elapsed: float = 0.0
    first: bool = False  # the first round comes back as soon as everything was looked at once
    within: float = FOREVER  # a look that would last longer is cut off, since nobody will be there to hear of it
    once: bool = False  # look at everything once and no more, however long the rate budgets make that


class Task:
    """A cloud task during a round."""

    def __init__(self, number: int, ref: t.Mapping[str, t.Any], lane: str, state: t.Mapping[str, t.Any]) -> None:
        self.number = number
        self.ref = ref
        self.lane = lane
        self.polls: int = state.get("polls", 0)
        self.errors: int = state.get("errors", 0)
        self.missing: int = state.get("missing", 0)
        self.due_in: float | None = state.get("due_in")
        self.changed_ago: float | None = state.get("changed_ago")
        self.fingerprint: str | None = state.get("fingerprint")
        self.status: str | None = state.get("status")
        self.trouble: str | None = state.get("trouble")  # why its polls fail now, as a short digest
        self.told_trouble = self.trouble  # the same, as people were told it
        self.asked: bool = state.get("asked", False)  # by a sweep, for a look that has not come yet
        self.group: Group | None = None
        self.changed_at = 0.0
        self.due_at = 0.0
        self.looked = False
        self.looked_last = False
        self.record: Record | None = None
        self.changes: list[dict[str, t.Any]] = []
        self.error: dict[str, t.Any] | None = None
        self.outcome: str | None = None
        self.ended = 0.0

    @property
    def seen(self) -> bool:
        """Whether there was ever a record of it."""
        return self.fingerprint is not None


class Seen(t.NamedTuple):
    """What a look gave: a record or an error, and how many requests were sent for it."""

    record: Record | None
    error: CloudError | None
    calls: int


Look = t.Callable[[Task, float], Seen]
"""Looks at a cloud task within so many seconds; from several threads at once."""


class Flight(t.NamedTuple):
    """A poll that is under way in a thread.

    :param finish: takes the answer in.
    :param lost: the answer in place of one that does not come.
    :param ends: when it is taken for lost.
    """

    lane: Lane
    finish: t.Callable[[t.Any], None]
    lost: t.Callable[[CloudError], t.Any]
    ends: float


class Group:
    """The cloud tasks of one account, where a sweep tells which of them need a look.

    :param read: asks for a page of a list, by the list's name and a token, within so many seconds.
    :param record: what an entry of a list says of a cloud task.
    :param due_in: seconds to the next pass.
    """

    def __init__(
        self,
        lane: str,
        sweep: Sweep,
        *,
        read: t.Callable[[str, str | None, float], Swept],
        record: t.Callable[[Task, str, dict[str, t.Any]], Record],
        due_in: float = 0.0,
    ) -> None:
        self.lane = lane
        self.sweep = sweep
        self.read = read
        self.record = record
        self.due_in = due_in
        self.due_at = 0.0
        self.open: dict[int, Task] = {}


class Lane:
    """The cloud tasks of one provider, which share a rate budget and threads."""

    def __init__(self, budget: RateBudget, most: int) -> None:
        self.budget = budget
        self.due = DueQueue()
        self.most = most
        self.under_way = 0
        self.threads = 0
        self.jobs: queue.SimpleQueue[t.Callable[[], None]] = queue.SimpleQueue()
        self.calls = 0

    def next_start(self) -> float:
        """When the next look may begin."""
        if not self.due or self.under_way >= self.most:
            return FOREVER
        return max(self.due.next_due(), self.budget.ready)

    def run(self, job: t.Callable[[], None]) -> None:
        """Run a job in a thread; a new one only when all are busy. Daemons, so that none outlives the verdict."""
        self.under_way += 1
        self.jobs.put(job)
        if self.under_way <= self.threads:
            return
        try:
            threading.Thread(target=self._work, daemon=True).start()
            self.threads += 1
        except RuntimeError:  # the system has no thread left: those that are there do it, or else this one
            if not self.threads:
                self.jobs.get()()

    def leave_thread(self) -> None:
        """A thread hangs in its job; another one may take its place."""
        self.under_way -= 1
        self.threads -= 1

    def _work(self) -> None:
        while True:
            self.jobs.get()()


class Waiter:
    """One round.

    :param look: asks once for a cloud task.
    :param budgets: the rate budget of each lane.
    :param clock: monotonic seconds.
    :param sleep: waits so many seconds.
    :param chance: a number from 0 to 1, for jitter.
    :param side_by_side: whether looks may run in threads.
    :param groups: where a sweep saves looks.
    """

    def __init__(
        self,
        tasks: t.Sequence[Task],
        look: Look,
        *,
        policy: Policy,
        limits: Limits,
        budgets: t.Mapping[str, RateBudget],
        clock: t.Callable[[], float],
        sleep: t.Callable[[float], None],
        chance: t.Callable[[], float],
        side_by_side: bool = True,
        groups: t.Sequence[Group] = (),
    ) -> None:
        self._tasks = {task.number: task for task in tasks}
        self._look = look
        self._policy = policy
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._threads = side_by_side and len(tasks) > 1
        self._began = clock()
        self._deadline = self._began + limits.left
        self._lanes = {name: Lane(budget, THREADS if self._threads else 1) for name, budget in budgets.items()}
        self._done: queue.SimpleQueue[tuple[int, t.Any]] = queue.SimpleQueue()
        self._flights: dict[int, Flight] = {}
        self._last_flight = 0
        self._changed = False
        self._last_looks = False
        self._unseen = self._open = len(self._tasks)
        self._satisfied = 0
        self._groups = groups
        self._enter_groups()
        for task in tasks:
            self._enter(task)

    def _enter_groups(self) -> None:
        for index, group in enumerate(self._groups):
            group.open = {number: self._tasks[number] for number in group.sweep.numbers}
            group.due_at = self._began + group.due_in
            self._lanes[group.lane].due.push(-1 - index, group.due_at)
            for task in group.open.values():
                task.group = group

    def _enter(self, task: Task) -> None:
        due_in = self._policy.delay if task.due_in is None else task.due_in
        task.changed_at = self._began - (self._limits.elapsed if task.changed_ago is None else task.changed_ago)
        task.due_at = self._began + max(0.0, due_in)
        if task.group is None or task.asked:
            self._lanes[task.lane].due.push(task.number, task.due_at)

    # --- the loop ---

    def run(self) -> Report:
        """Until the round is over."""
        while not self._is_over(self._clock()):
            self._begin_last_looks(self._clock())
            if not self._start_one(self._clock()):
                self._pause(self._clock())
        self._drain()
        return self._report(self._clock())

    def _is_over(self, now: float) -> bool:
        if self._has_verdict():
            return True
        if self._limits.once:
            return self._unseen == 0 or now >= self._began + self._limits.within
        if self._last_looks:
            return now >= self._deadline + self._grace() or not self._is_busy()
        if self._limits.first and self._unseen == 0 and not self._is_midway():
            return True
        return now >= self._handover()

    def _handover(self) -> float:
        """When a round that has no verdict should come back; a round through the lists is not broken off."""
        if self._is_midway():
            return self._began + self._limits.within
        ends = [self._limits.linger] + ([self._limits.after_change] if self._changed else [])
        return self._began + min(ends)

    def _is_midway(self) -> bool:
        return any(group.open and group.sweep.is_midway for group in self._groups)

    def _has_verdict(self) -> bool:
        policy = self._policy
        decides = policy.until is not None  # where a condition does, nothing is over here before each has ended
        return _verdict.is_over(
            still_open=self._open,
            satisfied=self._satisfied,
            otherwise=len(self._tasks) - self._open - self._satisfied,
            require=policy.require if decides else _verdict.ALL,
            fail_fast=policy.fail_fast and decides,
        )

    def _is_busy(self) -> bool:
        return any(lane.due or lane.under_way for lane in self._lanes.values())

    def _grace(self) -> float:
        return min(self._policy.request_timeout, LAST_LOOK)

    def _begin_last_looks(self, now: float) -> None:
        """At the deadline everything that is open falls due once more; what is under way is its own last look."""
        if self._last_looks or self._limits.once or now < self._deadline:
            return
        self._last_looks = True
        for group in self._groups:
            self._leave(group, self._deadline)
        for lane in self._lanes.values():
            waiting = [lane.due.pop() for dummy in range(len(lane.due))]
            for number in waiting:
                if number >= 0:
                    lane.due.push(number, self._deadline)

    def _start_one(self, now: float, without: t.Collection[Lane] = ()) -> bool:
        """Begin the look that has waited longest for its turn, if one may begin now.

        :param without: services that are not to be asked.
        """
        lane = min(self._lanes_but(without), key=Lane.next_start, default=None)
        if lane is None or lane.next_start() > now:
            return False
        if not self._limits.once and self._end_of_looks() - now < NO_TIME:
            return False
        seconds = self._time_for_a_look(now)
        number = lane.due.pop()
        if number < 0:
            self._start_page(lane, self._groups[-1 - number], seconds, now)
            return True
        task = self._tasks[number]
        if task.outcome is not None:
            return True
        lane.budget.take(now)
        task.looked_last = self._last_looks
        flight = Flight(
            lane,
            lambda seen: self._finish(task, seen),
            lambda error: Seen(None, error, 1),
            now + seconds + OVERDUE,
        )
        self._start(flight, lambda: self._look(task, seconds))
        return True

    def _lanes_but(self, without: t.Collection[Lane]) -> list[Lane]:
        return [lane for lane in self._lanes.values() if lane not in without]

    def _start(self, flight: Flight, ask: t.Callable[[], t.Any]) -> None:
        """Ask in a thread, where there are some, and take the answer in here."""
        self._last_flight += 1
        number = self._last_flight
        self._flights[number] = flight
        if self._threads:
            flight.lane.run(lambda: self._done.put((number, _try(ask))))
        else:
            flight.lane.under_way += 1
            self._land(number, _try(ask))

    def _land(self, number: int, answer: t.Any) -> None:
        """Take an answer in; one that was taken for lost meanwhile is not counted twice."""
        flight = self._flights.pop(number, None)
        if flight is None:
            return
        flight.lane.under_way -= 1
        if isinstance(answer, BaseException):
            raise answer
        flight.finish(answer)

    def _give_up_lost(self, now: float) -> None:
        """Count polls that do not even keep their own time limit as failed."""
        for number in [number for number, flight in self._flights.items() if flight.ends <= now]:
            flight = self._flights.pop(number)
            flight.lane.leave_thread()
            flight.finish(flight.lost(CloudError("network", "the poll did not end within its time limit")))

    def _time_for_a_look(self, now: float) -> float:
        patience = min(self._policy.request_timeout, max(SHORTEST_LOOK, self._began + self._limits.within - now))
        return patience if self._limits.once else min(patience, self._end_of_looks() - now)

    def _pause(self, now: float) -> None:
        """Until something may begin, must end, or a look is done: no turn of the loop without a reason."""
        seconds = self._wake(now) - now
        if seconds <= 0:  # it has come meanwhile
            return
        if not self._flights:
            self._sleep(min(seconds, LONGEST_PAUSE))
            return
        self._await(now, now + seconds)

    def _await(self, now: float, until: float) -> None:
        """Take in the next answer, up to a moment at which there is something else to do."""
        end = min(until, now + LONGEST_PAUSE, *(flight.ends for flight in self._flights.values()))
        try:
            self._land(*self._done.get(timeout=max(0.0, end - now)))
        except queue.Empty:
            self._give_up_lost(self._clock())

    def _wake(self, now: float) -> float:
        """The next moment at which the loop has something to do, but for a look that is done."""
        start = min([lane.next_start() for lane in self._lanes.values()], default=FOREVER)
        if self._limits.once:
            return min(start, self._began + self._limits.within)
        end = self._end_of_looks()
        if end - max(start, now) < NO_TIME:  # too late to begin
            start = FOREVER
        return min(start, end) if self._last_looks else min(start, end, self._handover())

    def _end_of_looks(self) -> float:
        return self._deadline + self._grace() if self._last_looks else self._deadline

    def _drain(self) -> None:
        """Before a round hands over, what is under way comes in; after a verdict or the deadline nobody waits.

        A service that takes its time does not hold up the polls of the others meanwhile.
        """
        slow = set(self._flights)
        while self._flights and not (self._has_verdict() or self._last_looks):
            now = self._clock()
            lanes = [flight.lane for number, flight in self._flights.items() if number in slow]
            if lanes and self._start_one(now, without=lanes):
                continue
            start = min([lane.next_start() for lane in self._lanes_but(lanes)], default=FOREVER) if lanes else FOREVER
            self._await(now, start)

    # --- sweeps ---

    def _start_page(self, lane: Lane, group: Group, seconds: float, now: float) -> None:
        if not group.sweep.is_worth_it(len(group.open)):  # so many have ended since, or it was left
            self._leave(group, now)
            return
        name, token = group.sweep.next_page()
        lane.budget.take(now)
        flight = Flight(
            lane,
            lambda swept: self._finish_page(group, name, swept),
            lambda error: Swept(None, error, 1),
            now + seconds + OVERDUE,
        )
        self._start(flight, lambda: group.read(name, token, seconds))

    def _finish_page(self, group: Group, name: str, swept: Swept) -> None:
        """Those on the page need no look; at the end of a round through the lists, those on none of them do."""
        now = self._clock()
        lane = self._count(group.lane, swept.calls, now)
        passes = 0
        if swept.error is not None:
            self._slow_down(lane, swept.error, now)
            group.sweep.fail(for_good=swept.error.kind in PERMANENT or not swept.error.retryable)
            passes = 1
        elif swept.page is not None:
            lane.budget.answered()
            for number, entry in group.sweep.take(swept.page, group.open).items():
                self._take_listed(group.open[number], group.record(group.open[number], name, entry), now)
            passes = self._end_of_lists(group, lane, now)
        if not group.sweep.is_worth_it(len(group.open)):
            self._leave(group, now)
            return
        group.due_at = now + passes * self._pause_after(group.sweep.passes - 1)
        lane.due.push(-1 - self._groups.index(group), group.due_at)

    def _end_of_lists(self, group: Group, lane: Lane, now: float) -> int:
        """How many passes a round through the lists took that is over now; 0 while it goes on."""
        ended = group.sweep.end_round(group.open)
        if ended is None:
            return 0
        passes, unlisted = ended
        for task in (group.open[number] for number in unlisted):
            if not task.asked:
                task.asked, task.due_at = True, now
                lane.due.push(task.number, now)
        return passes

    def _take_listed(self, task: Task, record: Record, now: float) -> None:
        """A list tells the status and no more: it must not hide what a look has told since that began."""
        self._unseen -= not task.looked
        task.looked = True
        late = task.status == RUNNING and record["status"] == PENDING  # a look has told more since that page was made
        if record["status"] != task.status and not late:
            self._take_record(task, record, now)
        self._recover(task)

    def _leave(self, group: Group, now: float) -> None:
        """From now on each is looked at by itself."""
        for number, task in group.open.items():
            task.group = None
            if not task.asked:
                self._lanes[task.lane].due.push(number, now)
        group.open = {}

    # --- what a look means ---

    def _count(self, name: str, calls: int, now: float) -> Lane:
        lane = self._lanes[name]
        lane.calls += calls
        if calls > 1:
            lane.budget.take(now, calls - 1)
        return lane

    def _slow_down(self, lane: Lane, error: CloudError, now: float) -> None:
        if error.kind == "throttled":
            lane.budget.throttled(now, min(error.retry_after or 0.0, RETRY_AFTER_CAP))

    def _finish(self, task: Task, seen: Seen) -> None:
        now = self._clock()
        lane = self._count(task.lane, seen.calls, now)
        self._unseen -= not task.looked
        task.looked = True
        task.polls += 1
        task.asked = False
        if seen.error is not None:
            self._take_error(task, seen.error, now)
        elif seen.record is not None:
            lane.budget.answered()
            self._take_record(task, seen.record, now)
        self._decide(task, now)

    def _recover(self, task: Task) -> None:
        """The polls of a cloud task succeed again."""
        task.errors, task.missing, task.error, task.trouble = 0, 0, None, None
        self._changed |= task.told_trouble is not None

    def _take_record(self, task: Task, record: Record, now: float) -> None:
        self._recover(task)
        task.status = record["status"]
        mark = _verdict.fingerprint(record)
        if mark != task.fingerprint:
            task.fingerprint = mark
            task.changed_at = now
            task.record = record
            change = {name: record[name] for name in ("status", "native_status", "progress")}
            task.changes.append({"elapsed": self._elapsed(now), **change})
            self._changed = True
        over = _verdict.outcome_of(record, self._policy.until or ())
        outcome = over if over is None or self._policy.until else _verdict.UNFINISHED  # the controller knows the word
        if outcome:
            task.record = record
            self._end(task, outcome, now)

    def _take_error(self, task: Task, error: CloudError, now: float) -> None:
        task.error = {**error.as_dict(), "advice": error.advice}
        task.trouble = _digest(error)
        self._changed |= task.trouble != task.told_trouble
        self._slow_down(self._lanes[task.lane], error, now)
        if error.kind == "not_found":
            task.missing += 1
            if task.missing >= 2 if task.seen else self._elapsed(now) >= self._policy.not_found_grace:
                self._end(task, _verdict.NOT_FOUND, now)
            return
        task.errors += 1
        permanent = error.kind in PERMANENT or not error.retryable
        if permanent or task.errors >= self._policy.max_errors:
            self._end(task, _verdict.ERROR, now)
        task.due_at = now + min(error.retry_after or 0.0, RETRY_AFTER_CAP)

    def _decide(self, task: Task, now: float) -> None:
        """After a look that has ended nothing by itself: is time, patience or the number of polls used up?"""
        policy = self._policy
        if task.outcome is not None or self._limits.once:
            return
        stalled = policy.stall_timeout is not None and now - task.changed_at >= policy.stall_timeout
        if stalled:
            self._end(task, _verdict.STALLED, now)
        elif policy.max_polls is not None and task.polls >= policy.max_polls:
            self._end(task, _verdict.TIMED_OUT, now)
        elif not task.looked_last and (task.group is None or task.errors or task.missing):
            due = self._deadline if self._last_looks else self._next_due(task, now)
            self._lanes[task.lane].due.push(task.number, due)
            task.asked = task.group is not None  # all others are told of by the next round through the lists

    def _next_due(self, task: Task, now: float) -> float:
        """After a backoff, but not later than the moment at which patience ends."""
        policy = self._policy
        due = max(now + self._pause_after(task.polls - 1), task.due_at if task.errors else 0.0)
        ends = []
        if policy.stall_timeout is not None:
            ends.append(task.changed_at + policy.stall_timeout)
        if task.missing and not task.seen:
            ends.append(self._began - self._limits.elapsed + policy.not_found_grace)
        task.due_at = min([due, *(end for end in ends if end > now)])
        return task.due_at

    def _pause_after(self, attempt: int) -> float:
        policy = self._policy
        return backoff(attempt, first=policy.sleep, factor=policy.backoff, cap=policy.max_sleep, chance=self._chance)

    def _end(self, task: Task, outcome: str, now: float) -> None:
        if task.group is not None:
            del task.group.open[task.number]
        error_kind = _verdict.NOT_FOUND if task.missing else None
        outcome = _verdict.last_word(outcome, seen=task.seen, error_kind=error_kind)
        task.outcome = outcome
        task.ended = self._elapsed(now)
        self._open -= 1
        self._satisfied += outcome == _verdict.SATISFIED

    def _elapsed(self, now: float) -> float:
        return self._limits.elapsed + now - self._began

    # --- what is handed over ---

    def _report(self, now: float) -> Report:
        tasks = self._tasks.values()
        if self._last_looks and not self._has_verdict():
            for task in tasks:
                if task.outcome is None:
                    self._end(task, _verdict.TIMED_OUT, now)
        condition = self._policy.until is None
        return {
            "polls": {str(task.number): task.polls for task in tasks if task.looked},
            "errors": {str(task.number): task.error for task in tasks if task.error},
            "troubles": {str(task.number): bool(task.trouble) for task in tasks if task.trouble != task.told_trouble},
            "records": {str(task.number): lean(task.record) for task in tasks if task.record and task.changes},
            "history": {str(task.number): task.changes for task in tasks if task.changes},
            "outcomes": {
                str(task.number): [task.outcome, task.ended]
                for task in tasks
                if task.outcome and not (condition and task.outcome == _verdict.UNFINISHED)
            },
            "api_calls": {name: lane.calls for name, lane in self._lanes.items() if lane.calls},
            "states": {str(task.number): self._state(task, now) for task in tasks if task.outcome is None},
            "lanes": {
                name: {"ready_in": max(0.0, lane.budget.ready - now), "slowdown": lane.budget.slowdown}
                for name, lane in self._lanes.items()
            },
        }

    def _state(self, task: Task, now: float) -> dict[str, t.Any]:
        state = {
            "polls": task.polls,
            "errors": task.errors,
            "missing": task.missing,
            "fingerprint": task.fingerprint,
            "status": task.status,
            "trouble": task.trouble,
            "asked": task.asked,
        }
        told = {name: value for name, value in state.items() if value}  # all else is as at the beginning
        return {**told, "due_in": max(0.0, task.due_at - now), "changed_ago": now - task.changed_at}


def _digest(error: CloudError) -> str:
    """A mark that is the same for errors of the same kind and code; a vendor's code goes no further than this."""
    return hashlib.sha256(f"{error.kind} {error.code}".encode("utf-8", "replace")).hexdigest()[:8]


def _try(ask: t.Callable[[], R]) -> R | BaseException:
    try:
        return ask()
    except BaseException as error:  # noqa: BLE001 # a thread has nobody to raise to; it is raised where it is taken in
        return error


__all__ = ["Group", "Limits", "Look", "Policy", "Seen", "Task", "Waiter"]
