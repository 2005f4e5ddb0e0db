# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""The base class of action plugins for modules that must not be repeated blindly, such as starts.

A module that ends normally reports whether its start or abort may have been carried out. A module that crashes, is
killed, loses its connection or is ended by the ``timeout`` of the Ansible task cannot. Ansible alone would then report
a failure with ``changed: false``, so the action plugin reports instead what may have happened.
"""

from __future__ import annotations

import contextlib
import re
import signal
import time
import typing as t

from ansible.errors import AnsibleAction, AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.cloudwait.conversion.plugins.module_utils import _uncertain
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError, one_line
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._orphan import end_orphan
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._retries import (
    pause_before_retry,
    retries_taken_from,
)
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import (
    Overdue,
    is_task_timeout,
    time_limit,
)

display = Display()

Answer = dict[str, t.Any]

CLEANUP_SECONDS = 10
"""Time limit, in seconds, for removing temporary files on a host that may no longer be reachable."""

LAST_WORDS = 200
"""Largest number of characters that a message quotes of the last line of an error."""

NOT_BEGUN = re.compile(
    r"ssh: connect to host|Could not resolve hostname|Host key verification failed|Host Key checking is enabled"
    r"|Permission denied \(|Too many authentication failures|kex_exchange_identification|during banner exchange"
    r"|Unable to execute ssh|find the executable"
    r"|(?:[Ii]ncorrect|[Mm]issing|[Ii]nvalid)\S* .*password|privilege escalation|become (?:success|password|prompt)"
)
"""Messages of connection and become plugins which prove that a command was not run."""

UNREADABLE = "module_stdout"
"""Member of a result with which Ansible returns the output of a module that is not a valid answer."""

NO_INTERPRETER = (126, 127)
"""Return codes of a shell that cannot run or find an interpreter."""


class StartAction(NormalAction):  # type: ignore[misc] # ansible-core comes without types
    """Runs the module like Ansible's own action, and reports what a lost module may have done."""

    tried: t.ClassVar[str]
    """What the module does, as the beginning of the sentence in an error."""

    _command_sent = False
    _preparing = False
    _answer: Answer | None = None
    _lost = False

    def uncertain(self) -> str:
        """Returns what to do when it is uncertain whether the call was carried out, as the end of a sentence."""
        raise NotImplementedError

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> Answer:
        """Run the module, and return its result, or a failure that tells what may have happened.

        :raises AnsibleError: like Ansible's own action, when it is certain that the module did not run.
        """
        end_orphan()
        self._command_sent, self._answer, self._lost, self._used_interpreter = False, None, False, None
        try:
            result: Answer = super().run(tmp, task_vars)
        except Exception as error:
            if self._answer is None and (not self._may_have_run() or _not_begun(error)):
                raise
            return self._ended_early(f"the connection to the host was lost while the module ran: {_words(error)}")
        except BaseException as error:
            if not is_task_timeout(error):
                raise
            if self._answer is None and not self._may_have_run():
                raise
            period = self._task.timeout
            said = f"the timeout of the Ansible task ({period} s) came while the module ran"
            return self._ended_early(said, timedout={"period": period})
        return self._judged(result)

    def cleanup(self, force: bool = False) -> None:
        """Remove temporary files on the host; called by Ansible after ``run``. Errors must not replace the result."""
        try:
            with time_limit(CLEANUP_SECONDS) if self._lost else contextlib.nullcontext():
                super().cleanup(force)
        except (AnsibleError, Overdue) as error:
            display.vvv(f"cloudwait: temporary files were left on the host: {error}")

    # --- results when the module was lost ---

    def _may_have_run(self) -> bool:
        return self._command_sent and not self._task.check_mode

    def _ended_early(self, said: str, **more: t.Any) -> Answer:
        """Returns the result of a module that was ended early: its own if it is known, else what may have happened.

        :param said: why it was ended.
        :param more: further members of the result.
        """
        self._lost = True
        return self._failure(said, more) if self._answer is None else self._judged(self._answer)

    def _judged(self, result: Answer) -> Answer:
        """Returns the result unchanged; a failure with what may have happened, if the module crashed or was killed."""
        said = _crash(result, become=self._become_name()) if self._may_have_run() else None
        return result if said is None else self._failure(said, result)

    def _failure(self, said: str, result: Answer) -> Answer:
        has_ledger = bool(self._task.args.get("ledger"))
        advice = _uncertain.LEDGER if has_ledger else self.uncertain()
        error = CloudError("interrupted", said, advice=advice, retryable=has_ledger)
        told = {**result, "failed": True, "changed": True, "msg": error.sentence(self.tried), "error": error.as_dict()}
        traceback = _traceback(told.pop("exception", None))
        return {**told, "exception": traceback} if traceback else told

    def _become_name(self) -> str | None:
        become = getattr(self._connection, "become", None)
        return str(become.name) if become else None

    # --- steps of Ansible that are observed ---

    def _execute_module(self, *args: t.Any, **options: t.Any) -> Answer:
        self._answer = super()._execute_module(*args, **options)
        return self._answer

    def _fixup_perms2(self, *args: t.Any, **options: t.Any) -> t.Any:
        """Note that the last step before the module is running. Its own commands on the host are not the module."""
        self._preparing = True
        try:
            return super()._fixup_perms2(*args, **options)
        finally:
            self._preparing = False

    def _low_level_execute_command(self, *args: t.Any, **options: t.Any) -> t.Any:
        """Run a command on the host. The first one after all preparations runs the module."""
        begins = self._used_interpreter is not None and not self._preparing and not self._command_sent
        if not begins:
            return super()._low_level_execute_command(*args, **options)
        self._command_sent = True
        run_command = super()._low_level_execute_command
        with retries_taken_from(self._connection) as retries:
            for attempt in range(retries):
                try:
                    return run_command(*args, **options)
                except AnsibleConnectionFailure as error:
                    if isinstance(error, AnsibleAuthenticationFailure) or not _not_begun(error):
                        raise
                    time.sleep(pause_before_retry(attempt))
            return run_command(*args, **options)


def _not_begun(error: Exception) -> bool:
    """Returns whether an error of the connection proves that the module did not run."""
    if isinstance(error, (AnsibleAction, AnsibleAuthenticationFailure)):
        return True
    return isinstance(error, AnsibleError) and any(map(NOT_BEGUN.search, _said(error)))


def _words(error: Exception) -> str:
    """Returns the last line of an error, for a message."""
    prefix = "" if isinstance(error, AnsibleConnectionFailure) else f"{type(error).__name__}: "
    lines = _said(error)
    return prefix + (one_line(lines[-1], LAST_WORDS) if lines else "it said nothing")


def _said(error: Exception) -> list[str]:
    """Returns the lines of an error, without the text that Ansible puts before every error of ssh."""
    return _lines(re.sub(r"^Failed to connect to the host via \w+: *", "", str(error)))


def _lines(text: str) -> list[str]:
    """Returns the lines of a text that are not empty and not from the log that ssh writes with ``-vvv``."""
    return [line for line in text.splitlines() if line.strip() and not re.match(r"debug\d: ", line)]


def _crash(answer: Answer, *, become: str | None) -> str | None:
    """Returns how a module without a valid answer ended, as the middle of a sentence.

    :param become: name of the become plugin, such as ``sudo``; null without one.
    :returns: null for a valid answer, and when it is certain that the module did not run.
    """
    if UNREADABLE not in answer:
        return f"the module crashed: {_last_line(answer)}" if _is_crash(answer) else None
    code = answer.get("rc")
    output = f"{answer.get('module_stderr') or ''}\n{answer.get('module_stdout') or ''}"
    if code in NO_INTERPRETER or _refused_by(become, code, output):
        return None
    number = -code if isinstance(code, int) and code < 0 else code - 128 if isinstance(code, int) and code > 128 else 0
    if number in set(signal.Signals):
        name = signal.Signals(number).name
        hint = ", as when memory runs out" if name == "SIGKILL" else ""
        return f"the module was killed by {name}{hint}"
    return f"the module ended without an answer (return code {code}): {_last_line(answer)}"


def _refused_by(become: str | None, code: t.Any, output: str) -> bool:
    """Returns whether a command such as ``sudo`` has refused: it returns 1, and all output is its own.

    :param become: name of the become plugin, which is the name of its command.
    """
    lines = _lines(output)
    return bool(become and code == 1 and lines and all(line.startswith(f"{become}: ") for line in lines))


def _is_crash(answer: Answer) -> bool:
    """Returns whether Ansible's wrapper around the module reported a crash, as in ansible-core 2.19 and newer.

    Its report has an exception but, unlike answers of the module, no message.
    """
    return bool(answer.get("exception")) and answer.get("msg") is None


def _last_line(answer: Answer) -> str:
    """Returns the last line of a crash, for a message."""
    event = getattr(answer.get("exception"), "event", None)
    text = (
        event.msg if event and UNREADABLE not in answer else answer.get("module_stderr") or answer.get("module_stdout")
    )
    lines = _lines(str(text or ""))
    return one_line(lines[-1], LAST_WORDS) if lines else "it said nothing"


def _traceback(exception: t.Any) -> str | None:
    """Returns the traceback of a crash as text, which it already is before ansible-core 2.19; null if there is none."""
    event = getattr(exception, "event", None)
    text = event.formatted_traceback if event else exception
    return text if isinstance(text, str) else None


__all__ = ["StartAction"]
