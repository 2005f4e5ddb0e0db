# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: what modules share.
"""Between AnsibleModule and the library: options in, result or error out.

The library raises, and here alone that becomes ``fail_json``; no traceback of ours reaches a user.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ._errors import CloudError, one_line
from ._pacing import backoff
from ._providers.base import Look, Provider, Settings
from ._status import UNKNOWN
from ._transport import Clock, Transport

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible.module_utils.basic import AnsibleModule

RETRY_FIRST = 1.0
RETRY_FACTOR = 2.0
RETRY_CAP = 10.0
RETRY_AFTER_CAP = 60.0

Options = t.Mapping[str, t.Any]


def run_info(module: AnsibleModule, provider_class: type[Provider]) -> None:
    """The whole of an info module: one look, and its end as result or error."""
    for library in provider_class.missing_libraries():
        module.fail_json(msg=missing_required_lib(library))
    tried = f"Looking at the {provider_class.title} cloud task {module.params['task_id']}"
    failure = None
    provider = None
    result: dict[str, t.Any] = {"changed": False}
    try:
        ref = provider_class.make_ref(module.params, os.environ)
        provider = make_provider(
            provider_class, module.params, os.environ, make_transport(module.params), make_clock(module.params)
        )
        result.update(provider.about(ref))
        look = _look_patiently(provider, ref, _checked_retries(module.params))
        result.update(task=look.record, response=look.response, **provider.about(ref))
    except CloudError as error:
        failure = error
        if provider is not None and "credential_source" in result:
            result.update(provider.about(ref))  # what was used last, also when it failed
    hide_secrets(module, provider.secrets() if provider else [])
    for warning in _warnings(result, provider):
        module.warn(warning)
    if failure is not None:
        module.fail_json(msg=failure.sentence(tried), error=failure.as_dict(), **result)
    module.exit_json(**result)


def make_transport(options: Options) -> Transport:
    """How requests travel, as the options say.

    :raises CloudError: ``config``, when that makes no sense.
    """
    if not 0 < options["request_timeout"] < float("inf"):
        raise CloudError("config", "request_timeout is not a number of seconds above 0")
    verify = (options["ca_path"] or True) if options["validate_certs"] else False
    return Transport(timeout=options["request_timeout"], verify=verify)


def make_clock(options: Options, *, offset: float = 0.0) -> Clock:
    """The clock for signatures; it believes a server only when that server's certificate was checked."""
    return Clock(offset=offset, correctable=options["validate_certs"])


def make_provider(
    provider_class: type[Provider],
    options: Options,
    environ: t.Mapping[str, str],
    transport: Transport,
    clock: Clock,
) -> Provider:
    """A provider with endpoint and credentials as the options and the environment say.

    :raises CloudError: ``config``, when they contradict or lack something.
    """
    settings = Settings(
        transport=transport,
        clock=clock,
        endpoint=options.get("endpoint") or environ.get(provider_class.endpoint_variable) or None,
        site=options["site"],
    )
    return provider_class.create(settings, options, environ)


def hide_secrets(module: AnsibleModule, *secrets: t.Iterable[str]) -> None:
    """Secrets that are no options, and those that were put where none belongs, are censored like options."""
    for some in secrets:
        module.no_log_values.update(some)
    proxies = [value for name, value in os.environ.items() if name.lower().endswith("_proxy")]
    for url in (module.params.get("endpoint"), *proxies):
        userinfo, at, dummy = (url or "").partition("//")[2].rpartition("@")
        password = userinfo.partition(":")[2] or userinfo  # not the name beside it, which may be a common word
        module.no_log_values.update(filter(None, [password]) if at else [])


def _checked_retries(options: Options) -> int:
    retries: int = options["request_retries"]
    if retries < 0:
        raise CloudError("config", "request_retries is below 0")
    return retries


def _look_patiently(
    provider: Provider,
    ref: Options,
    retries: int,
    *,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Look:
    """A look, repeated after errors that may pass. Nothing but questions is ever sent, so repeating is safe."""
    attempt = 0
    while True:
        try:
            return provider.look(ref)
        except CloudError as error:
            if not error.retryable or attempt >= retries:
                raise
            pause = backoff(attempt, first=RETRY_FIRST, factor=RETRY_FACTOR, cap=RETRY_CAP)
            sleep(max(pause, min(error.retry_after or 0.0, RETRY_AFTER_CAP)))
        attempt += 1


def _warnings(result: Options, provider: Provider | None) -> t.Iterator[str]:
    record = result.get("task", {})
    if record.get("status") == UNKNOWN:
        yield unknown_warning(record)
    if provider is not None and provider.settings.clock.offset:
        yield clock_warning(provider.settings.clock.offset)


def unknown_warning(record: Options) -> str:
    """What to say of a status that no table has."""
    native = one_line(str(record["native_status"]), 80)
    return (
        f"The status {native} of the {record['provider']} cloud task {record['task_id']} "
        "is not one that the vendor documents; it counts neither as done nor as a success."
    )


def clock_warning(offset: float) -> str:
    """What to say of a clock that was corrected by so many seconds."""
    side = "behind" if offset > 0 else "ahead of"
    seconds = f"{abs(offset):.0f} s"
    return f"This host's clock is {seconds} {side} the vendor's; signatures were corrected, set the clock right."


__all__ = [
    "clock_warning",
    "hide_secrets",
    "make_clock",
    "make_provider",
    "make_transport",
    "run_info",
    "unknown_warning",
]
