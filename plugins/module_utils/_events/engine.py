# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: events, on the controller only.
"""Polls for the event source: the loop of a wait, run in a thread, without an end of its own.

The thread of the event source calls the methods of ``Engine``. What the loop finds out goes back by the functions in
``Reports``, which are called in the loop's thread.
"""

from __future__ import annotations

import random
import threading
import time
import typing as t

from .._credentials import tencent_credentials
from .._errors import CloudError, one_line
from .._pacing import FOREVER, RateBudget
from .._record import UNKNOWN, compact, expand, make_record
from .._secrecy import censored
from .._services.base import Environ, Lists, Poll
from .._services.registry import SERVICES
from .._wait.accounts import Accounts, Notes
from .._wait.contract import Handover, PlanItem, Report, TaskState
from .._wait.judge import CloudTask
from .._wait.loop import Loop
from .._wait.policy import Limits, policy_of
from .._wait.sources import PollRef, TaskSource
from .._wait.verdict import NOT_FOUND
from .arguments import Arguments
from .lists import ListSource
from .store import Watched
from .telling import News

OF_THE_ACCOUNT = ("auth", "permission", "config", "clock")
"""Kinds of errors that end no watch: they concern every cloud task, and somebody will correct them."""

BETWEEN_TRIES = 60.0
"""Shortest time, in seconds, between two polls that meet such an error."""

SEEN = "seen before"
"""In place of a fingerprint: the vendor knew the cloud task before a restart, and its record is to be reported anew."""

BETWEEN_COMPLAINTS = 60.0
STOPPING = 1.0
"""Seconds to wait for the thread to end."""


class Reports(t.NamedTuple):
    """What the engine calls, in its own thread.

    :param news: gets changes and ends.
    :param found: gets refs that a list has.
    :param passed: gets the key of a list, and the time of day from which on it must be read again.
    :param warn: gets a sentence for the log.
    :param ended: gets the exception that has ended the engine; null after ``stop``.
    """

    news: t.Callable[[list[News]], None]
    found: t.Callable[[list[dict[str, t.Any]]], None]
    passed: t.Callable[[str, float], None]
    warn: t.Callable[[str], None]
    ended: t.Callable[[BaseException | None], None]


class Engine:
    """The loop, and what it watches.

    :param arguments: the arguments of the event source, already checked.
    :raises CloudError: ``config``, when credentials are missing or invalid.
    """

    def __init__(self, arguments: Arguments, environ: Environ, reports: Reports) -> None:
        self._arguments = arguments
        self._reports = reports
        self._lock = threading.Lock()  # services are made in two threads
        self._notes = Notes([])
        self._accounts = Accounts(arguments, environ, self._notes, {})
        self._profiles: set[str] = set()
        self._open = _Open()
        self._lists: dict[str, list[ListSource]] = {}
        self._complaints = _Complaints(reports.warn)
        given = {**arguments, "until": ["succeeded"], "max_errors": 10**9, "require": "all", "fail_fast": False}
        rates = arguments["rate_limit"] or {}
        self._loop = Loop(
            [],
            lambda task: self._poll_of(task.item),
            policy=policy_of(given, check_mode=False, condition=False),
            limits=Limits(left=FOREVER, endless=True),
            budgets={word: RateBudget(float(rates.get(word, SERVICES[word].rate))) for word in SERVICES},
            clock=time.monotonic,
            chance=random.random,
            tell=self._tell,
        )

    # --- called by the event source ---

    def check(self, item: t.Mapping[str, t.Any]) -> None:
        """Refuse a cloud task, or a list, that could not be polled.

        :raises CloudError: ``config``, when credentials are missing or invalid, or a Python package is missing.
        """
        word = item["ref"]["provider"]
        missing = SERVICES[word].missing_libraries()
        if missing:
            said = f"the Python package {missing[0]} is missing, which {word} needs"
            raise CloudError("config", said, advice="install it where ansible-rulebook runs")
        with self._lock:
            self._accounts.service_of(t.cast(PlanItem, item))
        profile = item["ref"].get("profile")
        if profile and profile not in self._profiles:
            _check_profile(profile)
            self._profiles.add(profile)

    def start(self) -> None:
        """Begin to poll."""
        threading.Thread(target=self._run, name="cloudwait", daemon=True).start()

    def stop(self) -> None:
        """Stop polling."""
        self._loop.stop()

    def watch(self, some: t.Sequence[Watched]) -> None:
        """Poll more cloud tasks."""
        self._loop.call(lambda: self._add(some))

    def watch_list(self, key: str, item: PlanItem, options: t.Mapping[str, t.Any], since: float) -> None:
        """Read a list from now on.

        :param item: its ``ref``, without a task id.
        :param options: the values of the service's ``list_keys``.
        :param since: see ``ListSource``.
        """
        self._loop.call(lambda: self._add_list(key, item, options, since))

    def hint(self, word: str, task_ids: t.Collection[str]) -> None:
        """Poll cloud tasks at once, if they are watched; otherwise read the lists of their service."""
        self._loop.call(lambda: self._hasten(word, task_ids))

    # --- in the loop's thread ---

    def _run(self) -> None:
        ended: BaseException | None = None
        try:
            self._loop.run()
        except BaseException as error:  # noqa: BLE001 # the event source must end, too, and say why
            ended = error
        self._reports.ended(ended)

    def _add(self, some: t.Sequence[Watched]) -> None:
        now, time_of_day = time.monotonic(), time.time()
        for watched in some:
            began = now - max(0.0, time_of_day - watched.since)
            state: TaskState = {"fingerprint": SEEN} if watched.seen else {}
            task = CloudTask(
                self._open.next_number(),
                t.cast(PlanItem, watched.item),
                state,
                began_at=began,
                deadline=began + self._arguments["timeout"],
            )
            self._open.add(watched, self._loop.add(task, self._poll_of(task.item)))

    def _add_list(self, key: str, item: PlanItem, options: t.Mapping[str, t.Any], since: float) -> None:
        word = item["ref"]["provider"]
        with self._lock:
            service = t.cast(Lists, self._accounts.service_of(item))
        source = ListSource(
            service,
            self._loop.queues[word],
            item["ref"],
            options,
            since=since,
            pause=self._arguments["max_sleep"],
            found=self._reports.found,
            passed=lambda began: self._reports.passed(key, began),
            failed=lambda error: self._complaints.of_list(word, error),
        )
        self._lists.setdefault(word, []).append(source)
        source.queue.add(source, time.monotonic())

    def _poll_of(self, item: PlanItem) -> PollRef:
        """Returns the poll of a cloud task, whose errors of the account do not end the watch."""
        with self._lock:
            poll = self._accounts.service_of(item).poll

        def patiently(ref: t.Mapping[str, t.Any], **how: t.Any) -> Poll:
            try:
                return poll(ref, **how)
            except CloudError as error:
                if error.kind in OF_THE_ACCOUNT:
                    error.retryable = True
                    error.retry_after = max(error.retry_after or 0.0, BETWEEN_TRIES)
                raise

        return patiently

    def _hasten(self, word: str, task_ids: t.Collection[str]) -> None:
        now = time.monotonic()
        for task_id in task_ids:
            sources = self._open.named(word, task_id)
            for source in sources:
                source.hasten(now)
            if not sources:
                for one in self._lists.get(word, ()):
                    one.hasten(now)

    def _tell(self, report: Report, handover: Handover) -> bool:
        """Report changes and ends. Returns true: there is always somebody who listens."""
        news: list[News] = []
        with self._lock:
            secrets = self._accounts.secrets()
        told = {int(number): {"ref": self._open.by_number(int(number)).ref} for number in report["history"]}
        self._accounts.note_unknown(report, t.cast("dict[int, PlanItem]", told))
        changed = {*report["records"], *report["outcomes"]}
        for number in sorted(changed, key=int):
            entry = self._open.by_number(int(number))
            if number in report["records"]:
                entry.told = compact(censored(expand(entry.ref, report["records"][number]), secrets))
            record = expand(entry.ref, entry.told) if entry.told else make_record(entry.ref, UNKNOWN, None)
            if number in report["outcomes"]:
                error = report["errors"].get(number)
                shown = None if record["done"] or error is None else censored(error, secrets)
                news.append(News(entry.watched.key, record, report["outcomes"][number][0], shown))
                self._open.remove(int(number))
            else:
                news.append(News(entry.watched.key, record))
        for number, has_begun in report["troubles"].items():
            troubled = self._open.find(int(number))
            if has_begun and troubled is not None and number in report["errors"]:
                self._complaints.of_poll(troubled.ref, report["errors"][number])
        if self._accounts.clock.offset:
            self._accounts.note_clock()
        for text in self._notes.take():
            self._reports.warn(text)
        if news:
            self._reports.news(news)
        return True


def _check_profile(name: str) -> None:
    """Refuse a profile that does not exist. One whose keys have expired may get others.

    :raises CloudError: ``config``.
    """
    try:
        tencent_credentials({"profile": name}, {}).keys()
    except CloudError as error:
        if error.kind == "config":
            raise


class _Complaints:
    """What is written to the log about errors: one of a kind in a minute.

    :param warn: gets a sentence.
    """

    def __init__(self, warn: t.Callable[[str], None]) -> None:
        self._warn = warn
        self._last: dict[str, float] = {}

    def of_poll(self, ref: t.Mapping[str, t.Any], error: t.Mapping[str, t.Any]) -> None:
        """Complain of a cloud task that cannot be polled. One that is not known yet is no reason."""
        if error["kind"] == NOT_FOUND:
            return
        name = f"{ref['provider']} {one_line(str(ref['task_id']), 80)}"
        said = f"The poll of {name} failed ({error['kind']}: {one_line(str(error['message']), 200)})"
        self._once(f"{ref['provider']} {error['kind']}", f"{said}; {error['advice']}.")

    def of_list(self, word: str, error: CloudError) -> None:
        """Complain of a list that cannot be read."""
        said = f"The list of cloud tasks of {word} could not be read ({error.kind}: {error})"
        self._once(f"list {word} {error.kind}", f"{said}; {error.advice}.")

    def _once(self, mark: str, text: str) -> None:
        now = time.monotonic()
        if now - self._last.get(mark, -FOREVER) >= BETWEEN_COMPLAINTS:
            self._last[mark] = now
            self._warn(text)


class _Entry:
    """An open cloud task, and the last record of it, shortened."""

    __slots__ = ("source", "told", "watched")

    def __init__(self, watched: Watched, source: TaskSource) -> None:
        self.watched = watched
        self.source = source
        self.told: dict[str, t.Any] | None = None

    @property
    def ref(self) -> dict[str, t.Any]:
        """The ref of the cloud task."""
        return t.cast("dict[str, t.Any]", self.watched.item["ref"])


class _Open:
    """The open cloud tasks, by number and by id."""

    def __init__(self) -> None:
        self._last = -1
        self._entries: dict[int, _Entry] = {}
        self._numbers: dict[tuple[str, str], set[int]] = {}

    def next_number(self) -> int:
        self._last += 1
        return self._last

    def add(self, watched: Watched, source: TaskSource) -> None:
        number = source.task.number
        self._entries[number] = _Entry(watched, source)
        self._numbers.setdefault(_name(watched.item["ref"]), set()).add(number)

    def by_number(self, number: int) -> _Entry:
        return self._entries[number]

    def find(self, number: int) -> _Entry | None:
        return self._entries.get(number)

    def named(self, word: str, task_id: str) -> list[TaskSource]:
        return [self._entries[number].source for number in self._numbers.get((word, task_id), ())]

    def remove(self, number: int) -> None:
        entry = self._entries.pop(number)
        name = _name(entry.ref)
        self._numbers[name].discard(number)
        if not self._numbers[name]:
            del self._numbers[name]


def _name(ref: t.Mapping[str, t.Any]) -> tuple[str, str]:
    return ref["provider"], ref["task_id"]


__all__ = ["Engine", "Reports"]
