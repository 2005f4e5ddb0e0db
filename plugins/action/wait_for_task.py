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

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.options import ABORT
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.result import PROBLEMS, refusal
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _arguments, _stdout_callback
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._arguments import Refused
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._conditions import Conditions
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._progress import Lines, show_lines_at_once
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._round_runner import TIDY_UP, RoundRunner
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._saved_wait import SavedWait
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._state_file import StateError, StateFile
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import Overdue, time_limit
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._timing import Timing
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._updates import Updates

display = Display()

show_lines_at_once()  # Ansible also loads this file in its main process, which is the one that prints

Answer = dict[str, t.Any]


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core comes without types
    """Runs rounds until the wait ends. Returns failures, too, and raises only for programming errors."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True
    _runner: RoundRunner | None = None

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> Answer:
        """Run the action. Returns the result of the wait."""
        result: Answer = super().run(tmp, task_vars)
        self._vars, self._began = task_vars or {}, time.monotonic()
        self._warnings: list[str] = []
        try:
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
        if self._runner is not None and self._runner.host_is_gone:
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
            return self._detach(options)
        conditions = Conditions(options["condition"], self._templar, self._loader, self._vars)
        problem = conditions.mistake()
        if problem:
            raise Refused(CloudError("config", problem, advice="correct condition"))
        self._runner = runner = self._make_runner(options, conditions)
        if options["state_file"] and not self._task.check_mode:
            return self._wait_with_state_file(runner, conditions, StateFile(options["state_file"]))
        return runner.run()

    def _detach(self, options: Answer) -> Answer:
        """Start the module in the background, and return what Ansible needs to find it there."""
        period, timeout, changes = self._task.async_val, options["timeout"], {}
        longest = _arguments.longest_in_background(period, aborts=options["on_timeout"] == ABORT)
        if longest < timeout:
            said = f"timeout is {timeout:g} s and async is {period} s, so the wait ends after {longest:.0f} s"
            # not in the result: with poll above 0, Ansible shows that of async_status in its place
            display.warning(f"{said}, before Ansible kills it and its result is lost; give a longer async.")
            changes = {"timeout": longest}
        args = _arguments.module_arguments(self._task.args, changes)
        wrap_async = not self._connection.has_native_async
        detached: Answer = self._execute_module(module_args=args, task_vars=self._vars, wrap_async=wrap_async)
        return detached

    def _make_runner(self, options: Answer, conditions: Conditions) -> RoundRunner:
        """Returns what runs the wait, made of its checked options."""
        timing = Timing(options["timeout"], clock=time.monotonic, wall=time.time)
        rounds = Rounds(options, timing, check_mode=bool(self._task.check_mode), conditional=conditions.given)
        lines = Lines(
            str(self._vars.get("inventory_hostname", "localhost")),
            options,
            timing,
            quiet=bool(self._task.no_log) or not options["heartbeat"] or os.environ.get("CLOUDWAIT_PROGRESS") == "0",
            show=lambda line: display.display(line, stderr=_stdout_callback.is_for_programs()),
        )

        def execute(args: Answer) -> Answer:
            return t.cast(Answer, self._execute_module(module_args=args, task_vars=self._vars))

        only_problems = options["return_records"] == PROBLEMS
        updates = Updates(rounds, conditions, lines, self._warnings, only_problems=only_problems)
        return RoundRunner(
            execute,
            self._connection,
            self._task,
            rounds,
            updates,
            lines,
            options,
            began=self._began,
        )

    def _wait_with_state_file(self, runner: RoundRunner, conditions: Conditions, state_file: StateFile) -> Answer:
        """Wait, and return the result. Continues the wait of an earlier run if the state file has one."""
        rounds = runner.rounds
        saved = state_file.open()
        finished = False
        try:
            runner.updates.saved_wait = saved_wait = SavedWait(state_file, rounds)
            if saved is not None:
                known = saved_wait.resume(saved, runner.ask_plan())
                conditions.decide(rounds.book, known, rounds.timing.elapsed())
                runner.tell(f"goes on where an earlier run stopped, {max(0.0, rounds.timing.left()):.0f} s left")
            result = runner.run()
            finished = not (result.get("unreachable") or rounds.losses or runner.host_is_gone)
        finally:
            if not finished:
                runner.updates.save_last()
            state_file.close(remove=finished)
        return result
