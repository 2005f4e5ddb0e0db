# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: what the module of the wait does.
"""The module's side of ``wait_for_task``: the whole wait where it runs alone, else one round of it.

It holds the credentials, so that they never leave the host and user that the Ansible task runs as. What one round must
know of the others comes in ``_round``, which is no option of users: durations, counts and our own words, no secret and no text
of a vendor.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import time
import typing as t

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from . import _verdict
from ._errors import CloudError, shown
from ._items import Plan, make_plan
from ._module import (
    censored,
    clock_warning,
    end_quickly,
    hide_secrets,
    make_clock,
    make_provider,
    make_transport,
    unknown_warning,
    warn,
    without_secrets,
)
from ._pacing import FOREVER, RateBudget
from ._providers.base import Provider, redact
from ._providers.registry import PROVIDERS
from ._status import UNKNOWN, Record
from ._sweep import PAGE, Sweep, Swept
from ._wait_options import check_policy
from ._waiter import Group, Limits, Policy, Seen, Task, Waiter

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from ._book import Report
    from ._module import WaitModule

TRIED = "Waiting for cloud tasks"
SAMPLE = 100
"""How many cloud tasks tell what all of them cost."""
SLOWEST = 1e-6
"""The lowest rate limit, in calls a second; one that is lower is taken for none."""

Options = t.Mapping[str, t.Any]


def run_wait(module: WaitModule) -> None:
    """The whole of the module: a result or an error, never a traceback of ours."""
    failure = None
    wait = Wait(module.params, os.environ, check_mode=module.check_mode, given_round=module.round)
    result: dict[str, t.Any] = {}
    try:
        wait.prepare()
        for library in wait.missing_libraries():
            module.fail_json(
                **_refusal(wait, missing_required_lib(library), CloudError("config", f"{library} is missing"))
            )
        result = wait.run()
    except CloudError as error:
        failure = error
    msg = failure.sentence(TRIED) if failure else ""
    hidden = [text for text in getattr(failure, "hidden", []) if text not in msg]  # which quotes none of them
    hide_secrets(module, wait.secrets(), hidden)
    end_quickly()
    if failure is not None:
        module.fail_json(**_refusal(wait, msg, failure))
    if wait.is_round:
        result = _hand_over(module, result)
    else:
        warn(module, wait.notes())
        result = without_secrets(module, result)
    (module.fail_json if result.get("failed") else module.exit_json)(**result)


def _refusal(wait: Wait, msg: str, error: CloudError) -> dict[str, t.Any]:
    """The reason, and all else that a result holds; in a round the controller sees to that."""
    if wait.is_round:
        return {"msg": msg, "error": error.as_dict()}
    from ._book import refusal  # noqa: PLC0415 # as in _run_alone

    return refusal(error, msg)


def _hand_over(module: WaitModule, answer: dict[str, t.Any]) -> dict[str, t.Any]:
    """A round's answer without secrets, and with all that it costs.

    What people will see is censored here. Ansible would censor all of it: a password of few letters would then be cut out
    of ids and durations too, with which the next round is to go on.
    """
    began = time.process_time()
    secrets, module.no_log_values = module.no_log_values, set()
    told = dict(answer)
    if "plan" in answer:
        told["plan"] = [
            {**item, "record": censored(item["record"], secrets)} if "record" in item else item
            for item in answer["plan"]
        ]
    if "report" in answer:
        told["notes"] = remove_values(answer["notes"], secrets)
        told["report"] = _censored_report(answer["report"], secrets)
        told["cost"] += time.process_time() - began + _cost_of_telling(told)
    return told


def _censored_report(report: Report, secrets: t.Collection[str]) -> dict[str, t.Any]:
    history = {
        number: [censored(change, secrets) for change in changes] for number, changes in report["history"].items()
    }
    one_each = {
        name: {number: censored(said, secrets) for number, said in report[name].items()}
        for name in ("records", "errors")
    }
    return {**report, **one_each, "history": history}


def _cost_of_telling(answer: Options) -> float:
    """CPU seconds that Ansible will need to check and write an answer, reckoned from a sample of what grows in it."""
    cost = 0.0
    for some in (answer["next"]["states"], answer["report"]["records"], answer["report"]["history"]):
        sample = dict(itertools.islice(some.items(), SAMPLE))
        began = time.process_time()
        json.dumps(remove_values(sample, ()))
        cost += (time.process_time() - began) * len(some) / max(1, len(sample))
    return cost


class Wait:
    """One run of the module."""

    def __init__(
        self, options: Options, environ: t.Mapping[str, str], *, check_mode: bool, given_round: Options | None = None
    ) -> None:
        self._options = options
        self._environ = environ
        self._check_mode = check_mode
        self._round: Options = given_round or {}
        self.is_round = given_round is not None
        self._clock = make_clock(options, offset=self._round.get("clock_offset", 0.0))
        self._carried: dict[str, str] = dict(self._round.get("carried", {}))
        self._warned: set[str] = set(self._round.get("warned", []))
        self._notes: list[str] = []
        self._plan: Plan = []
        self._providers: dict[str, Provider] = {}
        self._groups: dict[str, Group] = {}

    def prepare(self) -> None:
        """Everything that can be refused before anything is sent.

        :raises CloudError: ``config``.
        """
        self._options = check_policy(self._options)
        self._check_rates()
        self._check_alone()
        self._plan = make_plan(self._options, self._environ, check_mode=self._check_mode)
        require, total = self._options["require"], len(self._plan)
        if isinstance(require, int) and require > total and not self._round.get("numbers"):
            raise CloudError(
                "config", f"require is {require}, and there are {total} cloud tasks", advice="correct require"
            )
        words = {item["ref"]["provider"] for item in self._plan if _wants_look(item)}
        if self._options["endpoint"] and len(words) > 1:
            raise CloudError(
                "config",
                f"endpoint is given for a wait on {len(words)} services",
                advice="set the environment variable of each service instead",
            )

    def _check_rates(self) -> None:
        for word, rate in (self._options["rate_limit"] or {}).items():
            if word not in PROVIDERS:
                said = f"rate_limit has the key {shown(str(word))}, which is none of {', '.join(PROVIDERS)}"
                raise CloudError("config", said, advice="correct rate_limit")
            if _number(rate) <= 0:
                said = f"rate_limit of {word} is {shown(rate)}, which is no number above 0"
                raise CloudError("config", said, advice="give calls a second")

    def _check_alone(self) -> None:
        given = [name for name in ("condition", "state_file") if self._options[name] is not None]
        if given:
            said = f"{' and '.join(given)} cannot be used where the module runs alone, as with async"
            raise CloudError("config", said, advice="leave it out, or run the Ansible task without async")

    def missing_libraries(self) -> list[str]:
        """The names of Python packages that are needed and that this Python lacks."""
        words = dict.fromkeys(item["ref"]["provider"] for item in self._plan if _wants_look(item))
        return [name for word in words for name in PROVIDERS[word].missing_libraries()]

    def secrets(self) -> list[str]:
        """Every secret that was used."""
        return [secret for provider in self._providers.values() for secret in provider.secrets()]

    def notes(self) -> list[str]:
        """What is to be said aloud."""
        if self._clock.offset and "clock" not in self._warned:
            self._warned.add("clock")
            self._notes.append(clock_warning(self._clock.offset))
        if not self._plan and not self._round.get("numbers"):
            self._notes.append("The list of cloud tasks is empty, so there was nothing to wait for.")
        return self._notes

    def run(self) -> dict[str, t.Any]:
        """The answer of a round, or the result of the whole wait."""
        if not self.is_round:
            return self._run_alone()
        if self._round.get("plan_only"):
            return {"plan": self._plan, "about": self._about(), "invocation": {}}
        cost = time.process_time()
        report = dict(self._run_round(self._limits()))
        answer: dict[str, t.Any] = {
            "invocation": {},  # else Ansible would send all options back
            "cost": cost,
            "notes": self.notes(),
            "next": {
                "clock_offset": self._clock.offset,
                "carried": {key: provider.memory() for key, provider in self._providers.items() if provider.memory()},
                "warned": sorted(self._warned),
                "sweeps": self._sweep_states(),
                "lanes": report.pop("lanes"),
                "states": report.pop("states"),
            },
            "report": report,
        }
        if self._round.get("numbers") is None:
            answer.update(plan=self._plan, about=self._about())
        return answer

    def _about(self) -> dict[str, str]:
        """The hosts that are asked and are not the vendors', which a result always names."""
        asked = [item for item in self._plan if _wants_look(item)]
        hosts = {self._provider_of(item).about(item["ref"]).get("endpoint_host") for item in asked}
        named = ", ".join(sorted(filter(None, hosts)))
        return {"endpoint_host": named} if named else {}

    def _run_alone(self) -> dict[str, t.Any]:
        from ._book import Book, clock_face  # noqa: PLC0415 # a round, of which there are many, needs no book

        timeout = self._options["timeout"]
        started = time.time()
        book = Book.open(self._plan, clock_face(started))
        book.judge(self._options["until"], 0.0)
        began = time.monotonic()
        if not book.is_over(require=self._options["require"], fail_fast=self._options["fail_fast"]):
            book.apply(self._run_round(Limits(left=timeout, once=self._looks_once())))
        elapsed = time.monotonic() - began
        if not self._check_mode and not book.is_over(
            require=self._options["require"], fail_fast=self._options["fail_fast"]
        ):
            book.end_open(_verdict.TIMED_OUT, elapsed)
        result = book.result(require=self._options["require"], check_mode=self._check_mode, elapsed=elapsed)
        return {**result, **self._about()}

    def _looks_once(self) -> bool:
        return self._check_mode or not self._options["timeout"]

    def _limits(self) -> Limits:
        given = {name: self._round[name] for name in Limits._fields if self._round.get(name) is not None}
        return Limits(**{"left": FOREVER, **given})

    # --- one round ---

    def _run_round(self, limits: Limits) -> Report:
        tasks = self._tasks()
        if not limits.once:
            self._groups = self._make_groups(tasks)
        waiter = Waiter(
            tasks,
            self._look,
            policy=self._policy(),
            limits=limits,
            budgets=self._budgets(),
            clock=time.monotonic,
            sleep=time.sleep,
            chance=random.random,
            groups=list(self._groups.values()),
        )
        return waiter.run()

    def _tasks(self) -> list[Task]:
        """What is open; a provider is made for each account at once, so that wrong options are told before any look."""
        numbers = self._round.get("numbers")
        states = self._round.get("states", {})
        tasks: list[Task] = []
        if numbers is None and self._is_decided():
            return tasks
        for number, item in zip(range(len(self._plan)) if numbers is None else numbers, self._plan):
            if _wants_look(item):
                self._provider_of(item)
                tasks.append(Task(number, item, item["ref"]["provider"], states.get(str(number), {})))
        return tasks

    def _is_decided(self) -> bool:
        """Whether records that came with the items are the verdict, so that there is nothing to look for."""
        if self._check_mode or self._round.get("condition") or not any("record" in item for item in self._plan):
            return False
        from ._book import Book  # noqa: PLC0415 # as in _run_alone

        book = Book.open(self._plan, lambda dummy: "")
        book.judge(self._options["until"], 0.0)
        return book.is_over(require=self._options["require"], fail_fast=self._options["fail_fast"])

    def _policy(self) -> Policy:
        given = {name: self._options[name] for name in Policy._fields}
        given["until"] = None if self._round.get("condition") else frozenset(given["until"])
        given["fail_fast"] = given["fail_fast"] and not self._check_mode
        if isinstance(given["require"], int):  # those that earlier rounds saw satisfied are not in this one
            given["require"] = max(1, given["require"] - self._round.get("satisfied", 0))
        return Policy(**given)

    def _budgets(self) -> dict[str, RateBudget]:
        now = time.monotonic()
        limits = self._options["rate_limit"] or {}
        lanes = self._round.get("lanes", {})
        budgets = {}
        for word in {item["ref"]["provider"] for item in self._plan}:
            lane = lanes.get(word, {})
            budgets[word] = RateBudget(
                _number(limits.get(word, PROVIDERS[word].rate)),
                ready=now + lane.get("ready_in", 0.0),
                slowdown=lane.get("slowdown", 1.0),
            )
        return budgets

    # --- sweeps ---

    def _make_groups(self, tasks: list[Task]) -> dict[str, Group]:
        """Where so many cloud tasks of one account are open that its lists are fewer calls than looks at each.

        A list tells the status and no more, so there is none where anything else counts.
        """
        options = self._options
        counts = options["max_polls"] is not None or options["stall_timeout"] is not None
        if options["sweep"] == "never" or counts or self._round.get("condition"):
            return {}
        accounts: dict[str, dict[str, int]] = {}
        for task in tasks:
            accounts.setdefault(_account(task.ref), {})[task.ref["ref"]["task_id"]] = task.number
        many = {key: numbers for key, numbers in accounts.items() if len(numbers) > PAGE}
        states = {key: self._round.get("sweeps", {}).get(key, {}) for key in many}
        return {
            key: self._make_group(key, numbers, states[key])
            for key, numbers in many.items()
            if self._providers[key].open_lists and not states[key].get("given_up")
        }

    def _make_group(self, key: str, numbers: dict[str, int], state: Options) -> Group:
        provider = self._providers[key]

        def read(name: str, token: str | None, seconds: float) -> Swept:
            swept = provider.read_page(name, token, timeout=seconds)
            if swept.error is not None and not swept.error.retryable:
                self._note_once(
                    f"sweep {key}", f"The list of cloud tasks was refused, so each is polled: {swept.error}."
                )
            return swept

        def record(task: Task, name: str, entry: Options) -> Record:
            return t.cast(Record, redact(provider.listed_record(task.ref["ref"], name, entry)))

        before = {name: state.get(name, 0) for name in ("passes", "errors")}
        sweep = Sweep(provider.open_lists, numbers, **before)
        due_in = state.get("due_in", self._options["delay"])
        return Group(provider.name, sweep, read=read, record=record, due_in=due_in)

    def _sweep_states(self) -> dict[str, dict[str, t.Any]]:
        """What the next round must know of each; one that was left is not taken up again."""
        now = time.monotonic()
        states = {
            key: {
                "passes": group.sweep.passes,
                "errors": group.sweep.errors,
                "due_in": max(0.0, group.due_at - now),
                "given_up": not group.open,
            }
            for key, group in self._groups.items()
        }
        return {**self._round.get("sweeps", {}), **states}

    def _provider_of(self, item: Options) -> Provider:
        """The provider of an item's account; ``profile`` and ``site`` of an item are those of its ref."""
        ref = item["ref"]
        word = ref["provider"]
        key = _account(item)
        if key not in self._providers:
            own = {"site": ref.get("site"), "profile": ref.get("profile"), "api_action": item.get("api_action")}
            options = {**self._options, **own}
            of_item = self._options["secret_id"] or ref.get("profile") != self._options["profile"]
            if ref.get("profile") and of_item:  # beside keys, that of the options takes no part
                options.update(secret_id=None, secret_key=None, token=None, cvm_role=None)
            if not self._providers:
                self._transport = make_transport(self._options)
            provider = make_provider(PROVIDERS[word], options, self._environ, self._transport, self._clock)
            provider.recall(self._carried.get(key))
            self._providers[key] = provider
        return self._providers[key]

    def _look(self, task: Task, seconds: float) -> Seen:
        provider = self._provider_of(task.ref)
        try:
            look = provider.look(task.ref["ref"], timeout=seconds, record_only=True)
        except CloudError as error:
            return Seen(None, error, error.calls)
        if look.record["status"] == UNKNOWN:
            self._note_unknown(look.record)
        return Seen(look.record, None, look.calls)

    def _note_unknown(self, record: Options) -> None:
        native = f"{record['provider']} {record['native_status']}"
        key = hashlib.sha256(native.encode("utf-8", "replace")).hexdigest()[:8]
        self._note_once(key, unknown_warning(record))

    def _note_once(self, key: str, note: str) -> None:
        if key not in self._warned:
            self._warned.add(key)
            self._notes.append(note)


def _account(item: Options) -> str:
    """Whatever has the same text is asked for with the same credentials at the same host."""
    ref = item["ref"]
    more = (ref.get(name) or item.get(name) or "" for name in ("site", "profile", "api_action"))
    return " ".join([ref["provider"], *map(str, more)])


def _wants_look(item: Options) -> bool:
    return not {"record", "twin_of", "unstarted"} & set(item)


def _number(value: t.Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if SLOWEST <= number < FOREVER else 0.0


__all__ = ["run_wait"]
