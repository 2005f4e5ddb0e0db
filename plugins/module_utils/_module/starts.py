# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""Runs modules that start, list or abort cloud tasks."""

from __future__ import annotations

import functools
import os
import typing as t

from .._errors import CloudError, quoted
from .._record import UNKNOWN, Record, make_record
from .._secrecy import redact, secrets_of
from .._services.base import Lists, Poll, Service
from .._services.mps import MpsStarts
from .._services.starts import PreparedCall, Starter, is_uncertain, list_tasks
from .._signals import Stop, Stopped, catching_signals
from .._transport import Answer, Request
from .run import Ref, Result, checked_retries, hide_secrets, patiently, run, show_difference

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ansible.module_utils.basic import AnsibleModule

P = t.TypeVar("P", bound=Service)
Work = t.Callable[[Stop, P, Ref, Result], None]


def nothing_to_note() -> None:
    """Do nothing, where there is no ledger."""


def run_start(module: AnsibleModule, service_class: type[Starter]) -> None:
    """Run a module that starts a cloud task. In check mode, its record has no id."""

    @_stoppable
    def work(stop: Stop, service: Starter, ref: Ref, result: Result) -> None:
        service.check_mode = module.check_mode
        call = service.prepare(ref, module.params, os.environ)

        def send(call: PreparedCall, note: t.Callable[[], None] = nothing_to_note) -> Poll:
            return _Once(module, service, call, result, stop, note).send()

        if module.params["ledger"] is not None:
            from .ledgered import start_once  # noqa: PLC0415 # importing takes time, and most starts do not need it

            start_once(module, service, ref, result, stop, send)
            return
        if module.check_mode:
            result.update(changed=True, task=make_record(ref, UNKNOWN, None), response={})
        else:
            started = send(call)
            result.update(task=started.record, response=started.response)
        show_difference(module, result, {}, call.asked)

    hide_secrets(module, secrets_of(module.params))  # also if it fails before the service has been made
    tried = f"Starting a {service_class.title} cloud task"
    with catching_signals() as stop:
        run(module, service_class, service_class.make_blank_ref, tried, functools.partial(work, stop))


def run_list(module: AnsibleModule, service_class: type[Lists]) -> None:
    """Run a module that lists cloud tasks. If a page cannot be read, the result has those of the pages before it."""

    def work(service: Lists, ref: Ref, result: Result) -> None:
        limit = module.params["limit"]
        if limit is not None and limit < 1:
            raise CloudError("config", f"limit must be at least 1, got {limit}", advice="correct limit")
        result.update(refs=[], tasks=[], entries=[], truncated=False)
        retries = checked_retries(module.params)
        for listed in list_tasks(service, ref, module.params, lambda ask: patiently(ask, retries)):
            if len(result["refs"]) == limit:
                result["truncated"] = True
                return
            result["refs"].append(listed.ref)
            result["entries"].append(redact(listed.entry))
            if listed.record is not None:
                result["tasks"].append(redact(listed.record))

    tried = f"Listing the {service_class.title} cloud tasks"
    run(module, service_class, service_class.make_blank_ref, tried, work)


def run_abort(module: AnsibleModule) -> None:
    """Run the module that aborts a media task. It polls before and after, since the abort's answer has no status."""

    @_stoppable
    def work(stop: Stop, service: MpsStarts, ref: Ref, result: Result) -> None:
        retries = checked_retries(module.params)
        before = patiently(lambda: service.poll(ref), retries)
        result.update(task=before.record, response=before.response)
        if before.record["done"]:
            return
        call = service.prepare_abort(ref, before)
        if module.check_mode:
            result["changed"] = True
            return
        _Once(module, service, call, result, stop).send()
        stop.allow()
        try:
            after = patiently(lambda: service.poll(ref), retries)
        except CloudError as error:
            raise error.within("the vendor accepted it, but the poll afterwards failed") from None
        result.update(task=after.record, response=after.response)

    tried = f"Aborting the {MpsStarts.title} cloud task {quoted(module.params['task_id'].strip())}"
    with catching_signals() as stop:
        run(module, MpsStarts, MpsStarts.make_ref, tried, functools.partial(work, stop))


def _stoppable(work: Work[P]) -> Work[P]:
    """Returns ``work`` such that a signal may end it, with an error that says whether anything was changed."""

    @functools.wraps(work)
    def wrapped(stop: Stop, service: P, ref: Ref, result: Result) -> None:
        try:
            stop.allow()
            work(stop, service, ref, result)
            stop.defer()
        except Stopped as stopped:
            if result["changed"]:
                said, advice = "after the vendor had accepted the abort", "poll the cloud task with mps_task_detail"
            else:
                said, advice = "before anything was changed", "run it again"
            raise CloudError(
                "interrupted",
                f"{stopped.name} ended this module {said}",
                advice=advice,
                retryable=not result["changed"],
            ) from None
        finally:
            stop.defer()

    return wrapped


class _Once:
    """Sends a call that must not be carried out twice.

    A call that may have been carried out is not repeated, unless the vendor carries out repeated calls only once.

    :param call: the call to send.
    :param result: its ``changed`` is set, also when the call fails.
    :param stop: signals may end the module until an answer has come; then not, since the answer has the id.
    :param note: called each time just before the request is sent, to write down that it is.
    """

    def __init__(
        self,
        module: AnsibleModule,
        service: Service,
        call: PreparedCall,
        result: Result,
        stop: Stop,
        note: t.Callable[[], None] = nothing_to_note,
    ) -> None:
        self._service = service
        self._note = note
        self._call = call
        self._result = result
        self._stop = stop
        self._retries = checked_retries(module.params)
        self._under_way = False

    def send(self) -> Poll:
        """Send the call.

        :returns: record and response. The record is empty where the call gives none.
        :raises CloudError: when it is not certain that the call was carried out.
        """
        try:
            poll = patiently(
                lambda: self._service.call(self._make_request, self._read), self._retries, again=self._again
            )
        except Stopped as stopped:
            raise self._stopped(stopped) from None
        except CloudError as error:
            self._stop.defer()
            if is_uncertain(error):
                self._result["changed"] = True
                error.retryable = error.retryable and self._call.repeatable
            self._advise(error)
            raise
        self._result["changed"] = True
        return poll

    def _make_request(self) -> Request:
        self._stop.allow()
        self._under_way = False
        request = self._call.make_request()
        self._note()
        self._under_way = True
        return request

    def _read(self, answer: Answer) -> tuple[Record, dict[str, t.Any]]:
        self._stop.defer()
        return self._call.read(answer)

    def _again(self, error: CloudError) -> bool:
        self._under_way = False
        again = error.retryable
        if is_uncertain(error):
            self._result["changed"] = True  # even if the next attempt is refused
            again = again and self._call.repeatable
        self._stop.allow()
        return again

    def _stopped(self, stopped: Stopped) -> CloudError:
        """Returns the error for a signal that came before an answer."""
        if self._under_way:
            self._result["changed"] = True
        when = "before the vendor's answer came" if self._result["changed"] else "before anything was sent"
        error = CloudError("interrupted", f"{stopped.name} ended this module {when}", advice="run it again")
        error.retryable = not self._result["changed"]
        self._advise(error)
        return error

    def _advise(self, error: CloudError) -> None:
        if self._result["changed"] and error.code not in self._call.certain:
            error.advice = f"{error.advice}; {self._call.doubt}" if error.retryable else self._call.doubt


__all__ = ["run_abort", "run_list", "run_start"]
