# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callbacks: what the vendors send by themselves when a cloud task ends. They are sent to this machine only."""

from __future__ import annotations

import heapq
import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from journal import Entry, Journal
from lives import Lives, Poll, Step
from messages import JSON, XML
from services._base import Calling, Message
from services.registry import SERVICES
from values import ScenarioError, a_choice, a_list, a_number, a_text, a_whole, an_object

#: the services that send callbacks, by provider word
CALLING = {name: service for name, service in SERVICES.items() if isinstance(service, Calling)}
WHEN = ("begin", "change", "end")
FORMATS = ("XML", "JSON")
MOST_TIMES = 10_000
ACTION = "Callback"
_KEYS = ("provider", "task_id", "url", "when", "delay", "times", "every", "format", "forged")
_FORGED = ("status", "task_id", "body")
_OVER = ("succeeded", "partial", "failed", "canceled")
_EVERY_SECONDS = 0.05
_LONGEST_SECONDS = 10.0
_SENDERS = 8


@dataclass(frozen=True)
class Rule:
    """One entry of `callbacks`: the cloud tasks that it is for, and what is sent about them."""

    provider: str
    task_id: str | None = None
    url: str | None = None
    """None for the URL that the start named."""
    when: str = "end"
    delay: float = 0.0
    times: int = 1
    every: float = 0.0
    """Seconds between two callbacks, if `times` is above 1."""
    format: str | None = None
    forged: Mapping[str, str] | None = None

    def fits(self, poll: Poll) -> bool:
        """Return whether the rule is for this cloud task."""
        return self.provider == poll.task.provider and self.task_id in (None, poll.task.task_id)


def parse_callbacks(data: Any) -> tuple[Rule, ...]:
    """Return the entries of `callbacks` in a scenario.

    :raises ScenarioError: when one is wrong.
    """
    return tuple(_rule(item, f"callbacks[{number}]") for number, item in enumerate(a_list(data, "callbacks")))


def _rule(data: Any, place: str) -> Rule:
    fields = an_object(data, place, _KEYS)
    provider = a_choice(fields.get("provider"), f"{place}.provider", CALLING)
    url = a_text(fields["url"], f"{place}.url") if "url" in fields else None
    if url is not None and target_of(url) is None:
        raise ScenarioError(f"{place}.url", "must be an http:// or https:// URL of this machine, such as 127.0.0.1")
    forged = an_object(fields["forged"], f"{place}.forged", _FORGED) if "forged" in fields else None
    for name, value in (forged or {}).items():
        a_text(value, f"{place}.forged.{name}", empty=name == "body")
    if forged and "status" in forged:
        a_choice(forged["status"], f"{place}.forged.status", SERVICES[provider].statuses)
    return Rule(
        provider,
        a_text(fields["task_id"], f"{place}.task_id") if "task_id" in fields else None,
        url,
        a_choice(fields.get("when", "end"), f"{place}.when", WHEN),
        a_number(fields.get("delay", 0), f"{place}.delay", least=0),
        a_whole(fields.get("times", 1), f"{place}.times", least=0, most=MOST_TIMES),
        a_number(fields.get("every", 0), f"{place}.every", least=0),
        a_choice(fields["format"], f"{place}.format", FORMATS) if "format" in fields else None,
        forged,
    )


class Target(NamedTuple):
    """Where a callback goes."""

    is_tls: bool
    host: str
    port: int
    path: str


def target_of(url: str) -> Target | None:
    """Return where a URL leads; None if it is no URL or leads to another machine."""
    try:
        parts = urlsplit(url)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        usual = {"http": 80, "https": 443}[parts.scheme]
        if not ip_address(host).is_loopback:
            return None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(parts.scheme == "https", host, parts.port or usual, path)
    except (KeyError, ValueError):
        return None


class Letter(NamedTuple):
    """A callback that is to be sent."""

    poll: Poll
    url: str
    message: Message


class Postman:
    """Watches the cloud tasks, and sends callbacks about them. Runs in a thread from `start` to `stop`."""

    def __init__(self, rules: Iterable[Rule], lives: Lives, journal: Journal, clock: Callable[[], float]) -> None:
        self._lives = lives
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._senders = ThreadPoolExecutor(_SENDERS)
        self.put(rules)

    def put(self, rules: Iterable[Rule]) -> None:
        """Replace the rules, and forget what was seen of the cloud tasks and what is to be sent."""
        with self._lock:
            self._rules = tuple(rules)
            self._seen: dict[int, str] = {}
            self._over: set[int] = set()
            self._waiting: list[tuple[float, int, Letter]] = []
            self._count = 0

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Send no more than what is under way."""
        with self._lock:
            self._ending.set()
        self._senders.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._ending.wait(_EVERY_SECONDS):
            with self._lock:
                self._watch(time.monotonic())
                for letter in [] if self._ending.is_set() else self._due(time.monotonic()):
                    self._senders.submit(self._send, letter)

    def _watch(self, now: float) -> None:
        """Note which cloud tasks have begun, changed or ended, and what is to be sent about that."""
        for service in CALLING.values():
            for poll in self._lives.begun(service.name, self._over):
                own = service.asked_callback(poll.task.order or {})
                rules = [rule for rule in self._rules if rule.fits(poll)]
                if not rules and own is None:
                    self._over.add(poll.number)
                    continue
                word = str(service.word(poll))
                is_over = word in {str(service.statuses[name]) for name in _OVER if name in service.statuses}
                moments = self._moments(poll.number, word, is_over)
                if not rules and own is not None:
                    rules = [Rule(service.name, when="change" if own.each_change else "end")]
                for rule in rules:
                    if rule.when in moments and (rule.url or own):
                        url = rule.url or (own.url if own else "")
                        self._write(rule, poll, url, rule.format or (own.format if own else ""), now)

    def _moments(self, number: int, word: str, is_over: bool) -> set[str]:
        before = self._seen.get(number)
        self._seen[number] = word
        moments = {"begin"} if before is None else set()
        moments |= {"change"} if before not in (None, word) else set()
        if is_over:
            self._over.add(number)
            moments |= {"end", "change"}
        return moments

    def _write(self, rule: Rule, poll: Poll, url: str, form: str, now: float) -> None:
        message = _message(rule, poll, form, self._clock())
        for number in range(rule.times):
            self._count += 1
            due = now + rule.delay + number * rule.every
            heapq.heappush(self._waiting, (due, self._count, Letter(poll, url, message)))

    def _due(self, now: float) -> Iterator[Letter]:
        while self._waiting and self._waiting[0][0] <= now:
            yield heapq.heappop(self._waiting)[-1]

    def _send(self, letter: Letter) -> None:
        target = target_of(letter.url)
        verdict = "not_loopback" if target is None else _post(target, letter.message)
        place = "-" if target is None else f"{target.host}:{target.port}"  # its path may hold a secret
        task = letter.poll.task
        self._journal.called_back(Entry(task.provider, "POST", place, ACTION, task.task_id, verdict, 0))


def _message(rule: Rule, poll: Poll, form: str, now: float) -> Message:
    """Return what a rule has sent about a cloud task: the truth, unless it is forged."""
    forged = rule.forged or {}
    if "body" in forged:
        return Message(forged["body"].encode("utf-8", "replace"), XML if forged["body"].startswith("<") else JSON)
    if "status" in forged:
        step = Step("status", forged["status"])
        poll = replace(poll, step=step, base=step)
    if "task_id" in forged:
        poll = replace(poll, task=replace(poll.task, task_id=forged["task_id"]))
    return CALLING[poll.task.provider].callback(poll, form, now)


def _post(target: Target, message: Message) -> str:
    """Send a callback. Returns the HTTP status of the answer, or the name of what went wrong."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=_LONGEST_SECONDS)
    if target.is_tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # a certificate of this machine's own
        connection = http.client.HTTPSConnection(target.host, target.port, timeout=_LONGEST_SECONDS, context=context)
    try:
        headers = {"Content-Type": message.content_type, "User-Agent": "Go-http-client/1.1"}
        connection.request("POST", target.path, message.body, headers)
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as problem:
        return type(problem).__name__
    finally:
        connection.close()
