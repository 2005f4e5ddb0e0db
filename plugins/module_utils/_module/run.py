# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""Runs modules that make a single poll: from the options of AnsibleModule to a result or an error.

The library raises ``CloudError``. Only the files in this folder turn it into ``fail_json``, so that users see no
traceback.
"""

from __future__ import annotations

import gc
import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._errors import CloudError, quoted
from .._pacing import backoff
from .._record import UNKNOWN
from .._secrecy import censored_result, censored_texts, passwords_of, secrets_of
from .._services.base import Environ, Options, Service
from .._services.connect import clock_warning, make_clock, make_service, make_transport, unknown_warning

RETRY_FIRST = 1.0
RETRY_FACTOR = 2.0
RETRY_CAP = 10.0
RETRY_AFTER_CAP = 60.0

Ref = dict[str, t.Any]
Result = dict[str, t.Any]
MakeRef = t.Callable[[Options, Environ], Ref]
S = t.TypeVar("S", bound=Service)
T = t.TypeVar("T")


class QuietModule(AnsibleModule):  # type: ignore[misc] # Ansible has no types
    """A module whose options may hold secrets under any name, so that nothing is written to syslog.

    The constructor's ``no_log`` does not prevent that, since the setting of the Ansible task replaces it.
    """

    is_censored = False
    """Whether the result that is to be returned holds no secret any more."""

    def log(self, msg: t.Any, log_args: t.Any = None) -> None:
        """Write nothing to syslog."""

    def fail_json(self, msg: str, **result: t.Any) -> None:
        """End the module with a failure. Secrets in the options are hidden even if Ansible itself refuses the options.

        :param msg: the error as one sentence.
        """
        if not self.is_censored:
            self.no_log_values.update(secrets_of(self.params))
        super().fail_json(msg, **result)


def run(
    module: AnsibleModule,
    service_class: type[S],
    make_ref: MakeRef,
    tried: str,
    work: t.Callable[[S, Ref, Result], None],
    *,
    options: Options | None = None,
) -> None:
    """Run a module that calls one service. It ends with ``exit_json`` or ``fail_json``.

    :param make_ref: returns the ref of the cloud task, from options and environment.
    :param tried: what the module does, as the beginning of the sentence in an error.
    :param work: does it. It updates the result as it proceeds, so that a failure returns what is known by then.
    :param options: the options to use; by default those of the module.
    """
    options = module.params if options is None else options
    for library in service_class.missing_libraries():
        module.fail_json(msg=missing_required_lib(library))
    failure = None
    service: S | None = None
    result: Result = {"changed": False}
    try:
        ref = make_ref(options, os.environ)
        transport, clock = make_transport(options), make_clock(options)
        service = make_service(service_class, options, os.environ, transport, clock)
        result.update(service.about(ref))
        work(service, ref, result)
    except CloudError as error:
        failure = error
    if service is not None and "credential_source" in result:
        result.update(service.about(ref))  # it may have changed, even if the module fails
    hide_secrets(module, service.secrets() if service else [])
    warn(module, _warnings(result, service))
    end_quickly()
    if failure is not None:
        module.fail_json(msg=failure.sentence(tried), error=failure.as_dict(), **result)
    module.exit_json(**without_secrets(module, result))


def run_info(
    module: AnsibleModule,
    service_class: type[Service],
    *,
    options: Options | None = None,
    make_ref: MakeRef | None = None,
) -> None:
    """Run an info module, which polls once.

    :param options: see :func:`run`.
    :param make_ref: see :func:`run`; by default the one of the service class.
    """
    options = module.params if options is None else options

    def work(service: Service, ref: Ref, result: Result) -> None:
        poll = patiently(lambda: service.poll(ref), checked_retries(module.params))
        result.update(task=poll.record, response=poll.response)

    tried = f"The poll of the {service_class.title} cloud task {quoted(options['task_id'].strip())}"
    run(module, service_class, make_ref or service_class.make_ref, tried, work, options=options)


def hide_secrets(module: AnsibleModule, *secrets: t.Iterable[str]) -> None:
    """Let Ansible censor secrets that are not options with ``no_log``, such as tokens and passwords in URLs."""
    for some in secrets:
        module.no_log_values.update(some)
    module.no_log_values.update(passwords_of(os.environ, module.params.get("endpoint")))


def without_secrets(module: AnsibleModule, result: Result) -> Result:
    """Returns the result without secrets, and prevents Ansible from censoring it again.

    Ansible would censor every text, so that a short password would make ids unusable in which it happens to occur.
    """
    secrets, module.no_log_values = module.no_log_values, set()
    module.is_censored = True
    return censored_result({**result, "invocation": {"module_args": module.params}}, secrets)


def warn(module: AnsibleModule, texts: t.Iterable[str]) -> None:
    """Give warnings. Secrets are removed here, since ansible-core 2.19 and newer does not censor warnings."""
    for text in censored_texts(texts, module.no_log_values):
        module.warn(text)


def show_difference(module: AnsibleModule, result: Result, before: Options, asked: t.Callable[[], Options]) -> None:
    """Add what ``--diff`` shows to the result of a start: the cloud task that was there, and the one that is there now.

    :param before: what was there; empty if nothing was.
    :param asked: returns what is asked for.
    """
    if getattr(module, "_diff", False):
        after = {"task_id": result["task"]["task_id"], "asked": asked()} if result["changed"] else before
        result["diff"] = {"before": before, "after": after}


def end_quickly() -> None:
    """Skip the garbage collection at the end of the process, which takes a tenth of a short run."""
    gc.freeze()


def checked_retries(options: Options) -> int:
    """Returns the option ``request_retries``: how often a call may be repeated.

    :raises CloudError: ``config``, when it is below 0.
    """
    retries: int = options["request_retries"]
    if retries < 0:
        raise CloudError(
            "config", f"request_retries must be at least 0, got {retries}", advice="correct request_retries"
        )
    return retries


def may_pass(error: CloudError) -> bool:
    """Returns whether a call that only reads should be repeated after this error."""
    return error.retryable


def patiently(
    call: t.Callable[[], T],
    retries: int,
    *,
    again: t.Callable[[CloudError], bool] = may_pass,
    sleep: t.Callable[[float], None] = time.sleep,
) -> T:
    """Returns the result of a call, repeating the call after errors that may pass.

    :param retries: largest number of repetitions.
    :param again: tells whether to repeat after an error. The default is for calls that only read.
    :param sleep: sleeps for a number of seconds.
    :raises CloudError: the last error.
    """
    attempt = 0
    while True:
        try:
            return call()
        except CloudError as error:
            if attempt >= retries or not again(error):
                raise
            pause = backoff(attempt, first=RETRY_FIRST, factor=RETRY_FACTOR, cap=RETRY_CAP)
            sleep(max(pause, min(error.retry_after or 0.0, RETRY_AFTER_CAP)))
        attempt += 1


def _warnings(result: Options, service: Service | None) -> t.Iterator[str]:
    record = result.get("task", {})
    is_started = bool(record.get("task_id"))  # in check mode, a start returns no id
    is_polled = record.get("native_status") is not None  # one that the vendor has forgotten has no status
    if service is not None and is_started and is_polled and record["status"] == UNKNOWN:
        yield unknown_warning(record, service.statuses)
    if service is not None and service.settings.clock.offset:
        yield clock_warning(service.settings.clock.offset)


__all__ = [
    "QuietModule",
    "checked_retries",
    "end_quickly",
    "hide_secrets",
    "patiently",
    "run",
    "run_info",
    "show_difference",
    "warn",
    "without_secrets",
]
