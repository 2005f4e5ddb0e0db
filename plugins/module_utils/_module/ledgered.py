# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""A start with a ledger: it happens once, however often the module is run, killed or repeated.

The entry of the key decides. Without one, the cloud task is started. With an id, the cloud task is there already. An
entry of the state ``sent`` is that of a module that ended before it had an id: then the vendor is asked what there is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import typing as t

from .. import _uncertain
from .._errors import CloudError, quoted
from .._ledger import RESERVED, SENT, STARTED, Entry, Ledger, kept, seconds_of, text_of
from .._record import CANCELED, FAILED, PARTIAL, SUCCEEDED, UNKNOWN, Record, expand, make_record
from .._services.base import Options, Poll
from .._services.starts import PreparedCall, Starter, Taken, nothing_asked
from .._signals import Stop, Stopped
from .run import Ref, Result, checked_retries, patiently, show_difference, warn
from .versions import Choice, choose_entry

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ansible.module_utils.basic import AnsibleModule

Send = t.Callable[[PreparedCall, t.Callable[[], None]], Poll]
"""Sends a call once. Its second argument is called just before each request."""

KEY_LENGTH = 40
MAX_KEY = 200
MAX_MARK = 50

CLOCKS_APART = 900.0
"""How far, in seconds, a clock that was not corrected may be ahead when cloud tasks are searched by their times."""

SETTLE_SECONDS = 15.0
"""Seconds after which a start that is in no list certainly did not happen. The vendor may be busy with it before.

They count from the moment at which its answer was lost. If the module was killed, that was within ``request_timeout``
after the start was sent.
"""

GRACE_SECONDS = 60.0
"""Age, in seconds, from which a cloud task that the vendor does not know is gone. It may learn of a new one late."""

LIST_MARGIN = 3600.0
"""How much earlier, in seconds, than the vendor says a list may lose a cloud task."""


def start_once(module: AnsibleModule, service: Starter, ref: Ref, result: Result, stop: Stop, send: Send) -> None:
    """Start a cloud task unless the ledger knows it. The result then tells which it was.

    :param stop: lets signals end the module where nothing would be lost.
    :raises CloudError: also ``uncertain``, when nobody can tell whether a cloud task exists.
    """
    key = module.params["idempotency_key"]
    if key is not None and not (key.strip() and key.isprintable() and len(key) <= MAX_KEY):
        said = f"idempotency_key is {quoted(key)}, which cannot be a key"
        raise CloudError("config", said, advice=f"give 1 to {MAX_KEY} printable characters, or leave the option out")
    asked = digest(service.word, ref, service.prepare(ref, module.params, os.environ))
    with contextlib.ExitStack() as stack:
        clock = service.settings.clock.time  # the vendor's time where it is known, since lists are searched by times
        ledger = stack.enter_context(Ledger(module.params["ledger"], read_only=module.check_mode, clock=clock))
        if not module.check_mode:
            stack.enter_context(ledger.locked(f"{service.word} {key or asked}"))
        blank = Entry(service.word, key or asked, RESERVED, 1, asked, ledger.now(), ref=ref)
        choice = Choice(key) if key else choose_entry(ledger, blank, module.params["input_version"])
        if choice.key != blank.key and not module.check_mode:  # others may have it as their own key
            stack.enter_context(ledger.locked(f"{service.word} {choice.key}"))
        result["idempotency_key"] = choice.key
        start = LedgeredStart(module, service, ref, result, stop, send, ledger)
        start.run(blank._replace(key=choice.key), is_outdated=choice.is_outdated)


def digest(word: str, ref: Ref, call: PreparedCall) -> str:
    """Returns the digest of a request: the same for the same request with other credentials.

    :raises CloudError: ``config``, when a file that is part of the request cannot be read.
    """
    place = {name: value for name, value in ref.items() if name not in ("task_id", "profile")}
    text = json.dumps([word, place, call.asked()], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:KEY_LENGTH]


def mark_of(entry: Entry) -> str:
    """Returns the text that marks the cloud task of an entry: its key where that is possible."""
    if entry.attempt == 1 and len(entry.key) <= MAX_MARK:
        return entry.key
    return hashlib.sha256(f"{entry.key} {entry.attempt}".encode()).hexdigest()[:KEY_LENGTH]


class Results:
    """What a start tells of a cloud task: to the ledger, and to the user.

    :param result: its ``task``, ``response``, ``started`` and ``changed`` are set.
    """

    def __init__(self, module: AnsibleModule, result: Result, ledger: Ledger) -> None:
        self._module = module
        self._result = result
        self._ledger = ledger

    def keep(self, started: str, entry: Entry, poll: Poll, call: PreparedCall) -> None:
        """Write the id of a cloud task into the ledger, and return it."""
        record = poll.record
        self._result["changed"] = True
        if not self._module.check_mode:
            self.write(
                entry._replace(
                    state=STARTED,
                    started_at=self._ledger.now(),
                    task_id=record["task_id"],
                    status=record["status"],
                    ref=record["ref"],
                    record=kept(record),
                )
            )
        self.tell(started, poll, {}, call.asked)

    def write(self, entry: Entry) -> None:
        """Write what is known of a cloud task that exists. A failure must not hide it, so it is only a warning."""
        try:
            self._ledger.put(entry)
        except CloudError as error:
            said = f"The {entry.provider} cloud task {entry.task_id} exists, but {error.said}; {error.advice}."
            warn(self._module, [said])

    def note_end(self, entry: Entry, record: Record) -> None:
        """Write the status of a cloud task, in the same way."""
        try:
            self._ledger.note_ends([record])
        except CloudError as error:
            said = f"The {entry.provider} cloud task {entry.task_id} is {record['status']}, but {error.said}; {error.advice}."
            warn(self._module, [said])

    def tell(self, started: str, poll: Poll, before: Options, asked: t.Callable[[], Options] = nothing_asked) -> None:
        """Fill in the result.

        :param before: what ``--diff`` shows of the cloud task that was there before.
        :param asked: returns what is asked for.
        """
        self._result.update(started=started, task=poll.record, response=poll.response)
        show_difference(self._module, self._result, before, asked)


class LedgeredStart:
    """One start under one key.

    :param result: its ``task``, ``started`` and ``changed`` are set.
    :param send: sends a call once.
    """

    def __init__(
        self,
        module: AnsibleModule,
        service: Starter,
        ref: Ref,
        result: Result,
        stop: Stop,
        send: Send,
        ledger: Ledger,
    ) -> None:
        self._module = module
        self._service = service
        self._ref = ref
        self._result = result
        self._stop = stop
        self._send = send
        self._ledger = ledger
        self._told = Results(module, result, ledger)
        self._retries = checked_retries(module.params)
        self._sends = 0
        self._can_poll = True

    def run(self, blank: Entry, *, is_outdated: bool = False) -> None:
        """Start the cloud task, or find the one that is there.

        :param blank: the entry for a key that the ledger does not have.
        :param is_outdated: whether a cloud task whose id is known must be followed by another one.
        """
        entry = self._ledger.find(blank.provider, blank.key)
        if entry is None or entry.state == RESERVED:
            self._start(blank if entry is None else entry._replace(asked=blank.asked, ref=blank.ref), None)
        elif entry.asked != blank.asked:
            said = f"the idempotency_key {quoted(entry.key)} is that of another request, of {entry.intended_at}"
            raise CloudError("config", said, advice="give another key for this request, or leave the key out")
        elif entry.state == SENT:
            self._settle(entry)
        elif is_outdated:
            self._start(entry.followed(self._ref), entry)
        else:
            self._take(entry)

    # --- an id is known ---

    def _take(self, entry: Entry) -> None:
        """Return the cloud task that is there, or start another one in place of one that has failed."""
        ref = {**self._ref, "task_id": entry.task_id}
        self._result.update(started="before", task=expand(ref, {"status": entry.status or UNKNOWN}))
        if entry.record is not None:
            poll: Poll | None = Poll(expand(ref, entry.record), {}, 0)
        else:
            poll = self._poll(ref) if entry.task_id else None
        record = self._result["task"] if poll is None else poll.record
        is_gone = (
            poll is None
            and self._can_poll
            and record["status"] not in (SUCCEEDED, PARTIAL)
            and self._ledger.age(entry.started_at or entry.intended_at) > GRACE_SECONDS
        )
        is_over = is_gone or record["status"] in (FAILED, CANCELED)
        if is_over and self._module.params["on_failed"] == "start_again":
            del self._result["started"], self._result["task"]
            self._start(entry.followed(self._ref), entry._replace(status=record["status"]))
            return
        if poll is not None and record["status"] != entry.status and not self._module.check_mode:
            self._told.note_end(entry, record)
        before = {"task_id": entry.task_id, "status": record["status"]}
        self._told.tell("before", Poll(record, poll.response if poll else {}, 0), before)

    def _poll(self, ref: Ref) -> Poll | None:
        """Returns what a poll tells; null, with a warning, if there can be none or the vendor knows no such cloud task."""
        name = f"the {ref['provider']} cloud task {quoted(ref['task_id'])}"
        try:
            poller = self._service.poller(self._module.params, os.environ)
        except CloudError as error:
            self._can_poll = False
            said = f"The ledger has {name}, which was not polled, since {error.said}; {error.advice}."
            warn(self._module, [said])
            return None
        try:
            return patiently(lambda: poller.poll(ref), self._retries)
        except CloudError as error:
            if error.kind != "not_found":
                raise error.within("the cloud task exists, but it could not be polled") from None
        warn(self._module, [f"The ledger has {name}, which the vendor does not know any more."])
        return None

    # --- no id is known ---

    def _start(self, entry: Entry, previous: Entry | None) -> None:
        """Start a cloud task.

        :param entry: its new entry.
        :param previous: the entry to go back to when nothing was started; null to remove the new one then.
        """
        call = self._prepare(entry)
        if self._module.check_mode:
            self._result["changed"] = True
            before = {"task_id": previous.task_id, "status": previous.status} if previous else {}
            self._told.tell("new", Poll(make_record(self._ref, UNKNOWN, None), {}, 0), before, call.asked)
            return
        self._ledger.put(previous or entry)  # shows, before anything is sent, that the ledger can be written
        self._send_it(entry, previous, call)

    def _send_it(self, entry: Entry, previous: Entry | None, call: PreparedCall) -> None:
        """Send a start.

        :param previous: see :meth:`_start`; the entry itself when an earlier start may have been sent.
        """
        entry, is_again = entry._replace(state=SENT), previous is entry
        self._sends += 1
        self._result["changed"] = False

        def note() -> None:
            nonlocal entry
            entry = entry if is_again else entry._replace(intended_at=self._ledger.now())
            self._ledger.put(entry)

        try:
            poll = self._send(call, note)
        except CloudError as error:
            if error.code not in call.certain and not self._result["changed"]:
                _undo(self._ledger, entry, previous)
                raise
            if error.kind == "interrupted":
                error.advice, error.retryable = _uncertain.LEDGER, True
                raise
            is_first = not (self._result["changed"] or is_again or self._sends > 1)
            self._find_after(error, entry, call, None if is_again else previous, is_first=is_first)
        else:
            self._told.keep("new", entry, poll, call)

    def _settle(self, entry: Entry) -> None:
        """Find out what became of a start whose module ended before it had an id."""
        call = self._prepare(entry)
        if call.repeatable and self._ledger.age(entry.intended_at) < call.remembers and not self._module.check_mode:
            self._send_it(entry, entry, call)  # the vendor refuses it if the cloud task exists
        else:
            self._find_it(entry, call, None)

    def _find_after(
        self, error: CloudError, entry: Entry, call: PreparedCall, previous: Entry | None, *, is_first: bool
    ) -> None:
        """Find out what became of a start of this module, whose answer was lost or says that there is a cloud task.

        :param previous: see :meth:`_start`.
        :param is_first: whether it was sent once and never before, so that an error which says that there is a cloud
            task means that this start made none.
        """
        try:
            self._stop.allow()
            self._find_it(entry, call, error)
        except Stopped as stopped:
            said = f"{stopped.name} ended this module while it searched for the cloud task"
            raise CloudError("interrupted", said, advice=_uncertain.LEDGER, retryable=True) from None
        except CloudError as failure:
            if not (isinstance(failure, Taken) or (is_first and error.code in call.certain)):
                raise
            _undo(self._ledger, entry, previous)
            self._result["changed"] = False
            failure.code, failure.message = error.code, error.message
            raise failure if isinstance(failure, Taken) or failure.retryable else error from None

    def _find_it(self, entry: Entry, call: PreparedCall, because: CloudError | None) -> None:
        """Adopt the cloud task that a start has made, or start it anew if there is none.

        :param because: the error of the start; null if another module sent it.
        """
        exists = because is not None and because.code in call.certain
        found = _search(self._ledger, entry, call, because, self._retries)
        is_listed = self._ledger.age(entry.intended_at) < call.lists - LIST_MARGIN
        longest = self._module.params["request_timeout"]
        age = 0.0 if because is not None else max(0.0, self._ledger.age(entry.intended_at) - longest)
        early = SETTLE_SECONDS - age
        if not (found or exists or self._module.check_mode) and is_listed and early > 0:
            time.sleep(early)
            found = _search(self._ledger, entry, call, because, self._retries)
        if len(found) == 1:
            self._stop.defer()
            self._told.keep("adopted", entry, found[0], call)
        elif found or exists or not is_listed or self._sends > 1:
            raise _unsure(entry, call, because, found)
        else:
            self._start(entry._replace(state=RESERVED), None)

    def _prepare(self, entry: Entry) -> PreparedCall:
        options = self._service.marked(self._module.params, mark_of(entry), entry.attempt)
        return self._service.prepare(self._ref, options, os.environ)


def _undo(ledger: Ledger, entry: Entry, previous: Entry | None) -> None:
    """Take back the entry of a start that certainly made nothing.

    :param previous: the entry to go back to; null to remove the new one.
    """
    with contextlib.suppress(CloudError):  # the error of the start matters more
        if previous is None and not entry.earlier:
            ledger.remove(entry)
        else:
            ledger.put(previous or entry._replace(state=RESERVED))


def _search(ledger: Ledger, entry: Entry, call: PreparedCall, because: CloudError | None, retries: int) -> list[Poll]:
    """Returns the cloud tasks that the vendor's lists have for a start.

    :param retries: largest number of repetitions of each call.
    :raises Taken: when the mark of the start is that of other work, so that the vendor has refused the start.
    """
    if call.find is None:
        raise _unsure(entry, call, because, [])
    known = ledger.known_ids(entry.provider, besides=entry.key)
    since = text_of(seconds_of(entry.intended_at) - CLOCKS_APART)
    try:
        return list(call.find(since, known, lambda ask: patiently(ask, retries)))
    except Taken:
        if ledger.age(entry.intended_at) < call.remembers:
            raise
        return []  # the vendor may have forgotten that one when this start came
    except CloudError as error:
        failure = _unsure(entry, call, because, [])
        failure.said = f"{failure.said}, and the search for its cloud task failed: {error.said}"
        failure.advice, failure.retryable = f"{error.advice}; then {_uncertain.LEDGER}", error.retryable
        raise failure from None


def _unsure(entry: Entry, call: PreparedCall, because: CloudError | None, found: list[Poll]) -> CloudError:
    """Returns the error for a start of which nobody can tell whether it made a cloud task."""
    said = f"a start under the idempotency_key {quoted(entry.key)} was sent at {entry.intended_at} and no id came back"
    if because is not None:
        said = f"{because.said}, and the id of the cloud task is not known"
    if found:
        ids = ", ".join(quoted(poll.record["task_id"]) for poll in found)
        said = f"{said}; {len(found)} cloud tasks have the same input and output: {ids}"
    forget = "remove the entry with the option forget of ledger_info"
    way = "another session_id if one is given" if call.repeatable else forget  # the vendor forgets no session
    advice = f"{call.doubt}; to start it all the same, give another idempotency_key, or {way}"
    error = CloudError("uncertain", said, advice=advice)
    if because is not None:
        error.code, error.message = because.code, because.message
        error.http_status, error.request_id = because.http_status, because.request_id
    return error


__all__ = ["digest", "start_once"]
