# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection; the documentation is that of the module of the same name.
"""The controller's side of ``wait_for_task``: rounds of its module, progress lines, conditions, the state file.

It knows no vendor and no secret: what it does not understand of the options goes to the module untouched.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.cloudwait.conversion.plugins.module_utils import _verdict, _wait_options
from ansible_collections.cloudwait.conversion.plugins.module_utils._book import refusal
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import one_line
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER, backoff
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _progress
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._orphan import ending_with_parent
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._state_file import StateError, StateFile

display = Display()

Answer = dict[str, t.Any]

TASK_TIMEOUT_MARGIN = 1.5
"""Seconds before the Ansible task's own timeout at which a round should be back."""

LONGEST_SENTENCE = 2000

OUT_OF_TIME = "the timeout of the Ansible task came"


class Refused(Exception):
    """What ends the wait before or between rounds; ``result`` is what the module said of it, if it did."""

    def __init__(self, msg: str, result: Answer | None = None) -> None:
        super().__init__(f"{one_line(msg, LONGEST_SENTENCE)}.")
        self.result = result or {}


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core comes without types
    """Runs rounds until the verdict, and returns it; it raises for programming errors only."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> Answer:
        """The action."""
        self._result: Answer = super().run(tmp, task_vars)
        self._vars = task_vars or {}
        self._began = time.monotonic()
        self._warnings: list[str] = []
        try:
            with ending_with_parent():
                self._result.update(self._wait(self._options()))
        except (Refused, StateError) as error:
            self._result.update({**refusal(str(error)), **getattr(error, "result", {})})
        if self._warnings:
            self._result["warnings"] = [*self._result.get("warnings", []), *self._warnings]
        return dict(self._result)

    def cleanup(self, force: bool = False) -> None:
        """Ansible calls it after ``run``; a host that is gone cannot be tidied, which must not cost the result."""
        try:
            super().cleanup(force)
        except AnsibleError as error:
            display.vvv(f"cloudwait: temporary files were left on the host: {error}")

    def _options(self) -> Answer:
        """Those that this side understands; the module checks all of them."""
        spec = {**_wait_options.POLICY, **_wait_options.ON_CONTROLLER}
        own = {name: value for name, value in self._task.args.items() if name in spec}
        checked = ArgumentSpecValidator(spec).validate(own)
        options: Answer = checked.validated_parameters
        if checked.error_messages:
            raise Refused(f"{checked.error_messages[0]}.")
        if own.get("until") is not None and options["condition"] is not None:
            raise Refused("Both until and condition are given; give one of them.")
        given = [name for name in _wait_options.ON_CONTROLLER if options[name] is not None]
        if given and self._task.async_val:
            raise Refused(
                f"With async there is nobody to see to {' and '.join(given)}; leave it out, or leave async out."
            )
        wrong = _wait_options.complaint(options)
        if wrong:
            raise Refused(f"The options make no sense: {wrong}.")
        keyword = "until" if self._task.until else "retries" if self._task.retries else None
        if keyword:
            self._warnings.append(
                f"The task keyword {keyword} repeats the whole wait; leave it out, wait_for_task waits by itself."
            )
        return options

    def _wait(self, options: Answer) -> Answer:
        if self._task.async_val:
            detached: Answer = self._execute_module(
                task_vars=self._vars, wrap_async=not self._connection.has_native_async
            )
            return detached
        check_mode = bool(self._task.check_mode)
        self._conditions = _as_list(options["condition"])
        self._rounds = Rounds(
            options,
            check_mode=check_mode,
            conditional=bool(self._conditions),
            clock=time.monotonic,
            wall=time.time,
        )
        self._state_file = StateFile(options["state_file"]) if options["state_file"] and not check_mode else None
        self._quiet = bool(self._task.no_log) or not options["heartbeat"] or os.environ.get("CLOUDWAIT_PROGRESS") == "0"
        self._pause = {"first": options["sleep"], "factor": options["backoff"], "cap": options["max_sleep"]}
        if self._state_file is None:
            return self._play()
        saved = self._state_file.open()
        finished = False
        try:
            if saved is not None:
                self._resume(saved)
            result = self._play()
            finished = not result.get("unreachable") and not self._rounds.losses
        finally:
            self._state_file.close(remove=finished)
        return result

    def _resume(self, saved: Answer) -> None:
        path = t.cast(StateFile, self._state_file).path
        answer = self._run_module({"_round": {"plan_only": True}})
        try:
            same = self._rounds.resume(saved, answer["plan"], about=answer["about"])
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise StateError.damaged(path) from None
        if not same:
            raise Refused(
                f"The state file {path} is of a wait on other cloud tasks; "
                "name another, or remove it if that wait is given up."
            )
        self._judge(self._rounds.seen())
        self._tell(f"goes on where an earlier run stopped, {max(0.0, self._rounds.left()):.0f} s left")

    # --- rounds ---

    def _play(self) -> Answer:
        rounds = self._rounds
        try:
            while not rounds.has_verdict():
                if rounds.begun and not self._longest_round():
                    rounds.stop(_verdict.TIMED_OUT, OUT_OF_TIME)
                    break
                unreachable = self._play_round()
                if unreachable is not None:
                    return unreachable
                if rounds.once():
                    break
        except BaseException as error:
            if type(error).__name__ != "TaskTimeoutError":  # its home differs between the releases of ansible-core
                raise
            if not rounds.begun:
                said = f"The first looks were not over when {OUT_OF_TIME}; raise it above request_timeout."
                raise Refused(said, {"outcome": _verdict.TIMED_OUT}) from None
            rounds.stop(_verdict.TIMED_OUT, OUT_OF_TIME)
        if not self._task.check_mode and not rounds.has_verdict():
            rounds.stop(_verdict.TIMED_OUT)
        result = rounds.result()
        self._tell(result["msg"])
        return result

    def _play_round(self) -> Answer | None:
        """One round; an answer only when the host could not even be reached for the first one."""
        rounds = self._rounds
        cpu = time.process_time()
        try:
            answer = self._run_module(rounds.next_round(self._longest_round()))
        except AnsibleError as error:
            if rounds.begun:
                self._lose(f"the host could not be used: {error}")
                return None
            if not isinstance(error, AnsibleConnectionFailure):
                raise Refused(str(error)) from error
            return {"unreachable": True, "changed": False, "msg": str(error)}
        if "report" not in answer:
            self._lose(_said(answer))
            return None
        changed = rounds.take(answer, cost=time.process_time() - cpu + answer["cost"])
        self._warnings += answer["notes"]
        self._judge({*changed, *rounds.undecided()})
        self._print(*rounds.lines(self._host(), changed))
        self._save()
        return None

    def _save(self) -> None:
        """After a round; a disk that is full must not cost the wait."""
        if self._state_file is None or self._rounds.has_verdict():
            return
        try:
            self._state_file.write(self._rounds.dump())
        except StateError as error:
            warning = f"{error} The wait goes on; after a kill it would begin from what was saved last."
            if warning not in self._warnings:
                self._warnings.append(warning)

    def _run_module(self, changes: Answer) -> Answer:
        """A run of the module with the user's arguments and some of ours.

        :raises Refused: when the module refuses them, or has crashed the same way twice.
        """
        args = {name: value for name, value in self._task.args.items() if name not in _wait_options.ON_CONTROLLER}
        args = {name: value for name, value in {**args, **changes}.items() if value is not None}
        answer: Answer = self._execute_module(module_args=args, task_vars=self._vars)
        if not answer.get("failed"):
            return answer
        if "error" in answer or not self._rounds.begun or self._rounds.losses:
            told: Answer = {"error": answer["error"]} if "error" in answer else {}
            said = _said(answer)
            self._rounds.stop(_verdict.ERROR, said)
            so_far: Answer = self._rounds.result() if self._rounds.begun else {}
            raise Refused(said, {**so_far, **told, "outcome": _verdict.ERROR})
        return answer

    def _longest_round(self) -> float:
        """A round must be back before the Ansible task's own timeout ends this process."""
        if not self._task.timeout:
            return FOREVER
        return max(0.0, float(self._task.timeout) - (time.monotonic() - self._began) - TASK_TIMEOUT_MARGIN)

    def _lose(self, said: str) -> None:
        """A round that did not come back: count it, mend the connection, wait a little."""
        rounds = self._rounds
        rounds.lost(said)
        self._tell(f"a round was lost, {rounds.losses} in a row: {said}")
        try:
            self._connection.reset()
        except (AnsibleError, AttributeError) as error:
            display.vvv(f"cloudwait: the connection could not be reset: {error}")
        if not rounds.has_verdict():
            time.sleep(max(0.0, min(backoff(rounds.losses - 1, **self._pause), rounds.left())))

    # --- conditions ---

    def _judge(self, numbers: t.Iterable[int]) -> None:
        if not self._conditions:
            return
        for number in numbers:
            record = self._rounds.book.entries[number].record
            problem = None
            try:
                verdict: bool | None = all(self._is_true(condition, record) for condition in self._conditions)
            except AnsibleError as error:
                verdict = None
                problem = f"the condition {' and '.join(map(str, self._conditions))} cannot be evaluated: {error}"
            self._rounds.decide(number, verdict, problem)

    def _is_true(self, condition: t.Any, record: Answer) -> bool:
        variables = {**self._vars, "task": wrap_var(record)}
        if hasattr(self._templar, "evaluate_conditional"):
            return bool(self._templar.copy_with_new_env(available_variables=variables).evaluate_conditional(condition))
        from ansible.playbook.conditional import Conditional  # noqa: PLC0415 # before ansible-core 2.19 only

        conditional = Conditional(loader=self._loader)
        conditional.when = [condition]
        try:
            return bool(conditional.evaluate_conditional(self._templar.copy_with_new_env(), variables))
        except AnsibleError:
            raise
        except Exception as error:  # what an expression raises comes as it is there
            raise AnsibleError(str(error)) from error

    # --- lines ---

    def _tell(self, text: str) -> None:
        self._print(_progress.line(self._host(), text))

    def _host(self) -> str:
        return str(self._vars.get("inventory_hostname", "localhost"))

    def _print(self, *lines: str) -> None:
        for line in lines if not self._quiet else ():
            display.display(line)


def _said(answer: Answer) -> str:
    """What a module that failed said; of a crash, which says nothing by itself, the last words."""
    msg = str(answer.get("msg") or "")
    if msg and not msg.startswith("MODULE FAILURE"):  # which is all that ansible-core says before 2.19
        return msg
    crash = answer.get("exception")
    event = getattr(crash, "event", None)  # from 2.19 on; before, it is a text
    lines = str(event.msg if event else crash or "").strip().splitlines()
    return lines[-1] if lines else "The module ended without an answer"


def _as_list(condition: t.Any) -> list[t.Any]:
    if condition is None:
        return []
    return list(condition) if isinstance(condition, (list, tuple)) else [condition]
