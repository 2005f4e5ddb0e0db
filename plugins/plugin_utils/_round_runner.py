# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""Runs the module round after round until a wait ends, whatever happens to rounds, connections and this process."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.utils.display import Display
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER, backoff
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.options import ABORT
from ansible_collections.cloudwait.conversion.plugins.plugin_utils import _arguments
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._abort import ABORT_MARGIN, abort
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._answers import error_of, sentence_of
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._arguments import Refused
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._live import Live
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._orphan import (
    StoppedError,
    end_children,
    ending_with_parent,
    ending_with_parent_in_order,
)
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._progress import Lines
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._retries import (
    pause_before_retry,
    retries_taken_from,
)
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import (
    TASK_TIMEOUT_MARGIN,
    Overdue,
    is_task_timeout,
    time_limit,
)
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._updates import Updates

display = Display()

Answer = dict[str, t.Any]

TIDY_UP = 5.0
"""Time limit, in seconds, for removing temporary files on the host and for resetting the connection."""

PLAN_LIMIT = 120.0
"""Seconds after which a module that only reads the items is abandoned."""

OUT_OF_TIME = CloudError("timeout", "the timeout of the Ansible task came")
STOPPED = CloudError("interrupted", "ansible-playbook was stopped", advice="run it again")
STDERR = 2

TOO_EARLY = CloudError(
    "timeout",
    "the first polls were not over when the timeout of the Ansible task came",
    advice="raise it above request_timeout",
)


class RoundRunner:
    """Runs the rounds of a wait.

    :param execute: runs the module with these arguments, and returns its answer.
    :param connection: Ansible's connection to the host.
    :param task: the Ansible task, whose arguments are plain values.
    :param options: options of the wait, already checked.
    :param began: when the action began, by ``time.monotonic``.
    """

    host_is_gone = False
    """Whether the host does not answer any more, so that nothing can be tidied up there."""

    def __init__(
        self,
        execute: t.Callable[[Answer], Answer],
        connection: t.Any,
        task: t.Any,
        rounds: Rounds,
        updates: Updates,
        lines: Lines,
        options: Answer,
        *,
        began: float,
    ) -> None:
        self.rounds = rounds
        self.updates = updates
        self._execute = execute
        self._connection = connection
        self._task = task
        self._lines = lines
        self._began = began
        self._aborts = options["on_timeout"] == ABORT
        self._retries, self._most_retries = 0, 0  # attempts to connect again, before the first round
        self._pause = {"first": options["sleep"], "factor": options["backoff"], "cap": options["max_sleep"]}

    def tell(self, text: str) -> None:
        """Print a progress line."""
        self._lines.tell(text)

    def ask_plan(self) -> Answer:
        """Return what the wait is about, as the module understands it, without polling."""
        try:
            with time_limit(PLAN_LIMIT):
                answer = self._execute(_arguments.module_arguments(self._task.args, {"_round": {"plan_only": True}}))
        except Overdue:
            end_children()
            raise Refused(_no_host(_silent(PLAN_LIMIT))) from None
        self._refuse(answer)
        return answer

    def run(self) -> Answer:
        """Run rounds until the wait ends, and return its result.

        :raises Refused: when it could not begin, or cannot go on.
        """
        if not self._aborts:
            with ending_with_parent():
                return self._run()
        with ending_with_parent_in_order() as parent_ended:
            try:
                return self._run()
            except StoppedError:
                try:
                    return self._stop()
                finally:
                    if parent_ended.is_set():
                        os._exit(1)  # nobody is there who could take the result, or that of the next item

    def _stop(self) -> Answer:
        """Abort what has not ended, since the wait was stopped from outside. Returns the result."""
        rounds = self.rounds
        end_children()
        if not rounds.begun:
            raise Refused(STOPPED, result={"outcome": verdict.UNFINISHED})
        _reset(self._connection)
        rounds.stop(verdict.UNFINISHED, STOPPED)
        self._abort()
        result = rounds.result()
        with contextlib.suppress(OSError):  # Ansible prints nothing any more, and 2.19 has taken sys.stderr
            os.write(STDERR, f"cloudwait: {result['msg']}\n".encode())
        return result

    def _run(self) -> Answer:
        rounds = self.rounds
        try:
            unreachable = self._run_rounds()
        except BaseException as error:
            if not is_task_timeout(error):
                raise
            end_children()  # such as an ssh that waits for a host which does not answer
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
        self._abort()
        result = rounds.result()
        self._lines.tell(result["msg"])
        return result

    def _abort(self) -> None:
        """Abort what the wait has given up on, where that is wanted."""
        if self._aborts and not self._task.check_mode:
            abort(self._execute, self._connection, self._task.args, self.rounds)

    def _run_rounds(self) -> Answer | None:
        """Run rounds. Returns null, or the result ``unreachable`` if the first round cannot reach the host."""
        rounds = self.rounds
        while not rounds.has_verdict() and not rounds.is_too_late():
            if rounds.begun and not _longest_round(self._task.timeout, self._began, aborts=self._aborts):
                rounds.stop(verdict.TIMED_OUT, OUT_OF_TIME)
                break
            retries = self._retries
            unreachable = self._run_round()
            if unreachable is not None or (rounds.polls_once and self._retries == retries):
                return unreachable
        return None

    def _run_round(self) -> Answer | None:
        """Run one round. Returns null, or the result ``unreachable`` if the first round cannot reach the host."""
        rounds, args, updates = self.rounds, self._task.args, self.updates
        cpu = time.process_time()
        polls = _arguments.seconds_of_polls(args) if rounds.polls_once else 0.0
        limit = rounds.limit(polls, _arguments.request_timeout_of(args))
        began = time.monotonic()
        try:
            with retries_taken_from(self._connection) as self._most_retries, Live(updates, self._connection) as live:
                at_most = _longest_round(self._task.timeout, self._began, aborts=self._aborts)
                order = rounds.next_arguments(at_most, live.reach)
                with time_limit(limit):  # not of what ``Live`` has still to do, such as printing lines to a slow reader
                    answer = self._execute(_arguments.module_arguments(args, order))
                took = time.monotonic() - began
        except Overdue:
            self._lose_overdue(f"the module did not end within {limit:.0f} s" if live.was_heard else _silent(limit))
            return None
        except AnsibleError as error:
            if rounds.begun:
                self._lose(f"the host could not be used: {error}")
                return None
            if _may_connect_yet(error) and self._retries < self._most_retries:
                time.sleep(pause_before_retry(self._retries))
                self._retries += 1
                return None
            if not isinstance(error, AnsibleConnectionFailure):
                raise Refused(CloudError("config", str(error)), str(error)) from error
            return {"unreachable": True, "changed": False, "msg": str(error)}
        self._refuse(answer)
        if "report" not in answer:
            self._lose(sentence_of(answer))
            return None
        rounds.end_round(time.process_time() - cpu + answer["cost"], took - answer["polled_for"])
        updates.take(answer)
        return None

    def _refuse(self, answer: Answer) -> None:
        """End the wait if the module has refused the arguments, or failed in the first round or twice in a row.

        :raises Refused: if so.
        """
        is_final = "error" in answer or not self.rounds.begun or self.rounds.losses
        if not (answer.get("failed") and is_final):
            return
        said = _arguments.plain_refusal(sentence_of(answer), self._task.args)
        error = error_of(answer, said)
        self.rounds.stop(verdict.ERROR, error)
        so_far: Answer = self.rounds.result() if self.rounds.begun else {}
        raise Refused(error, said, {**so_far, "error": error.as_dict(), "outcome": verdict.ERROR})

    def _lose(self, said: str) -> None:
        """Handle a round without an answer: count it, give the reason, reset the connection, and pause."""
        rounds = self.rounds
        rounds.lose(said)
        self._lines.tell(f"a round was lost, {rounds.losses} in a row: {said}")
        _reset(self._connection)
        if not rounds.has_verdict():
            pause = backoff(rounds.losses - 1, **self._pause)
            time.sleep(max(0.0, min(pause, rounds.timing.left())))

    def _lose_overdue(self, said: str) -> None:
        """Handle a round that exceeded its time limit: end the processes that wait for the host."""
        end_children()
        rounds = self.rounds
        if rounds.timing.left() > 0:
            self._lose(said)
            return
        self.host_is_gone = self._connection.transport != "local"
        if not rounds.begun:
            elapsed = round(rounds.timing.elapsed(), 3)
            raise Refused(_no_host(said), result={"outcome": verdict.TIMED_OUT, "elapsed": elapsed})
        rounds.stop(verdict.TIMED_OUT, _no_host(said))


def _longest_round(timeout: int | None, began: float, *, aborts: bool) -> float:
    """Returns the seconds after which a round must have ended, since the Ansible task's timeout ends this process.

    :param timeout: the keyword of the Ansible task, in seconds.
    :param began: when the action began.
    :param aborts: whether there must be time left to abort cloud tasks.
    """
    if not timeout:
        return FOREVER
    margin = TASK_TIMEOUT_MARGIN + (min(ABORT_MARGIN, timeout / 3) if aborts else 0.0)
    return max(0.0, timeout - (time.monotonic() - began) - margin)


def _may_connect_yet(error: AnsibleError) -> bool:
    return isinstance(error, AnsibleConnectionFailure) and not isinstance(error, AnsibleAuthenticationFailure)


def _reset(connection: t.Any) -> None:
    """Close the connection to the host, so that the next round opens it again."""
    try:
        with time_limit(TIDY_UP):
            connection.reset()
    except (AnsibleError, AttributeError, Overdue) as error:
        display.vvv(f"cloudwait: the connection could not be reset: {error}")


def _silent(seconds: float) -> str:
    return f"the host gave no sign of life for {seconds:.0f} s"


def _no_host(said: str) -> CloudError:
    return CloudError("network", said, advice="check the host and the connection to it")


__all__ = ["TIDY_UP", "RoundRunner"]
