# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: what modules share.
"""The whole of a module that starts, lists or aborts cloud tasks."""

from __future__ import annotations

import functools
import os
import typing as t

from ._calls.base import Deed, Lister, Starter, is_uncertain
from ._calls.mps import MpsCalls
from ._errors import CloudError, quoted
from ._module import Ref, Result, checked_retries, hide_secrets, patiently, run
from ._providers.base import Look, Provider, redact, secret_texts
from ._signals import Stop, Stopped, catching_signals
from ._status import UNKNOWN, Record, make_record
from ._transport import Answer, Request

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ansible.module_utils.basic import AnsibleModule

P = t.TypeVar("P", bound=Provider)
Work = t.Callable[[Stop, P, Ref, Result], None]


def run_start(module: AnsibleModule, starter_class: type[Starter]) -> None:
    """The start of a cloud task; check mode gives a record without an id."""

    @_stoppable
    def work(stop: Stop, starter: Starter, ref: Ref, result: Result) -> None:
        starter.check_mode = module.check_mode
        deed = starter.prepare(ref, module.params, os.environ)
        if module.check_mode:
            result.update(changed=True, task=make_record(ref, UNKNOWN, None), response={})
            return
        look = _Once(module, starter, deed, result, stop).do()
        result.update(task=look.record, response=look.response)

    hide_secrets(module, secret_texts(dict(module.params)))  # also when it fails before it knows of them
    tried = f"Starting a {starter_class.title} cloud task"
    with catching_signals() as stop:
        run(module, starter_class, starter_class.make_blank_ref, tried, functools.partial(work, stop))


def run_list(module: AnsibleModule, lister_class: type[Lister]) -> None:
    """A list: what was found before a call failed is in the result, too."""

    def work(lister: Lister, ref: Ref, result: Result) -> None:
        limit = module.params["limit"]
        if limit is not None and limit < 1:
            raise CloudError("config", f"limit must be at least 1, got {limit}", advice="correct limit")
        result.update(refs=[], tasks=[], entries=[], truncated=False)
        retries = checked_retries(module.params)
        for listed in lister.list_tasks(ref, module.params, lambda ask: patiently(ask, retries)):
            if len(result["refs"]) == limit:
                result["truncated"] = True
                return
            result["refs"].append(listed.ref)
            result["entries"].append(redact(listed.entry))
            if listed.record is not None:
                result["tasks"].append(redact(listed.record))

    tried = f"Listing the {lister_class.title} cloud tasks"
    run(module, lister_class, lister_class.make_blank_ref, tried, work)


def run_abort(module: AnsibleModule) -> None:
    """The abortion of a media task, between two looks at it: the vendor's answer says nothing."""

    @_stoppable
    def work(stop: Stop, provider: MpsCalls, ref: Ref, result: Result) -> None:
        retries = checked_retries(module.params)
        before = patiently(lambda: provider.look(ref), retries)
        result.update(task=before.record, response=before.response)
        if before.record["done"]:
            return
        deed = provider.prepare_abort(ref, before)
        if module.check_mode:
            result["changed"] = True
            return
        _Once(module, provider, deed, result, stop).do()
        stop.allow()
        try:
            after = patiently(lambda: provider.look(ref), retries)
        except CloudError as error:
            error.said = f"the vendor accepted it, but the poll afterwards failed: {error.said}"
            raise
        result.update(task=after.record, response=after.response)

    tried = f"Aborting the {MpsCalls.title} cloud task {quoted(module.params['task_id'].strip())}"
    with catching_signals() as stop:
        run(module, MpsCalls, MpsCalls.make_ref, tried, functools.partial(work, stop))


def _stoppable(work: Work[P]) -> Work[P]:
    """The work of a module that a signal may end: with an error that says what is known, as any other end."""

    @functools.wraps(work)
    def wrapped(stop: Stop, provider: P, ref: Ref, result: Result) -> None:
        try:
            stop.allow()
            work(stop, provider, ref, result)
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
    """What must not happen twice: it is not sent again when it may have happened, unless the vendor sees to that.

    :param deed: what is to happen.
    :param result: is told of a change, also when the deed fails.
    :param stop: whether a signal may end it. Once an answer is there, it may not: the answer has the id.
    """

    def __init__(self, module: AnsibleModule, provider: Provider, deed: Deed, result: Result, stop: Stop) -> None:
        self._provider = provider
        self._deed = deed
        self._result = result
        self._stop = stop
        self._retries = checked_retries(module.params)
        self._under_way = False

    def do(self) -> Look:
        """Do it.

        :returns: the record, empty where the call gives none, and the response.
        :raises CloudError: when it did not happen, or may not have happened.
        """
        try:
            look = patiently(
                lambda: self._provider.ask(self._make_request, self._read), self._retries, again=self._again
            )
        except Stopped as stopped:
            raise self._stopped(stopped) from None
        except CloudError as error:
            self._stop.defer()
            if is_uncertain(error):
                self._result["changed"] = True
                error.retryable = error.retryable and self._deed.repeatable
            self._advise(error)
            raise
        self._result["changed"] = True
        return look

    def _make_request(self) -> Request:
        self._stop.allow()
        self._under_way = False
        request = self._deed.make_request()
        self._under_way = True
        return request

    def _read(self, answer: Answer) -> tuple[Record, dict[str, t.Any]]:
        self._stop.defer()
        return self._deed.read(answer)

    def _again(self, error: CloudError) -> bool:
        self._under_way = False
        again = error.retryable
        if is_uncertain(error):
            self._result["changed"] = True  # also when the next try is refused
            again = again and self._deed.repeatable
        self._stop.allow()
        return again

    def _stopped(self, stopped: Stopped) -> CloudError:
        """The error for a signal that came before an answer."""
        if self._under_way:
            self._result["changed"] = True
        when = "before the vendor's answer came" if self._result["changed"] else "before anything was sent"
        error = CloudError("interrupted", f"{stopped.name} ended this module {when}", advice="run it again")
        error.retryable = not self._result["changed"]
        self._advise(error)
        return error

    def _advise(self, error: CloudError) -> None:
        if self._result["changed"] and error.code not in self._deed.certain:
            error.advice = f"{error.advice}; {self._deed.doubt}" if error.retryable else self._deed.doubt


__all__ = ["run_abort", "run_list", "run_start"]
