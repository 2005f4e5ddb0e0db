# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The loop of a round: polls all sources that are due, in parallel and within the rate limits, until the round ends.

A round ends when the outcome of the wait is certain; at the deadline, after a last poll of every unfinished cloud task;
when its time limit has passed; or some time after a change, so that the action can report the change.
"""

from __future__ import annotations

import functools
import queue
import typing as t

from .._errors import CloudError
from .._pacing import FOREVER, LONGEST_SLEEP, RateBudget
from .contract import Handover, Report
from .forecast import Forecast
from .judge import CloudTask, Judge
from .policy import Limits, Policy
from .queues import ServiceQueue, Source
from .report import Reports, Tell, end_late
from .sources import PollRef, SweepSource, TaskSource

LAST_POLLS = 2.5
"""Seconds after the deadline in which all last polls must end. The start of the module takes time in addition."""

NO_TIME = 0.05
"""Shortest time left, in seconds, in which a poll is begun: below it, the last poll at the deadline is near."""

SHORTEST_POLL = 0.5
"""Shortest time limit of a poll, in seconds, even where the round should have ended."""

LONGEST_SWEEP = 60.0
"""Seconds for which the end of a round waits for the end of a sweep. The action gives up a round that is much too long."""

THREADS = 16
"""Largest number of threads, and so of connections, for one service."""

OVERDUE = 1.0
"""Seconds after its time limit at which a poll counts as failed and its thread is abandoned."""


MakeSweeps = t.Callable[[t.Mapping[int, TaskSource], Judge, float], dict[str, SweepSource]]
"""Returns the sweeps, by account, given the sources of cloud tasks, their judge, and the time."""


class Flight(t.NamedTuple):
    """A source that is being asked.

    :param ends: when it counts as failed without an answer.
    """

    source: Source
    ends: float


class RoundEnd:
    """Decides when a round ends, and what there is still time for.

    :param sweeps: the sources that read lists. A round does not end in the middle of a sweep if it can be avoided.
    """

    def __init__(self, judge: Judge, sweeps: t.Sequence[SweepSource], limits: Limits, began: float) -> None:
        self._judge = judge
        self._sweeps = sweeps
        self._limits = limits
        self._began = began

    def has_come(self, now: float, *, is_busy: bool) -> bool:
        """Returns whether the round has ended.

        :param is_busy: whether any poll is waiting or being made.
        """
        judge = self._judge
        if judge.has_verdict():
            return True
        if self._limits.once:
            return judge.unpolled == 0 or now >= self._began + self._limits.within
        if judge.is_deadline_over:
            return now >= self.of_polls() or not is_busy
        if now >= judge.deadline:  # the last polls come first, unless nobody would read their answers
            return now >= self._began + self._limits.within
        if self._limits.first and judge.unpolled == 0 and not self._is_midway():
            return True
        return now >= self._handover()

    def _handover(self) -> float:
        """Returns when a round should end although the outcome of the wait is not certain."""
        if self._is_midway():
            return self._began + min(self._limits.within, self._limits.linger + LONGEST_SWEEP)
        ends = [self._limits.linger] + ([self._limits.after_change] if self._judge.untold else [])
        return self._began + min(ends)

    def _is_midway(self) -> bool:
        return any(sweep.is_midway for sweep in self._sweeps)

    def of_polls(self) -> float:
        """Returns when every poll must have ended: at the deadline, or some seconds later for the last polls."""
        judge = self._judge
        grace = min(judge.policy.request_timeout, LAST_POLLS)
        return judge.deadline + grace if judge.is_deadline_over else judge.deadline

    def leaves_time(self, now: float) -> bool:
        """Returns whether there is time to begin a poll."""
        return self._limits.once or self.of_polls() - now >= NO_TIME

    def time_for_a_poll(self, now: float) -> float:
        """Returns the time limit, in seconds, of a poll that begins now."""
        within = self._began + self._limits.within - now
        seconds = min(self._judge.policy.request_timeout, max(SHORTEST_POLL, within))
        return seconds if self._limits.once else min(seconds, self.of_polls() - now)

    def next_moment(self, now: float, start: float) -> float:
        """Returns when there is something to do next.

        :param start: when the next poll may begin.
        """
        if self._limits.once:
            return min(start, self._began + self._limits.within)
        end = self.of_polls()
        if end - max(start, now) < NO_TIME:  # too late to begin a poll
            start = FOREVER
        return min(start, end) if self._judge.is_deadline_over else min(start, end, self._handover())


def next_start(queues: t.Iterable[ServiceQueue]) -> float:
    """Returns when the next source in any of these queues may be asked."""
    return min([each.next_start() for each in queues], default=FOREVER)


def no_sweeps(sources: t.Mapping[int, TaskSource], judge: Judge, now: float) -> dict[str, SweepSource]:
    """Returns no sweeps, so that each cloud task is polled by itself."""
    return {}


class Loop:
    """Polls cloud tasks until the round ends. All times are seconds of ``clock``.

    :param poll_of: returns the method ``poll`` of a cloud task's service.
    :param budgets: the rate budget of each service, by its word.
    :param clock: returns monotonic seconds.
    :param sleep: sleeps for a number of seconds; by default until something must be done, at most so long.
    :param chance: returns a random number from 0 to 1, for jitter.
    :param side_by_side: whether several cloud tasks may be polled in parallel, in threads.
    :param make_sweeps: returns the sweeps, by account.
    :param tell: tells changes while the round runs; null where they are told at its end.
    :param lives: durations of cloud tasks that have ended in earlier rounds, by provider word.
    """

    def __init__(
        self,
        tasks: t.Sequence[CloudTask],
        poll_of: t.Callable[[CloudTask], PollRef],
        *,
        policy: Policy,
        limits: Limits,
        budgets: t.Mapping[str, RateBudget],
        clock: t.Callable[[], float],
        sleep: t.Callable[[float], t.Any] | None = None,
        chance: t.Callable[[], float],
        side_by_side: bool = True,
        make_sweeps: MakeSweeps = no_sweeps,
        tell: Tell | None = None,
        lives: t.Mapping[str, t.Iterable[float]] | None = None,
    ) -> None:
        began = clock()
        self._tasks, self._limits, self._clock = tasks, limits, clock
        self._sleep = sleep or self._serve
        self._side_by_side = side_by_side and (limits.endless or len(tasks) > 1)
        self._judge = judge = Judge(tasks, policy, limits, began=began, chance=chance, forecast=Forecast(lives))
        threads = THREADS if self._side_by_side else 1
        self.queues = {word: ServiceQueue(budget, threads) for word, budget in budgets.items()}
        sources = {task.number: TaskSource(task, self.queues[task.word], judge, poll_of(task)) for task in tasks}
        self._sweeps = {} if limits.once else make_sweeps(sources, judge, began)
        for source in sources.values():
            if source.sweep is None or source.task.asked:
                source.queue.add(source, source.task.due_at)
        self._end = RoundEnd(judge, list(self._sweeps.values()), limits, began)
        self._reports = Reports(tasks, judge, self.queues, self._sweeps, tell)
        self._is_stopped = False
        # no SimpleQueue: in Python up to 3.12, its get() never ends if a very short time limit passes at a bad moment
        self._calls: queue.Queue[t.Callable[[], None]] = queue.Queue()
        self._flights: dict[int, Flight] = {}
        self._last_flight = 0

    def run(self) -> tuple[Report, Handover]:
        """Poll until the round ends. Returns the report of the round, and what the next round must know."""
        while not (self._is_stopped or self._end.has_come(self._clock(), is_busy=self._is_busy())):
            self._begin_last_polls(self._clock())
            if not self._start_one(self._clock()):
                self._pause(self._clock())
            if not self._reports.tell(self._clock()):  # meanwhile, another thread may stop the round
                self._is_stopped = True
        self._drain()
        now = self._clock()
        end_late(self._tasks, self._judge, now)
        return self._reports.rest(now)

    def stop(self) -> None:
        """End the round as soon as possible. Other threads may call it."""
        self._is_stopped = True
        self.call(lambda: None)

    def call(self, what: t.Callable[[], None]) -> None:
        """Let the loop call a function between two polls, in its own thread. Other threads may call this."""
        self._calls.put(what)

    def add(self, task: CloudTask, poll: PollRef) -> TaskSource:
        """Poll another cloud task from now on. Only for functions that the loop calls; see :meth:`call`.

        :param poll: the method ``poll`` of its service.
        """
        self._judge.add(task, self._clock())
        source = TaskSource(task, self.queues[task.word], self._judge, poll)
        source.queue.add(source, task.due_at)
        return source

    def _is_busy(self) -> bool:
        return any(each.is_busy for each in self.queues.values())

    # --- the deadline ---

    def _begin_last_polls(self, now: float) -> None:
        """At the deadline, let every unfinished cloud task be polled once more, after a poll of it that is being made.

        If this process or its machine was stopped and continued after the deadline, that is the moment.
        """
        judge = self._judge
        if judge.is_deadline_over or self._limits.once or now < judge.deadline:
            return
        judge.is_deadline_over, judge.deadline = True, now
        for sweep in self._sweeps.values():
            sweep.give_up(judge.deadline)
        for each in self.queues.values():
            each.put_off_all(judge.deadline)

    # --- asking ---

    def _start_one(self, now: float, without: t.Collection[ServiceQueue] = ()) -> bool:
        """Ask the source that may be asked first, if there is one by now. Returns whether there was.

        :param without: queues to leave out.
        """
        queues = [each for each in self.queues.values() if each not in without]
        due = min(queues, key=ServiceQueue.next_start, default=None)
        if due is None or due.next_start() > now or not self._end.leaves_time(now):
            return False
        source = due.due.pop()
        if not source.begin(now, is_last=self._judge.is_deadline_over):
            return True
        due.budget.take(now)
        due.begin(now)
        seconds = self._end.time_for_a_poll(now)
        self._last_flight += 1
        number = self._last_flight
        self._flights[number] = Flight(source, now + seconds + OVERDUE)

        def ask() -> None:
            try:
                answer, crash = source.ask(seconds), None
            except BaseException as error:  # noqa: BLE001 # an exception would end in the thread; _take raises it
                answer, crash = None, error
            self.call(functools.partial(self._take, number, answer, crash))

        if self._side_by_side:
            due.run(ask)
        else:
            ask()
            while number in self._flights:
                self._calls.get()()
        return True

    def _take(self, number: int, answer: t.Any, crash: BaseException | None) -> None:
        """Process an answer, unless it comes after its poll has counted as failed.

        :param crash: an exception other than ``CloudError``, which is raised here.
        """
        flight = self._flights.pop(number, None)
        if flight is None:
            return
        flight.source.queue.end()
        if crash is not None:
            raise crash
        flight.source.take(answer, self._clock())

    def _give_up_lost(self, now: float) -> None:
        """Let polls fail that have exceeded their own time limit, and abandon their threads."""
        for number in [number for number, flight in self._flights.items() if flight.ends <= now]:
            source = self._flights.pop(number).source
            source.queue.leave_thread()
            error = CloudError("network", "the poll did not end within its time limit")
            error.calls = 1
            source.take(error, self._clock())

    # --- waiting ---

    def _pause(self, now: float) -> None:
        """Sleep until a poll may begin, the round must end, or an answer comes."""
        wake = min(self._end.next_moment(now, next_start(self.queues.values())), self._reports.next_moment())
        if wake <= now:  # it has come while this was computed
            return
        if self._flights:
            self._await(now, wake)
        else:
            self._sleep(min(wake - now, LONGEST_SLEEP))

    def _serve(self, seconds: float) -> bool:
        """Wait for the next call, and make it. Returns false if none came within this time."""
        try:
            call = self._calls.get(timeout=seconds)
        except queue.Empty:
            return False
        call()
        return True

    def _await(self, now: float, until: float) -> None:
        """Process the next answer, unless it comes later than ``until``."""
        end = min(until, now + LONGEST_SLEEP, *(flight.ends for flight in self._flights.values()))
        if not self._serve(max(0.0, end - now)):
            self._give_up_lost(self._clock())

    def _drain(self) -> None:
        """Wait for outstanding answers before the round ends, unless the outcome is certain or the deadline has passed.

        Meanwhile the other services are still polled, so that a slow one does not delay them.
        """
        slow = set(self._flights)
        while self._flights and not (self._is_stopped or self._judge.has_verdict() or self._judge.is_deadline_over):
            now = self._clock()
            busy = [flight.source.queue for number, flight in self._flights.items() if number in slow]
            if busy and self._start_one(now, without=busy):
                continue
            others = [each for each in self.queues.values() if each not in busy] if busy else []
            self._await(now, next_start(others))


__all__ = ["Loop"]
