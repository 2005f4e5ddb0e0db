# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection; the documentation is that of the module of the same name.
"""The controller's side of ``wait_for_task``: rounds of its module, progress lines, conditions, the state file.

It knows no vendor and no secret: what it does not understand of the options goes to the module untouched.
"""

from __future__ import annotations

import os
import re
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.cloudwait.conversion.plugins.module_utils import _verdict, _wait_options
from ansible_collections.cloudwait.conversion.plugins.module_utils._book import refusal
from ansible_collections.cloudwait.conversion.plugins.module_utils._duration import seconds_of
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError, one_line, shown
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER, backoff
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _conditions, _output, _progress
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._orphan import ending_with_parent
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._state_file import StateError, StateFile
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import Overdue, end_children, time_limit

display = Display()

_progress.show_lines_at_once()  # Ansible loads this file in its main process, too, which is the one that prints

Answer = dict[str, t.Any]

TASK_TIMEOUT_MARGIN = 1.5
"""Seconds before the Ansible task's own timeout at which a round should be back."""

TIDY_UP = 5.0
"""Seconds that tidying up on the host may take."""

USUAL_REQUEST_TIMEOUT = 10.0

LONGEST_SENTENCE = 2000

REFUSALS = (
    "Unsupported parameters",
    "argument '",
    "missing ",
    "value of ",
    "Elements value ",
    "parameters are ",
    "one of the following",
)
"""How the sentences begin with which Ansible refuses the options of a module."""

TYPES = {"int": "whole number", "float": "number", "bool": "boolean (true or false)", "dict": "dict", "list": "list"}

TRIED = "Waiting for cloud tasks"
OUT_OF_TIME = CloudError("timeout", "the timeout of the Ansible task came")


class Refused(Exception):
    """What ends the wait before or between rounds.

    :param error: why.
    :param msg: the sentence that the module said of it, where it did.
    :param result: what is known all the same.
    """

    def __init__(self, error: CloudError, msg: str | None = None, result: Answer | None = None) -> None:
        self.msg = f"{one_line(msg or error.sentence(TRIED), LONGEST_SENTENCE)}."
        super().__init__(self.msg)
        self.error = error
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
        self._host_is_gone = False
        try:
            with ending_with_parent():
                self._result.update(self._wait(self._options()))
        except Refused as error:
            self._result.update({**refusal(error.error, error.msg), **error.result})
        except StateError as error:
            self._result.update(refusal(CloudError("config", str(error).rstrip(".")), str(error)))
        if self._warnings:
            self._result["warnings"] = [*self._result.get("warnings", []), *self._warnings]
        return dict(self._result)

    def cleanup(self, force: bool = False) -> None:
        """Ansible calls it after ``run``; a host that is gone cannot be tidied, which must not cost the result."""
        if self._host_is_gone:
            return
        try:
            with time_limit(TIDY_UP):
                super().cleanup(force)
        except (AnsibleError, Overdue) as error:
            display.vvv(f"cloudwait: temporary files were left on the host: {error}")

    def _options(self) -> Answer:
        """Those that this side understands; the module checks all of them."""
        self._task.args = _arguments(self._task.args)
        spec = {**_wait_options.POLICY, **_wait_options.ON_CONTROLLER}
        own = {name: value for name, value in self._task.args.items() if name in spec}
        checked = ArgumentSpecValidator(spec).validate(own)
        if checked.error_messages:
            said = _plain_refusal(checked.error_messages[0], own).partition("; ")[0]
            raise Refused(CloudError("config", said.rstrip("."), advice="correct the option"))
        try:
            options = _wait_options.check_policy(checked.validated_parameters)
        except CloudError as error:
            raise Refused(error) from None
        if own.get("until") is not None and options["condition"] is not None:
            raise Refused(CloudError("config", "both until and condition are given", advice="give one of them"))
        given = [name for name in _wait_options.ON_CONTROLLER if options[name] is not None]
        if given and self._task.async_val:
            said = f"{' and '.join(given)} cannot be used with async, where nobody on the controller sees to it"
            raise Refused(CloudError("config", said, advice="leave it out, or leave async out"))
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
        self._conditions = _conditions.Conditions(options["condition"], self._templar, self._loader, self._vars)
        problem = self._conditions.mistake()
        if problem:
            raise Refused(CloudError("config", problem, advice="correct condition"))
        self._rounds = Rounds(
            options,
            check_mode=check_mode,
            conditional=self._conditions.given,
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
            said = f"the state file {path} is of a wait on other cloud tasks"
            raise Refused(CloudError("config", said, advice="name another, or remove it if that wait is given up"))
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
                if rounds.is_too_late():
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
                said = "the first polls were not over when the timeout of the Ansible task came"
                late = CloudError("timeout", said, advice="raise it above request_timeout")
                raise Refused(late, result={"outcome": _verdict.TIMED_OUT}) from None
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
        limit = rounds.round_limit(self._count(), self._request_timeout())
        try:
            with time_limit(limit):
                answer = self._run_module(rounds.next_round(self._longest_round()))
        except Overdue:
            self._lose_silent_host(limit)
            return None
        except AnsibleError as error:
            if rounds.begun:
                self._lose(f"the host could not be used: {error}")
                return None
            if not isinstance(error, AnsibleConnectionFailure):
                raise Refused(CloudError("config", str(error)), str(error)) from error
            return {"unreachable": True, "changed": False, "msg": str(error)}
        if "report" not in answer:
            self._lose(_said(answer))
            return None
        news = rounds.take(answer, cost=time.process_time() - cpu + answer["cost"])
        self._warnings += answer["notes"]
        self._judge({*news.changed, *rounds.undecided()})
        self._print(*rounds.lines(self._host(), news))
        self._save()
        return None

    def _count(self) -> int:
        """How many cloud tasks the wait is about, before the module has told."""
        tasks = self._task.args.get("tasks")
        return len(tasks) if isinstance(tasks, list) else 1

    def _request_timeout(self) -> float:
        seconds = seconds_of(self._task.args.get("request_timeout"))
        return USUAL_REQUEST_TIMEOUT if seconds is None else seconds

    def _lose_silent_host(self, seconds: float) -> None:
        """After a round that did not come back: the processes that wait for the host are ended."""
        end_children()
        said = f"the host gave no sign of life for {seconds:.0f} s"
        if self._rounds.left() > 0:
            self._lose(said)
            return
        self._host_is_gone = True
        silent = CloudError("network", said, advice="check the host and the connection to it")
        if not self._rounds.begun:
            elapsed = round(self._rounds.elapsed(), 3)
            raise Refused(silent, result={"outcome": _verdict.TIMED_OUT, "elapsed": elapsed})
        self._rounds.stop(_verdict.TIMED_OUT, silent)

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
            said = _plain_refusal(_said(answer), self._task.args)
            error = _error_of(answer, said)
            self._rounds.stop(_verdict.ERROR, error)
            so_far: Answer = self._rounds.result() if self._rounds.begun else {}
            raise Refused(error, said, {**so_far, "error": error.as_dict(), "outcome": _verdict.ERROR})
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
            with time_limit(TIDY_UP):
                self._connection.reset()
        except (AnsibleError, AttributeError, Overdue) as error:
            display.vvv(f"cloudwait: the connection could not be reset: {error}")
        if not rounds.has_verdict():
            time.sleep(max(0.0, min(backoff(rounds.losses - 1, **self._pause), rounds.left())))

    def _judge(self, numbers: t.Iterable[int]) -> None:
        for number in numbers if self._conditions.given else ():
            verdict, problem = self._conditions.judge(self._rounds.book.entries[number].record)
            self._rounds.decide(number, verdict, problem)

    # --- lines ---

    def _tell(self, text: str) -> None:
        self._print(_progress.line(self._host(), text))

    def _host(self) -> str:
        return str(self._vars.get("inventory_hostname", "localhost"))

    def _print(self, *lines: str) -> None:
        for line in lines if not self._quiet else ():
            display.display(line, stderr=_output.is_for_programs())


def _arguments(args: t.Mapping[str, t.Any]) -> Answer:
    """The options of the Ansible task in the form in which the module gets them.

    Values that were encrypted by themselves come as objects of their own before ansible-core 2.19. One result that holds
    cloud tasks is a list of one.
    """
    plain: Answer = {name: _plain(value) for name, value in args.items() if name != "_round"}
    if isinstance(plain.get("tasks"), dict):
        plain["tasks"] = [plain["tasks"]]
    return plain


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _plain_refusal(msg: str, given: t.Mapping[str, t.Any]) -> str:
    """Ansible's sentence about an option of the wrong type, without the names of Python's classes."""
    match = re.match(r"argument '(\w+)' is of type .*unable to convert to (\w+)", msg)
    if match is None or match[1] not in given:
        return msg
    name, kind = match.groups()
    return f"{name} is {shown(given[name])}, which is not a {TYPES.get(kind, kind)}; correct {name}."


def _said(answer: Answer) -> str:
    """What a module that failed said; of a crash, which says nothing by itself, the last words."""
    msg = str(answer.get("msg") or "")
    if msg and not msg.startswith("MODULE FAILURE"):  # which is all that ansible-core says before 2.19
        return msg
    crash = answer.get("exception")
    event = getattr(crash, "event", None)  # from 2.19 on; before, it is a text
    lines = str(event.msg if event else crash or "").strip().splitlines()
    return lines[-1] if lines else "The module ended without an answer"


def _error_of(answer: Answer, said: str) -> CloudError:
    """The error of a module that failed: its own, else that of a crash."""
    told = answer.get("error")
    if not isinstance(told, dict):
        return CloudError("config" if _said(answer).startswith(REFUSALS) else "internal", said.rstrip("."))
    error = CloudError(told["kind"], str(told["message"] or said).rstrip("."))
    vars(error).update({name: told[name] for name in ("code", "message", "http_status", "request_id", "retryable")})
    return error
