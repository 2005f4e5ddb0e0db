# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: events, on the controller only.
"""The event source ``cloud_tasks`` for ansible-rulebook: watches cloud tasks, and puts an event for each end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import time
import typing as t

from .._errors import CloudError, shown
from .._record import TERMINAL, make_record
from .._services.base import Environ
from .._services.registry import SERVICES
from .._wait.contract import PlanItem
from .._wait.items import make_plan
from .._wait.verdict import fingerprint, outcome_of
from .arguments import FROM_RULEBOOK, Arguments, check_arguments
from .engine import Engine, Reports
from .listener import Listener
from .store import Store, Watched
from .teller import Queue, Teller
from .telling import END, Event, News, key_of, make_event

TRIED = "The event source cloud_tasks"
FOR_MODULES = "where the Ansible task runs"  # what advice says that modules give, too
logger = logging.getLogger(__name__)


class SourceError(Exception):
    """Ends the event source. ansible-rulebook writes its text, one sentence, to its log."""


async def run(queue: Queue, arguments: t.Mapping[str, t.Any], environ: Environ | None = None) -> None:
    """Watch cloud tasks until cancelled.

    :param arguments: those of the rulebook.
    :raises SourceError: when an argument is wrong, or the watch cannot go on.
    """
    failure: CloudError | None = None
    try:
        checked = check_arguments(arguments)
        source = Source(queue, checked, arguments.get(FROM_RULEBOOK), os.environ if environ is None else environ)
        await source.run()
    except CloudError as error:
        failure = error
    except sqlite3.Error as error:
        said = f"state_file cannot be used any more ({error})"
        advice = "see whether the disk is full, and start ansible-rulebook again"
        if not isinstance(error, sqlite3.OperationalError):  # it is damaged
            advice = "remove it, or name another, and start ansible-rulebook again"
        failure = CloudError("config", said, advice=advice)
    if failure is not None:
        raise SourceError(_here(failure.sentence(TRIED)))


class Source:
    """The event source, from its start to its end.

    :param feedback: where ansible-rulebook puts the events that its engine has taken; null without feedback.
    :param make_engine: makes what polls.
    :raises CloudError: ``config``, when something cannot be used.
    """

    def __init__(
        self,
        queue: Queue,
        arguments: Arguments,
        feedback: asyncio.Queue[Event] | None,
        environ: Environ,
        make_engine: t.Callable[[Arguments, Environ, Reports], Engine] = Engine,
    ) -> None:
        self._arguments = arguments
        self._environ = environ
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[t.Callable[[], None]] = asyncio.Queue()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._watched: dict[str, Watched] = {}
        self._engine = make_engine(
            arguments,
            environ,
            Reports(
                news=lambda news: self._later(lambda: self._enter(news)),
                found=lambda refs: self._later(lambda: self._watch_refs(refs)),
                passed=lambda key, began: self._later(lambda: self._store.set_cursor(key, {"since": began})),
                warn=lambda text: self._later(lambda: logger.warning("%s", _here(text))),
                ended=lambda error: self._later(lambda: self._end(error)),
            ),
        )
        self._listener = (
            Listener(arguments["listen"], self._take_tasks, self._engine.hint) if arguments["listen"] else None
        )
        self._store = Store(arguments["state_file"])
        self._teller = Teller(queue, self._store, feedback)

    def _later(self, what: t.Callable[[], None]) -> None:
        """Let the thread of the event source do something. Called in the engine's thread."""
        with contextlib.suppress(RuntimeError):  # the event loop has been closed
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, what)

    async def run(self) -> None:
        """Watch until cancelled, or until all is told if ``exit_when_done`` says so.

        :raises CloudError: ``config``, when something cannot be used.
        """
        tasks: list[asyncio.Task[None]] = []
        try:
            self._begin()
            if self._listener is not None:
                await self._listener.start()
                tasks.append(asyncio.create_task(self._listener.read_callbacks()))
                tasks.append(asyncio.create_task(self._listener.close_silent()))
            self._engine.start()
            for work in (self._serve_engine(), self._teller.tell(self._is_done), self._teller.settle()):
                tasks.append(asyncio.create_task(work))
            done, dummy = await asyncio.wait([*tasks, self._ended], return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            self._engine.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._listener is not None:
                await self._listener.stop()
            self._store.close()

    def _is_done(self) -> bool:
        return bool(self._arguments["exit_when_done"]) and not self._watched

    def _begin(self) -> None:
        """Watch what was watched before, and what the arguments name."""
        now = time.time()
        before = self._store.watched()
        items = _items(make_plan(self._arguments, self._environ, check_mode=False)) if self._arguments["tasks"] else []
        for item in items:
            self._engine.check(item)
        for watched in before:
            self._check_again(watched)
        self._watched = {watched.key: watched for watched in before}
        self._engine.watch(before)
        self._watch(items)
        self._store.forget_ends(now, {key_of(item["ref"]) for item in items})
        for number, one in enumerate(self._arguments["lists"]):
            self._begin_list(number, one, now)

    def _check_again(self, watched: Watched) -> None:
        """Refuse a cloud task of the state file that cannot be polled any more."""
        word = watched.item["ref"]["provider"]
        if word not in SERVICES:
            said = f"state_file has a cloud task of {shown(word)}, which this release does not know"
            raise CloudError("config", said, advice="install a newer release, or name another state_file")
        try:
            self._engine.check(watched.item)
        except CloudError as error:
            said = f"state_file has a cloud task of {word}, and {error.said}"
            raise CloudError("config", said, advice=error.advice) from None

    def _begin_list(self, number: int, one: Arguments, now: float) -> None:
        service = SERVICES[one["provider"]]
        own = {name: value for name, value in one.items() if value is not None}
        try:
            ref = service.make_ref(service.merge({**own, "task_id": "any"}, self._arguments), self._environ)
            item: PlanItem = {"ref": {**ref, "task_id": None}}
            self._engine.check(item)
        except CloudError as error:
            raise CloudError("config", f"for lists[{number}], {error.said}", advice=error.advice) from None
        key = key_of({**item["ref"], "queue_id": one["queue_id"]})
        cursor = self._store.cursor(key) or {"since": now}
        self._engine.watch_list(key, item, one, float(cursor["since"]))

    # --- cloud tasks that come ---

    def _take_tasks(self, content: t.Any) -> dict[str, t.Any]:
        """Watch the cloud tasks of ``POST /tasks``.

        :raises CloudError: ``config``, when one is refused; then none is watched.
        """
        tasks = content.get("tasks") if isinstance(content, dict) and set(content) == {"tasks"} else content
        tasks = [tasks] if isinstance(tasks, dict) else tasks
        if not isinstance(tasks, list):
            said = "the body is neither a list nor an object with the member tasks"
            raise CloudError("config", said, advice="send the items of wait_for_task")
        items = _items(make_plan({**self._arguments, "tasks": tasks}, self._environ, check_mode=False))
        for item in items:
            self._engine.check(item)
        try:
            new = self._watch(items, again=True)
        except sqlite3.Error as error:  # what is not written down is known after a restart at the earliest
            if not self._ended.done():
                self._ended.set_exception(error)
            raise
        return {"tasks": len(items), "new": new}

    def _watch(self, items: t.Sequence[t.Mapping[str, t.Any]], *, again: bool = False) -> int:
        """Watch cloud tasks, but for those that are known. Returns how many are new.

        :param again: see ``Store.add``.
        """
        by_key = {key_of(item["ref"]): item for item in items}
        records = {key: item["record"] for key, item in by_key.items() if "record" in item}
        kept = {
            key: {name: item[name] for name in ("ref", "name", "options") if name in item}
            for key, item in by_key.items()
        }
        new = self._store.add(kept, time.time(), again=again)
        for watched in new:
            self._watched[watched.key] = watched
        self._engine.watch([watched for watched in new if watched.key not in records])
        over = [watched.key for watched in new if watched.key in records]
        self._enter([News(key, records[key], t.cast(str, outcome_of(records[key], ["succeeded"]))) for key in over])
        return len(new)

    def _watch_refs(self, refs: t.Iterable[dict[str, t.Any]]) -> None:
        self._watch([{"ref": ref} for ref in refs])

    # --- what the engine finds out ---

    async def _serve_engine(self) -> None:
        while True:
            (await self._inbox.get())()

    def _enter(self, news: t.Iterable[News]) -> None:
        """Write events down, before they are told."""
        entries: list[tuple[str, Event, dict[str, str]]] = []
        seen_first: dict[str, dict[str, str]] = {}
        for one in news:
            watched = self._watched.get(one.key)
            if watched is None:
                continue
            seen = {"status": one.record["status"], "fingerprint": fingerprint(one.record)}
            wants_change = self._arguments["changes"] and seen != watched.seen and one.record["status"] not in TERMINAL
            if one.kind == END:
                del self._watched[one.key]
            elif not wants_change:
                if not watched.seen:
                    seen_first[one.key] = seen
                    self._watched[one.key] = watched._replace(seen=seen)
                continue
            else:
                self._watched[one.key] = watched._replace(seen=seen, changes=watched.changes + 1)
            entries.append((one.key, make_event(one, watched.changes, watched.item.get("name")), seen))
        if entries:
            self._store.enter(entries, time.time())
            self._teller.notice()
        if seen_first:
            self._store.mark_seen(seen_first)

    def _end(self, error: BaseException | None) -> None:
        if not self._ended.done():
            if error is None:
                self._ended.set_result(None)
            else:
                logger.error("The polls of the event source cloud_tasks have crashed", exc_info=error)
                crash = CloudError("internal", f"the polls have crashed with {type(error).__name__}")
                self._ended.set_exception(crash)


def _here(text: str) -> str:
    """Returns a sentence with advice that fits ansible-rulebook."""
    return text.replace(f"on the host {FOR_MODULES}", FOR_MODULES).replace(FOR_MODULES, "where ansible-rulebook runs")


def _items(plan: t.Iterable[PlanItem]) -> list[t.Mapping[str, t.Any]]:
    """Returns the items of a plan, each cloud task once, with whole records."""
    return [
        {**item, "record": {**make_record(item["ref"], item["record"]["status"], None), **item["record"]}}
        if "record" in item
        else item
        for item in plan
        if "twin_of" not in item
    ]


__all__ = ["Source", "SourceError", "run"]
