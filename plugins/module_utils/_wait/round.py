# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""One run of the module ``wait_for_task``: a round of a wait, or the whole wait where no action plugin takes part.

The module holds the credentials, so that they never leave the host and user that the Ansible task runs as.
"""

from __future__ import annotations

import functools
import random
import time
import typing as t

from .._errors import CloudError, shown
from .._pacing import FOREVER, RateBudget
from .._services.base import PAGE_SIZE, Environ, Lists, Options
from .._services.registry import SERVICES
from . import verdict
from .abort import Aborts
from .accounts import Accounts, Notes, account_of, listed_record
from .channel import Channel
from .contract import Handover, Order, PlanItem, Report, RoundAnswer, Update
from .items import make_plan, wants_poll
from .judge import CloudTask, Judge
from .loop import Loop
from .options import ABORT, ABORT_LIMIT, ON_CONTROLLER, check_policy
from .policy import Limits, limits_of, policy_of
from .report import make_report
from .sources import SweepSource, TaskSource
from .sweep import Sweep

NOTHING: tuple[Report, Handover] = (make_report([], {}), {})
"""Report and hand-over before the first poll."""

SLOWEST = 1e-6
"""Lowest valid rate limit, in calls per second."""


class Round:
    """One run of the module. The constructor checks everything that can be checked without a request.

    :param options: options of the module, as the user gave them.
    :param order: what the action asks for; null where the module runs alone.
    :raises CloudError: ``config``, when an option or an item is invalid.
    """

    def __init__(self, options: Options, environ: Environ, *, check_mode: bool, order: Order | None = None) -> None:
        self._options = options = check_policy(options)
        self._check_mode = check_mode
        self._order: Order = order or {}
        _check_rates(options)
        _check_alone(options)
        self._is_first = "plan" not in self._order
        self._plan: dict[int, PlanItem] = {int(number): item for number, item in self._order.get("plan", {}).items()}
        if self._is_first:
            self._plan = dict(enumerate(make_plan(options, environ, check_mode=check_mode)))
            _check_plan(self._plan.values(), options)
        self._polled = {number: item for number, item in self._plan.items() if wants_poll(item)}
        self._policy = policy_of(options, check_mode=check_mode, condition=bool(self._order.get("condition")))
        self._came_along = _count_ended(self._plan.values(), options["until"])
        self._notes = Notes(self._order.get("warned", []))
        self.accounts = Accounts(options, environ, self._notes, self._order)

    def missing_libraries(self) -> list[str]:
        """The names of Python packages that are needed and that this Python lacks."""
        words = dict.fromkeys(item["ref"]["provider"] for item in self._polled.values())
        return [name for word in words for name in SERVICES[word].missing_libraries()]

    def notes(self) -> list[str]:
        """Returns the warnings for the user that have not been returned yet."""
        self.accounts.note_clock()
        if self._is_first and not self._plan:
            self._notes.add("empty", "The list of cloud tasks is empty, so there was nothing to wait for.")
        return self._notes.take()

    # --- one round of a wait that the action plugin runs ---

    def run(self, channel: Channel | None = None) -> RoundAnswer:
        """Run the round that the action has ordered.

        :param channel: the live channel, over which changes are told while the round runs; null if there is none.
        :returns: what was not told over the channel.
        :raises CloudError: ``config``, when credentials are missing or invalid.
        """
        cost = time.process_time()  # what it took to begin
        if self._order.get("plan_only"):
            return t.cast(RoundAnswer, {"invocation": {}, **self._beginning(self._polled.values())})
        if self._order.get("abort"):
            aborts = Aborts(self.accounts.service_of, self._budgets(), seconds=self._order["left"])
            return {"invocation": {}, "aborts": aborts.run(self._polled), "api_calls": aborts.calls}
        tasks = self._tasks()
        beginning: Update = self._beginning(task.item for task in tasks) if self._is_first else {}
        began = time.monotonic()
        limits = limits_of(self._order, live_at=None if channel is None else began)
        loop = Loop(tasks, **self._ways(limits), tell=self._teller(channel) if channel else None)
        if channel is not None:
            channel.watch(loop.stop)
            if beginning:
                if channel.tell({**self._update(*NOTHING), **beginning}):
                    beginning = {}
                else:
                    loop.stop()
        report, handover = loop.run()
        polled_for = time.monotonic() - began
        handover["sweeps"] = {**self._order.get("sweeps", {}), **handover["sweeps"]}
        handover["clock_offset"] = self.accounts.clock.offset
        handover["carried"] = self.accounts.carried()
        answer = t.cast(RoundAnswer, {"invocation": {}, **self._update(report, handover), **beginning})
        handover["warned"] = self._notes.marks
        answer["cost"], answer["polled_for"] = cost, polled_for
        return answer

    def _beginning(self, asked: t.Iterable[PlanItem]) -> Update:
        """Returns what the first update of a wait has besides its report."""
        return {"plan": list(self._plan.values()), "about": self.accounts.about(asked)}

    def _update(self, report: Report, handover: Handover) -> Update:
        self.accounts.note_unknown(report, self._plan)
        return {"report": report, "next": handover, "notes": self.notes()}

    def _teller(self, channel: Channel) -> t.Callable[[Report, Handover], bool]:
        return lambda report, handover: channel.tell(self._update(report, handover))

    # --- the whole wait, where the module runs alone ---

    def run_alone(self) -> dict[str, t.Any]:
        """Wait until the outcome is certain, and return the result.

        :raises CloudError: ``config``, when credentials are missing or invalid.
        """
        from .book import Book, clock_face, enter_aborts, numbers_to_abort  # noqa: PLC0415 # rounds, which are more frequent, need no book
        from .result import make_result  # noqa: PLC0415 # as above

        options = self._options
        ends = {"require": options["require"], "fail_fast": options["fail_fast"]}
        book = Book.open(self._plan.values(), clock_face(time.time()))
        book.judge(options["until"], 0.0)
        began = time.monotonic()
        tasks: list[CloudTask] = []
        if not book.is_over(**ends):
            once = self._check_mode or not options["timeout"]
            tasks = self._tasks()
            report, dummy = Loop(tasks, **self._ways(Limits(left=options["timeout"], once=once))).run()
            self.accounts.note_unknown(report, self._plan)
            book.apply(report)
        elapsed = time.monotonic() - began
        if not self._check_mode and not book.is_over(**ends):
            book.end_open(verdict.TIMED_OUT, elapsed)
        if options["on_timeout"] == ABORT and not self._check_mode:
            aborts = Aborts(self.accounts.service_of, self._budgets(), seconds=ABORT_LIMIT)
            given_up = {number: self._plan[number] for number in numbers_to_abort(book)}
            enter_aborts(book, aborts.run(given_up), aborts.calls)
        result = make_result(
            book,
            require=options["require"],
            check_mode=self._check_mode,
            elapsed=elapsed,
            return_records=options["return_records"],
        )
        return {**result, **self.accounts.about(task.item for task in tasks)}

    # --- polls ---

    def _ways(self, limits: Limits) -> dict[str, t.Any]:
        """How the loop polls."""
        satisfied, otherwise = self._came_along
        return {
            "poll_of": lambda task: self.accounts.service_of(task.item).poll,
            "policy": self._policy,
            "limits": limits._replace(satisfied=satisfied, otherwise=otherwise) if self._is_first else limits,
            "budgets": self._budgets(),
            "clock": time.monotonic,
            "chance": random.random,
            "lives": self._order.get("lives"),
            "make_sweeps": self._make_sweeps,
        }

    def _tasks(self) -> list[CloudTask]:
        """What is to be polled. The service of each is made at once, so that wrong options are told before any poll."""
        states = self._order.get("states", {})
        tasks: list[CloudTask] = []
        for number, item in self._polled.items() if not self._is_decided() else ():
            self.accounts.service_of(item)
            tasks.append(CloudTask(number, item, states.get(str(number), {})))
        return tasks

    def _is_decided(self) -> bool:
        """Whether records that came with the items are the verdict, so that no poll is needed."""
        if not self._is_first or self._check_mode or self._order.get("condition"):
            return False
        satisfied, otherwise = self._came_along
        return verdict.is_over(
            still_open=sum(1 + item.get("twins", 0) for item in self._polled.values()),
            satisfied=satisfied,
            otherwise=otherwise,
            require=self._options["require"],
            fail_fast=self._options["fail_fast"],
        )

    def _budgets(self) -> dict[str, RateBudget]:
        return _budgets(self._plan.values(), self._options["rate_limit"] or {}, self._order)

    def _make_sweeps(self, sources: t.Mapping[int, TaskSource], judge: Judge, now: float) -> dict[str, SweepSource]:
        """Returns the sweeps, by account: one wherever listing is cheaper than polling each open cloud task.

        Lists tell only the status, so there are no sweeps if ``max_polls``, ``stall_timeout`` or a condition is set.
        """
        options = self._options
        counts = options["max_polls"] is not None or options["stall_timeout"] is not None or options["stable_polls"] > 1
        if options["sweep"] == "never" or counts or self._order.get("condition"):
            return {}
        accounts: dict[str, dict[int, TaskSource]] = {}
        for number, source in sources.items():
            accounts.setdefault(account_of(source.task.item), {})[number] = source
        sweeps: dict[str, SweepSource] = {}
        for account, members in accounts.items():
            before = self._order.get("sweeps", {}).get(account)
            service = self.accounts.service_of(next(iter(members.values())).task.item)
            is_given_up = before is not None and before["given_up"]
            if len(members) <= PAGE_SIZE or is_given_up or not isinstance(service, Lists) or not service.open_lists:
                continue
            ids = {source.task.item["ref"]["task_id"]: number for number, source in members.items()}
            sweeps[account] = SweepSource(
                Sweep(
                    service.open_lists,
                    ids,
                    passes=before["passes"] if before else 0,
                    errors=before["errors"] if before else 0,
                ),
                members,
                judge,
                order=-1 - len(sweeps),
                read=self.accounts.page_reader(account, service),
                record=functools.partial(listed_record, service),
                due_at=now
                + (before["due_in"] if before else max(0.0, options["delay"] - self._order.get("elapsed", 0.0))),
            )
        return sweeps


def _count_ended(plan: t.Iterable[PlanItem], until: t.Collection[str]) -> tuple[int, int]:
    """Returns how many items their records have decided already: those that satisfy the wait, and the others."""
    ended = [
        (verdict.outcome_of(item["record"], until), 1 + item.get("twins", 0))
        for item in plan
        if "record" in item and "twin_of" not in item
    ]
    satisfied = sum(weight for outcome, weight in ended if outcome == verdict.SATISFIED)
    return satisfied, sum(weight for dummy, weight in ended) - satisfied


def _budgets(plan: t.Iterable[PlanItem], rates: t.Mapping[str, t.Any], order: Order) -> dict[str, RateBudget]:
    """Returns the rate budget of each service in a plan, by its word, as the last round has left it."""
    now = time.monotonic()
    budgets = {}
    for word in {item["ref"]["provider"] for item in plan}:
        before = order.get("queues", {}).get(word, {"ready_in": 0.0, "slowdown": 1.0})
        budgets[word] = RateBudget(
            _number(rates.get(word, SERVICES[word].rate)),
            ready=now + before["ready_in"],
            slowdown=before["slowdown"],
        )
    return budgets


def _check_plan(plan: t.Collection[PlanItem], options: Options) -> None:
    """Refuse options that do not fit the plan.

    :raises CloudError: ``config``.
    """
    require, total = options["require"], len(plan)
    if isinstance(require, int) and require > total:
        raise CloudError("config", f"require is {require}, and there are {total} cloud tasks", advice="correct require")
    words = {item["ref"]["provider"] for item in plan if wants_poll(item)}
    if options["endpoint"] and len(words) > 1:
        raise CloudError(
            "config",
            f"endpoint is given for a wait on {len(words)} services",
            advice="set the environment variable of each service instead",
        )


def _check_rates(options: Options) -> None:
    for word, rate in (options["rate_limit"] or {}).items():
        if word not in SERVICES:
            said = f"rate_limit has the key {shown(str(word))}, which is none of {', '.join(SERVICES)}"
            raise CloudError("config", said, advice="correct rate_limit")
        if _number(rate) <= 0:
            said = f"rate_limit of {word} is {shown(rate)}, which is no number above 0"
            raise CloudError("config", said, advice="give calls a second")


def _check_alone(options: Options) -> None:
    """Refuse options that only the action plugin can serve. It never passes them on, so the module runs alone here.

    :raises CloudError: ``config``.
    """
    given = [name for name in ON_CONTROLLER if options[name] is not None]
    if given:
        said = f"{' and '.join(given)} cannot be used where the module runs alone, as with async"
        raise CloudError("config", said, advice="leave it out, or run the Ansible task without async")


def _number(value: t.Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if SLOWEST <= number < FOREVER else 0.0


__all__ = ["Round"]
