# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection; the documentation is that of the module of the same name.
"""Action plugin of ``wait_for_task``: runs rounds, and meanwhile prints lines, evaluates conditions and saves the state.

It knows nothing of vendors and credentials: it passes their options on to the module unchanged.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER, backoff
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.result import refusal
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _arguments, _stdout_callback
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._answers import error_of, sentence_of
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._arguments import Refused
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._conditions import Conditions
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._live import Live
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._orphan import end_children, ending_with_parent
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._progress import Lines, show_lines_at_once
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._saved_wait import SavedWait
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._state_file import StateError, StateFile
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import Overdue, time_limit
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._timing import Timing
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._updates import Updates

display = Display()

show_lines_at_once()  # Ansible also loads this file in its main process, which is the one that prints

Answer = dict[str, t.Any]

TASK_TIMEOUT_MARGIN = 1.5
"""Seconds before the ``timeout`` of the Ansible task at which a round should have returned."""

TIDY_UP = 5.0
"""Time limit, in seconds, for removing temporary files on the host and for resetting the connection."""

PLAN_LIMIT = 120.0
"""Seconds after which a module that only reads the items is abandoned."""

OUT_OF_TIME = CloudError("timeout", "the timeout of the Ansible task came")
TOO_EARLY = CloudError(
    "timeout",
    "the first polls were not over when the timeout of the Ansible task came",
    advice="raise it above request_timeout",
)


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core comes without types
    """Runs rounds until the wait ends. Returns failures, too, and raises only for programming errors."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> Answer:
        """Run the action. Returns the result of the wait."""
        result: Answer = super().run(tmp, task_vars)
        self._vars, self._began, self._host_is_gone = task_vars or {}, time.monotonic(), False
        self._warnings: list[str] = []
        try:
            with ending_with_parent():
                result.update(self._wait())
        except Refused as error:
            result.update({**refusal(error.error, error.msg), **error.result})
        except StateError as error:
            result.update(refusal(CloudError("config", str(error).rstrip(".")), str(error)))
        if self._warnings:
            result["warnings"] = [*result.get("warnings", []), *self._warnings]
        return result

    def cleanup(self, force: bool = False) -> None:
        """Remove temporary files on the host; called by Ansible after ``run``. Errors must not replace the result."""
        if self._host_is_gone:
            return
        try:
            with time_limit(TIDY_UP):
                super().cleanup(force)
        except (AnsibleError, Overdue) as error:
            display.vvv(f"cloudwait: temporary files were left on the host: {error}")

    def _wait(self) -> Answer:
        """Check the arguments, wait, and return the result. Raises ``Refused`` and ``StateError``."""
        self._task.args = _arguments.read_arguments(self._task.args)
        options = _arguments.check_arguments(self._task.args, is_async=bool(self._task.async_val))
        self._warnings += _arguments.keyword_warnings(self._task)
        if self._task.async_val:
            wrap_async = not self._connection.has_native_async
            detached: Answer = self._execute_module(task_vars=self._vars, wrap_async=wrap_async)
            return detached
        self._conditions = Conditions(options["condition"], self._templar, self._loader, self._vars)
        problem = self._conditions.mistake()
        if problem:
            raise Refused(CloudError("config", problem, advice="correct condition"))
        self._open(options)
        if options["state_file"] and not self._task.check_mode:
            return self._play_with_state_file(StateFile(options["state_file"]))
        return self._play()

    def _open(self, options: Answer) -> None:
        """Make the objects that the wait needs, from its checked options."""
        timing = Timing(options["timeout"], clock=time.monotonic, wall=time.time)
        check_mode = bool(self._task.check_mode)
        self._rounds = Rounds(options, timing, check_mode=check_mode, conditional=self._conditions.given)
        self._pause = {"first": options["sleep"], "factor": options["backoff"], "cap": options["max_sleep"]}
        self._lines = Lines(
            str(self._vars.get("inventory_hostname", "localhost")),
            options,
            timing,
            quiet=bool(self._task.no_log) or not options["heartbeat"] or os.environ.get("CLOUDWAIT_PROGRESS") == "0",
            show=lambda line: display.display(line, stderr=_stdout_callback.is_for_programs()),
        )
        self._updates = Updates(self._rounds, self._conditions, self._lines, self._warnings)

    def _play_with_state_file(self, state_file: StateFile) -> Answer:
        """Wait, and return the result. Continues the wait of an earlier run if the state file has one."""
        rounds = self._rounds
        saved = state_file.open()
        finished = False
        try:
            self._updates.saved_wait = saved_wait = SavedWait(state_file, rounds)
            if saved is not None:
                known = saved_wait.resume(saved, self._ask_plan())
                self._conditions.decide(rounds.book, known, rounds.timing.elapsed())
                left = max(0.0, rounds.timing.left())
                self._lines.tell(f"goes on where an earlier run stopped, {left:.0f} s left")
            result = self._play()
            finished = not result.get("unreachable") and not rounds.losses
        finally:
            if not finished:
                self._updates.save_last()
            state_file.close(remove=finished)
        return result

    def _ask_plan(self) -> Answer:
        """Return what the wait is about, as the module understands it, without polling."""
        try:
            with time_limit(PLAN_LIMIT):
                return self._run_module({"_round": {"plan_only": True}})
        except Overdue:
            end_children()
            raise Refused(_no_host(f"the host gave no sign of life for {PLAN_LIMIT:.0f} s")) from None

    # --- rounds ---

    def _play(self) -> Answer:
        """Run rounds until the wait ends, and return its result."""
        rounds = self._rounds
        try:
            unreachable = self._play_rounds()
        except BaseException as error:
            if type(error).__name__ != "TaskTimeoutError":  # its module differs between releases of ansible-core
                raise
            if not rounds.begun:
                raise Refused(TOO_EARLY, result={"outcome": verdict.TIMED_OUT}) from None
            rounds.stop(verdict.TIMED_OUT, OUT_OF_TIME)
            unreachable = None
        if unreachable is not None:
            return unreachable
        if not rounds.begun:
            raise Refused(_no_host(rounds.last_loss))
        if not self._task.check_mode and not rounds.has_verdict():
            rounds.stop(verdict.TIMED_OUT)
        result = rounds.result()
        self._lines.tell(result["msg"])
        return result

    def _play_rounds(self) -> Answer | None:
        """Run rounds. Returns null, or the result ``unreachable`` if the first round cannot reach the host."""
        rounds = self._rounds
        while not rounds.has_verdict() and not rounds.is_too_late():
            if rounds.begun and not _longest_round(self._task.timeout, self._began):
                rounds.stop(verdict.TIMED_OUT, OUT_OF_TIME)
                break
            unreachable = self._play_round()
            if unreachable is not None or rounds.polls_once:
                return unreachable
        return None

    def _play_round(self) -> Answer | None:
        """Run one round. Returns null, or the result ``unreachable`` if the first round cannot reach the host."""
        rounds, args, updates = self._rounds, self._task.args, self._updates
        cpu = time.process_time()
        polls = _arguments.seconds_of_polls(args) if rounds.polls_once else 0.0
        limit = rounds.limit(polls, _arguments.request_timeout_of(args))
        try:
            with time_limit(limit), Live(updates, self._connection) as live:
                at_most = _longest_round(self._task.timeout, self._began)
                answer = self._run_module(rounds.next_arguments(at_most, live.reach))
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
            self._lose(sentence_of(answer))
            return None
        rounds.note_cost(time.process_time() - cpu + answer["cost"])
        updates.take(answer)
        return None

    def _run_module(self, changes: Answer) -> Answer:
        """Run the module, and return its answer. ``changes`` replaces arguments of the user.

        :raises Refused: when the module refuses the arguments, or fails in the first round or twice in a row.
        """
        args = _arguments.module_arguments(self._task.args, changes)
        answer: Answer = self._execute_module(module_args=args, task_vars=self._vars)
        if not answer.get("failed"):
            return answer
        if "error" in answer or not self._rounds.begun or self._rounds.losses:
            said = _arguments.plain_refusal(sentence_of(answer), self._task.args)
            error = error_of(answer, said)
            self._rounds.stop(verdict.ERROR, error)
            so_far: Answer = self._rounds.result() if self._rounds.begun else {}
            raise Refused(error, said, {**so_far, "error": error.as_dict(), "outcome": verdict.ERROR})
        return answer

    def _lose(self, said: str) -> None:
        """Handle a round without an answer: count it, give the reason, reset the connection, and pause."""
        rounds = self._rounds
        rounds.lose(said)
        self._lines.tell(f"a round was lost, {rounds.losses} in a row: {said}")
        _reset(self._connection)
        if not rounds.has_verdict():
            time.sleep(max(0.0, min(backoff(rounds.losses - 1, **self._pause), rounds.timing.left())))

    def _lose_silent_host(self, seconds: float) -> None:
        """Handle a round that exceeded its time limit (``seconds``): end the processes that wait for the host."""
        end_children()
        rounds = self._rounds
        said = f"the host gave no sign of life for {seconds:.0f} s"
        if rounds.timing.left() > 0:
            self._lose(said)
            return
        self._host_is_gone = True
        if not rounds.begun:
            elapsed = round(rounds.timing.elapsed(), 3)
            raise Refused(_no_host(said), result={"outcome": verdict.TIMED_OUT, "elapsed": elapsed})
        rounds.stop(verdict.TIMED_OUT, _no_host(said))


def _longest_round(timeout: int | None, began: float) -> float:
    """Returns the seconds after which a round must have ended, since the Ansible task's timeout ends this process.

    :param timeout: the keyword of the Ansible task, in seconds.
    :param began: when the action began.
    """
    return max(0.0, timeout - (time.monotonic() - began) - TASK_TIMEOUT_MARGIN) if timeout else FOREVER


def _reset(connection: t.Any) -> None:
    """Close the connection to the host, so that the next round opens it again."""
    try:
        with time_limit(TIDY_UP):
            connection.reset()
    except (AnsibleError, AttributeError, Overdue) as error:
        display.vvv(f"cloudwait: the connection could not be reset: {error}")


def _no_host(said: str) -> CloudError:
    return CloudError("network", said, advice="check the host and the connection to it")
