# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""Runs the module ``wait_for_task``: from its options to the result of a wait, or to the answer of a round."""

from __future__ import annotations

import itertools
import json
import os
import time
import typing as t

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from .._errors import CloudError
from .._reader import Reader
from .._secrecy import censored, censored_texts
from .._wait import channel
from .._wait.items import texts_to_hide
from .._wait.round import Round
from .._wait.verdict import TRIED
from .run import QuietModule, end_quickly, hide_secrets, warn, without_secrets

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from .._wait.contract import Order, Report, RoundAnswer, Update

SAMPLE = 100
"""Number of cloud tasks from which the CPU time for all of them is estimated."""

Result = dict[str, t.Any]


class WaitModule(QuietModule):
    """The module of a wait. Its action plugin adds the internal option ``_round``, which users cannot set."""

    order: Order | None = None
    """What the action asks of a round; null where the module runs alone."""

    def _load_params(self) -> None:
        super()._load_params()
        self.order = self.params.pop("_round", None)


def run_wait(module: WaitModule) -> None:
    """Run a round, or the whole wait where the module runs alone. Ends with ``exit_json`` or ``fail_json``."""
    failure = None
    current: Round | None = None
    result: Result = {}
    reader: Reader | None = None
    if module.order is not None:
        reader = Reader(module.order.get("controller"))
        reader.watch()
    try:
        current = Round(module.params, os.environ, check_mode=module.check_mode, order=module.order)
        for library in current.missing_libraries():
            missing = CloudError("config", f"{library} is missing")
            module.fail_json(**_refusal(module, missing_required_lib(library), missing))
        result = current.run_alone() if module.order is None else t.cast(Result, run_round(module, current))
    except CloudError as error:
        failure = error
    msg = failure.sentence(TRIED) if failure else ""
    hidden = texts_to_hide(failure, msg) if failure else []
    hide_secrets(module, current.accounts.secrets() if current else [], hidden)
    end_quickly()
    if reader is not None:
        reader.quiet()
    if failure is not None:
        module.fail_json(**_refusal(module, msg, failure))
    if module.order is not None:
        result = hand_over(module, t.cast("RoundAnswer", result))
    elif current is not None:
        warn(module, current.notes())
        result = without_secrets(module, result)
    (module.fail_json if result.get("failed") else module.exit_json)(**result)


def run_round(module: WaitModule, current: Round) -> RoundAnswer:
    """Run the round that the action has ordered, and tell changes over the live channel if it can be reached."""

    def clean(update: Update) -> Result:
        hide_secrets(module, current.accounts.secrets())
        return _without_secrets(update, module.no_log_values)

    live = channel.connect((module.order or {}).get("channel"), clean)
    try:
        return current.run(live)
    finally:
        if live is not None:
            live.close()


def _refusal(module: WaitModule, msg: str, error: CloudError) -> Result:
    """Returns the result of a wait that was refused. In a round, the action adds all other keys."""
    if module.order is not None:
        return {"msg": msg, "error": error.as_dict()}
    from .._wait.result import refusal  # noqa: PLC0415 # rounds, which are more frequent, do not need it

    return refusal(error, msg)


def hand_over(module: WaitModule, answer: RoundAnswer) -> Result:
    """Returns the answer of a round without secrets, and with the CPU seconds that it takes to return it.

    Only texts that users will see are censored. Ansible would censor every text, so that a short password would make
    ids and digests unusable that the next round needs.
    """
    began = time.process_time()
    secrets, module.no_log_values = module.no_log_values, set()
    told = _without_secrets(answer, secrets)
    if "report" in answer:
        told["cost"] = answer["cost"] + time.process_time() - began + _cost_of_telling(answer)
    return told


def _without_secrets(update: Update, secrets: t.Collection[str]) -> Result:
    """Returns an update without secrets in the texts that users will see."""
    told = t.cast(Result, {**update})
    if "plan" in update:
        told["plan"] = [
            {**item, "record": censored(item["record"], secrets)} if "record" in item else item
            for item in update["plan"]
        ]
    if "aborts" in told:
        told["aborts"] = {number: censored(one, secrets) for number, one in told["aborts"].items()}
    if "report" in update:
        told["notes"] = censored_texts(update["notes"], secrets)
        told["report"] = _censored_report(update["report"], secrets)
    return told


def _censored_report(report: Report, secrets: t.Collection[str]) -> Result:
    history = {
        number: [censored(change, secrets) for change in changes] for number, changes in report["history"].items()
    }
    records = {number: censored(record, secrets) for number, record in report["records"].items()}
    errors = {number: censored(error, secrets) for number, error in report["errors"].items()}
    failures = {number: [censored(one, secrets) for one in some] for number, some in report["failures"].items()}
    responses = {
        number: censored({"response": one}, secrets)["response"] for number, one in report["responses"].items()
    }
    told = {**report, "failures": failures, "responses": responses}
    return {**told, "records": records, "errors": errors, "history": history}


def _cost_of_telling(answer: RoundAnswer) -> float:
    """Returns an estimate of the CPU seconds that Ansible needs to check and write an answer, made from a sample."""
    cost = 0.0
    some: t.Mapping[str, t.Any]
    for some in (answer["next"]["states"], answer["report"]["records"], answer["report"]["history"]):
        sample = dict(itertools.islice(some.items(), SAMPLE))
        began = time.process_time()
        json.dumps(remove_values(sample, ()))
        cost += (time.process_time() - began) * len(some) / max(1, len(sample))
    return cost


__all__ = ["WaitModule", "run_wait"]
