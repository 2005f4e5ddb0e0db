# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: what modules share.
"""Between AnsibleModule and the library: options in, result or error out.

The library raises, and here alone that becomes ``fail_json``; no traceback of ours reaches a user.
"""

from __future__ import annotations

import gc
import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from ._duration import SHORTEST_REQUEST, check_duration
from ._errors import CloudError, one_line, quoted
from ._pacing import backoff
from ._providers.base import Provider, Settings, secret_texts
from ._status import UNKNOWN
from ._transport import Clock, Transport

RETRY_FIRST = 1.0
RETRY_FACTOR = 2.0
RETRY_CAP = 10.0
RETRY_AFTER_CAP = 60.0

OURS = frozenset(
    [
        *("provider", "task_id", "ref", "status", "done", "progress", "counts", "elapsed", "polls", "outcome"),
        *("kind", "retryable", "http_status"),
        *("changed", "task", "tasks", "refs", "truncated", "resource_id", "credential_source", "endpoint_host"),
        *("failed", "failed_tasks", "unfinished_tasks", "summary", "api_calls"),
    ]
)
"""What stands in results, records, changes and errors in words and numbers of ours, is an id of a vendor, or is a record,
which is censored by itself."""

Options = t.Mapping[str, t.Any]
Ref = dict[str, t.Any]
Result = dict[str, t.Any]
MakeRef = t.Callable[[Options, t.Mapping[str, str]], Ref]
P = t.TypeVar("P", bound=Provider)
T = t.TypeVar("T")


class QuietModule(AnsibleModule):  # type: ignore[misc] # Ansible has no types
    """A module with options in which anything may stand, secrets too.

    The constructor's ``no_log`` does not keep them out of syslog: what Ansible says of the task replaces it.
    """

    def log(self, msg: t.Any, log_args: t.Any = None) -> None:
        """Write nothing to syslog."""

    def fail_json(self, msg: str, **result: t.Any) -> None:
        """Censor secrets also when the options are refused before anybody looked at them."""
        self.no_log_values.update(secret_texts(self.params))
        super().fail_json(msg, **result)


class WaitModule(QuietModule):
    """The module of a wait. Its action plugin hands it ``_round`` beside the options, which is no option of users."""

    round: dict[str, t.Any] | None = None

    def _load_params(self) -> None:
        super()._load_params()
        self.round = self.params.pop("_round", None)


def run(
    module: AnsibleModule,
    provider_class: type[P],
    make_ref: MakeRef,
    tried: str,
    work: t.Callable[[P, Ref, Result], None],
) -> None:
    """The whole of a module that asks one service: its end is a result or an error, never a traceback of ours.

    :param make_ref: what it is about, from the options and the environment.
    :param tried: what is done, as the beginning of an error's sentence.
    :param work: does it, and fills the result as it goes on, so that what is known is told when it fails.
    """
    for library in provider_class.missing_libraries():
        module.fail_json(msg=missing_required_lib(library))
    failure = None
    provider: P | None = None
    result: Result = {"changed": False}
    try:
        ref = make_ref(module.params, os.environ)
        transport, clock = make_transport(module.params), make_clock(module.params)
        provider = make_provider(provider_class, module.params, os.environ, transport, clock)
        result.update(provider.about(ref))
        work(provider, ref, result)
    except CloudError as error:
        failure = error
    if provider is not None and "credential_source" in result:
        result.update(provider.about(ref))  # what was used last, also when it failed
    hide_secrets(module, provider.secrets() if provider else [])
    warn(module, _warnings(result, provider))
    end_quickly()
    if failure is not None:
        module.fail_json(msg=failure.sentence(tried), error=failure.as_dict(), **result)
    module.exit_json(**without_secrets(module, result))


def run_info(module: AnsibleModule, provider_class: type[Provider]) -> None:
    """The whole of an info module: one look."""

    def work(provider: Provider, ref: Ref, result: Result) -> None:
        retries = checked_retries(module.params)
        look = patiently(lambda: provider.look(ref), retries)
        result.update(task=look.record, response=look.response)

    tried = f"The poll of the {provider_class.title} cloud task {quoted(module.params['task_id'].strip())}"
    run(module, provider_class, provider_class.make_ref, tried, work)


def make_transport(options: Options) -> Transport:
    """How requests travel, as the options say.

    :raises CloudError: ``config``, when that makes no sense.
    """
    timeout = check_duration("request_timeout", options["request_timeout"], least=SHORTEST_REQUEST)
    verify = (options["ca_path"] or True) if options["validate_certs"] else False
    return Transport(timeout=timeout, verify=verify)


def make_clock(options: Options, *, offset: float = 0.0) -> Clock:
    """The clock for signatures; it believes a server only when that server's certificate was checked."""
    return Clock(offset=offset, correctable=options["validate_certs"])


def make_provider(
    provider_class: type[P],
    options: Options,
    environ: t.Mapping[str, str],
    transport: Transport,
    clock: Clock,
) -> P:
    """A provider with endpoint and credentials as the options and the environment say.

    :raises CloudError: ``config``, when they contradict or lack something.
    """
    settings = Settings(
        transport=transport,
        clock=clock,
        endpoint=options.get("endpoint") or environ.get(provider_class.endpoint_variable) or None,
        site=provider_class.site_of(options, environ),
    )
    return t.cast(P, provider_class.create(settings, options, environ))


def hide_secrets(module: AnsibleModule, *secrets: t.Iterable[str]) -> None:
    """Secrets that are no options, and those that were put where none belongs, are censored like options."""
    for some in secrets:
        module.no_log_values.update(some)
    proxies = [value for name, value in os.environ.items() if name.lower().endswith("_proxy")]
    for url in (module.params.get("endpoint"), *proxies):
        userinfo, at, dummy = (url or "").partition("//")[2].rpartition("@")
        password = userinfo.partition(":")[2] or userinfo  # not the name beside it, which may be a common word
        module.no_log_values.update(filter(None, [password]) if at else [])


def without_secrets(module: AnsibleModule, result: Result) -> Result:
    """What a module tells, for it to be told as it is.

    Ansible would censor all of it: a password of few letters would be cut out of ids, too, with which others go on.
    """
    secrets, module.no_log_values = module.no_log_values, set()
    told = {**result, "invocation": {"module_args": module.params}}
    if result.get("task"):
        told["task"] = censored(result["task"], secrets)
    if "tasks" in result:
        told["tasks"] = [censored(record, secrets) for record in result["tasks"]]
    return censored(told, secrets)


def censored(value: Options, secrets: t.Collection[str]) -> dict[str, t.Any]:
    """What a vendor said, but for secrets; words and numbers of ours hold none."""
    clean = remove_values({name: member for name, member in value.items() if name not in OURS}, secrets)
    return {name: clean.get(name, member) for name, member in value.items()}


def warn(module: AnsibleModule, texts: t.Iterable[str]) -> None:
    """Warnings without secrets; from 2.19 on, ansible-core shows them as they are."""
    for text in texts:
        module.warn(t.cast(str, remove_values(text, module.no_log_values)))


def end_quickly() -> None:
    """To be called before the end: else Python searches all that was loaded for what it could give back.

    That search would be a tenth of what a round of a wait costs.
    """
    gc.freeze()


def checked_retries(options: Options) -> int:
    """How often a call may be repeated.

    :raises CloudError: ``config``.
    """
    retries: int = options["request_retries"]
    if retries < 0:
        raise CloudError(
            "config", f"request_retries must be at least 0, got {retries}", advice="correct request_retries"
        )
    return retries


def may_pass(error: CloudError) -> bool:
    """Whether a question is worth repeating."""
    return error.retryable


def patiently(
    call: t.Callable[[], T],
    retries: int,
    *,
    again: t.Callable[[CloudError], bool] = may_pass,
    sleep: t.Callable[[float], None] = time.sleep,
) -> T:
    """A call, repeated after errors that may pass.

    :param again: after which errors; by default those of a question, which harms nobody when it is put twice.
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


def _warnings(result: Options, provider: Provider | None) -> t.Iterator[str]:
    record = result.get("task", {})
    if record.get("status") == UNKNOWN and record["task_id"]:  # without an id, it is one that check mode did not start
        yield unknown_warning(record)
    if provider is not None and provider.settings.clock.offset:
        yield clock_warning(provider.settings.clock.offset)


def unknown_warning(record: Options) -> str:
    """What to say of a status that no table has."""
    native = one_line(str(record["native_status"]), 80)
    return (
        f"The status {quoted(native)} of the {record['provider']} cloud task {quoted(record['task_id'])} "
        "is not one that the vendor documents; it counts neither as done nor as a success."
    )


def clock_warning(offset: float) -> str:
    """What to say of a clock that was corrected by so many seconds."""
    side = "behind" if offset > 0 else "ahead of"
    seconds = f"{abs(offset):.0f} s"
    return f"This host's clock is {seconds} {side} the vendor's; signatures were corrected, set the clock right."


__all__ = [
    "QuietModule",
    "WaitModule",
    "censored",
    "checked_retries",
    "clock_warning",
    "end_quickly",
    "hide_secrets",
    "make_clock",
    "make_provider",
    "make_transport",
    "patiently",
    "run",
    "run_info",
    "unknown_warning",
    "warn",
    "without_secrets",
]
