# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: what modules share.
"""The whole of a module that starts, lists or aborts cloud tasks."""

from __future__ import annotations

import os
import typing as t

from ._calls.base import Deed, Lister, Starter, is_uncertain
from ._calls.mps import MpsCalls
from ._errors import CloudError
from ._module import Ref, Result, checked_retries, hide_secrets, patiently, run
from ._providers.base import Look, Provider, redact, secret_texts
from ._status import UNKNOWN, make_record

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ansible.module_utils.basic import AnsibleModule


def run_start(module: AnsibleModule, starter_class: type[Starter]) -> None:
    """The start of a cloud task; check mode gives a record without an id."""

    def work(starter: Starter, ref: Ref, result: Result) -> None:
        starter.check_mode = module.check_mode
        deed = starter.prepare(ref, module.params, os.environ)
        if module.check_mode:
            result.update(changed=True, task=make_record(ref, UNKNOWN, None), response={})
            return
        look = _do_once(module, starter, deed, result)
        result.update(task=look.record, response=look.response)

    hide_secrets(module, secret_texts(dict(module.params)))  # also when it fails before it knows of them
    tried = f"Starting a {starter_class.title} cloud task"
    run(module, starter_class, starter_class.make_blank_ref, tried, work)


def run_list(module: AnsibleModule, lister_class: type[Lister]) -> None:
    """A list: what was found before a call failed is in the result, too."""

    def work(lister: Lister, ref: Ref, result: Result) -> None:
        limit = module.params["limit"]
        if limit is not None and limit < 1:
            raise CloudError("config", "limit is below 1")
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

    def work(provider: MpsCalls, ref: Ref, result: Result) -> None:
        retries = checked_retries(module.params)
        before = patiently(lambda: provider.look(ref), retries)
        result.update(task=before.record, response=before.response)
        if before.record["done"]:
            return
        deed = provider.prepare_abort(ref, before)
        if module.check_mode:
            result["changed"] = True
            return
        _do_once(module, provider, deed, result)
        try:
            after = patiently(lambda: provider.look(ref), retries)
        except CloudError as error:
            error.said = f"it was accepted, but the look afterwards failed: {error.said}"
            raise
        result.update(task=after.record, response=after.response)

    tried = f"Aborting the {MpsCalls.title} cloud task {module.params['task_id']}"
    run(module, MpsCalls, MpsCalls.make_ref, tried, work)


def _do_once(module: AnsibleModule, provider: Provider, deed: Deed, result: Result) -> Look:
    """What must not happen twice: it is not sent again when it may have happened, unless the vendor sees to that."""

    def again(error: CloudError) -> bool:
        if is_uncertain(error):
            result["changed"] = True  # also when the next try is refused
            return error.retryable and deed.repeatable
        return error.retryable

    try:
        look = patiently(
            lambda: provider.ask(deed.make_request, deed.read), checked_retries(module.params), again=again
        )
    except CloudError as error:
        if is_uncertain(error):
            result["changed"] = True
            error.retryable = error.retryable and deed.repeatable
        if result["changed"] and error.code not in deed.certain:
            error.advice = f"{error.advice}; {deed.doubt}" if error.retryable else deed.doubt
        raise
    result["changed"] = True
    return look


__all__ = ["run_abort", "run_list", "run_start"]
