# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""The controller's side of modules that must not be repeated blindly: what it means when the module itself is lost.

A module that ends by itself says whether its start or abort may have happened. A module that is killed, crashes, loses
its connection or is ended by the timeout of the Ansible task cannot; Ansible would report a failure without a change.
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
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError, one_line
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import Overdue, time_limit

display = Display()

Answer = dict[str, t.Any]

CLEANUP_SECONDS = 10
"""How long removing temporary files may take on a host that may be gone."""

LONGEST_PAUSE = 30
"""The most seconds between two tries to connect, as in the ssh connection."""

LAST_WORDS = 200
"""The most characters of a crash's last line in a message."""

NOT_BEGUN = re.compile(
    r"ssh: connect to host|Could not resolve hostname|Host key verification failed|Host Key checking is enabled"
    r"|Permission denied \(|Too many authentication failures|kex_exchange_identification|during banner exchange"
    r"|Unable to execute ssh|find the executable"
    r"|(?:[Ii]ncorrect|[Mm]issing|[Ii]nvalid)\S* .*password|privilege escalation|become (?:success|password|prompt)"
)
"""What connection plugins say when they never ran the command that they were given."""

UNREADABLE = "module_stdout"
"""The member of a result by which Ansible hands over what a module printed when that is no answer."""

NO_INTERPRETER = (126, 127)
"""Return codes of a shell that cannot run an interpreter, or does not find it."""


class StartAction(NormalAction):  # type: ignore[misc] # ansible-core comes without types
    """Runs the module as Ansible itself would, and adds what a lost module may have done."""

    tried: t.ClassVar[str]
    """What the module does, as the beginning of a sentence."""

    _command_sent = False
    _preparing = False
    _answer: Answer | None = None
    _lost = False

    def uncertain(self) -> str:
        """What to do when it may have happened, as the end of a sentence."""
        raise NotImplementedError

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> Answer:
        """The action.

        :raises AnsibleError: as Ansible's own action, when the module surely did not run.
        """
        self._command_sent, self._answer, self._lost, self._used_interpreter = False, None, False, None
        try:
            result: Answer = super().run(tmp, task_vars)
        except Exception as error:
            if self._answer is None and (not self._may_have_run() or _not_begun(error)):
                raise
            return self._ended_early(f"the connection to the host was lost while the module ran: {_words(error)}")
        except BaseException as error:
            if type(error).__name__ != "TaskTimeoutError":  # its home differs between the releases of ansible-core
                raise
            if self._answer is None and not self._may_have_run():
                raise
            period = self._task.timeout
            said = f"the timeout of the Ansible task ({period} s) came while the module ran"
            return self._ended_early(said, timedout={"period": period})
        return self._judged(result)

    def cleanup(self, force: bool = False) -> None:
        """Ansible calls it after ``run``; a host that is gone cannot be tidied, which must not cost the result."""
        try:
            with time_limit(CLEANUP_SECONDS) if self._lost else contextlib.nullcontext():
                super().cleanup(force)
        except (AnsibleError, Overdue) as error:
            display.vvv(f"cloudwait: temporary files were left on the host: {error}")

    # --- what is known when it ends early ---

    def _may_have_run(self) -> bool:
        return self._command_sent and not self._task.check_mode

    def _ended_early(self, said: str, **more: t.Any) -> Answer:
        """The module's own answer, if it came before the end; else what may have happened."""
        self._lost = True
        return self._failure(said, more) if self._answer is None else self._judged(self._answer)

    def _judged(self, result: Answer) -> Answer:
        """The result as it is, unless it shows that the module crashed or was killed."""
        said = _crash(result, become=self._become_name()) if self._may_have_run() else None
        return result if said is None else self._failure(said, result)

    def _failure(self, said: str, result: Answer) -> Answer:
        error = CloudError("interrupted", said, advice=self.uncertain(), retryable=False)
        told = {**result, "failed": True, "changed": True, "msg": error.sentence(self.tried), "error": error.as_dict()}
        traceback = _traceback(told.pop("exception", None))
        return {**told, "exception": traceback} if traceback else told

    def _become_name(self) -> str | None:
        become = getattr(self._connection, "become", None)
        return str(become.name) if become else None

    # --- Ansible's own steps, watched ---

    def _execute_module(self, *args: t.Any, **options: t.Any) -> Answer:
        self._answer = super()._execute_module(*args, **options)
        return self._answer

    def _fixup_perms2(self, *args: t.Any, **options: t.Any) -> t.Any:
        """The last step before the module's command; what it runs on the host is no module."""
        self._preparing = True
        try:
            return super()._fixup_perms2(*args, **options)
        finally:
            self._preparing = False

    def _low_level_execute_command(self, *args: t.Any, **options: t.Any) -> t.Any:
        """All commands on the host pass here; the first one once all is prepared is the module's."""
        begins = self._used_interpreter is not None and not self._preparing and not self._command_sent
        if not begins:
            return super()._low_level_execute_command(*args, **options)
        self._command_sent = True
        run_command = super()._low_level_execute_command
        with _retries_taken_from(self._connection) as retries:
            for attempt in range(retries):
                try:
                    return run_command(*args, **options)
                except AnsibleConnectionFailure as error:
                    if isinstance(error, AnsibleAuthenticationFailure) or not _not_begun(error):
                        raise
                    time.sleep(min(2**attempt - 1, LONGEST_PAUSE))
            return run_command(*args, **options)


@contextlib.contextmanager
def _retries_taken_from(connection: t.Any) -> t.Iterator[int]:
    """How often to try again to connect; ssh itself would also run a command again that had begun: a second start."""
    try:
        retries = int(connection.get_option("reconnection_retries") or 0)
    except (AnsibleError, KeyError):
        retries = 0
    if retries:
        connection.set_option("reconnection_retries", 0)
    try:
        yield retries
    finally:
        if retries:
            connection.set_option("reconnection_retries", retries)


def _not_begun(error: Exception) -> bool:
    """Whether an error of the connection says that the module surely did not run."""
    if isinstance(error, (AnsibleAction, AnsibleAuthenticationFailure)):
        return True
    return isinstance(error, AnsibleError) and any(map(NOT_BEGUN.search, _said(error)))


def _words(error: Exception) -> str:
    """The last line of an error."""
    prefix = "" if isinstance(error, AnsibleConnectionFailure) else f"{type(error).__name__}: "
    lines = _said(error)
    return prefix + (one_line(lines[-1], LAST_WORDS) if lines else "it said nothing")


def _said(error: Exception) -> list[str]:
    """The lines of an error, without how Ansible introduces each error of ssh, whenever it came."""
    return _lines(re.sub(r"^Failed to connect to the host via \w+: *", "", str(error)))


def _lines(text: str) -> list[str]:
    """The lines of a text without empty ones, and without the log that ssh adds with -vvv."""
    return [line for line in text.splitlines() if line.strip() and not re.match(r"debug\d: ", line)]


def _crash(answer: Answer, *, become: str | None) -> str | None:
    """How a module ended that gave no proper answer, as the middle of a sentence.

    :param become: the name of the become plugin, whose refusal is none of the module's.
    :returns: null for a proper answer, and where the module surely did not run.
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
    """Whether nothing was said but by sudo and its like, which end with 1 when they refuse."""
    lines = _lines(output)
    return bool(become and code == 1 and lines and all(line.startswith(f"{become}: ") for line in lines))


def _is_crash(answer: Answer) -> bool:
    """Whether Ansible's wrapper around the module answered in its place, which it does from ansible-core 2.19 on.

    What a module says itself has a message of its own; the wrapper sends an exception and no more.
    """
    return bool(answer.get("exception")) and answer.get("msg") is None


def _last_line(answer: Answer) -> str:
    """The last words of a crash."""
    event = getattr(answer.get("exception"), "event", None)
    text = (
        event.msg if event and UNREADABLE not in answer else answer.get("module_stderr") or answer.get("module_stdout")
    )
    lines = _lines(str(text or ""))
    return one_line(lines[-1], LAST_WORDS) if lines else "it said nothing"


def _traceback(exception: t.Any) -> str | None:
    """The traceback of a crash as text; before ansible-core 2.19 it is one already."""
    event = getattr(exception, "event", None)
    text = event.formatted_traceback if event else exception
    return text if isinstance(text, str) else None


__all__ = ["StartAction"]
