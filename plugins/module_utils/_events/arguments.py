# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: events, on the controller only.
"""The arguments of the event source ``cloud_tasks``, checked as Ansible checks the options of a module."""

from __future__ import annotations

import re
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.validation import check_type_dict

from .._duration import check_duration
from .._errors import CloudError, one_line, shown
from .._module import argspec
from .._pacing import FOREVER
from .._secrecy import HIDDEN
from .._services.base import Lists
from .._services.registry import SERVICES
from .._services.task_options import spec_of
from .._wait.options import SPEC, check_policy

Arguments = dict[str, t.Any]

OF_A_WAIT = ("sleep", "backoff", "max_sleep", "rate_limit", "not_found_grace")
"""Options of ``wait_for_task`` that mean the same here."""

DEFAULTS_OF_ITEMS = ("provider", "bucket", "agent", "operator", "edition", "api_action")
SECRETS = ("secret_id", "secret_key", "token", "app_key", "app_secret", "access_token")
FROM_RULEBOOK = "eda_feedback_queue"
"""The argument that ansible-rulebook adds where a source asks for feedback."""

LIST_KEYS = ("provider", "bucket", "region", "queue_id", "site", "profile")
USUAL_TIMEOUT = 86400
SLOWEST = 1e-6  # calls a second
TAIL = r"\.? Supported parameters include.*"


def spec() -> argspec.Spec:
    """Returns the specification of all arguments."""
    wait = argspec.wait(SPEC)
    listen = {
        "host": {"type": "str", "default": "127.0.0.1"},
        "port": {"type": "int", "required": True},
        "token": {"type": "str", "no_log": True},
        "callback_secret": {"type": "str", "no_log": True},
        "tls_cert": {"type": "path"},
        "tls_key": {"type": "path"},
    }
    places = {name: spec_of(name) for name in LIST_KEYS if name != "queue_id"}
    return {
        "tasks": {"type": "list", "elements": "raw", "default": []},
        "lists": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {**places, "provider": {"type": "str", "required": True}, "queue_id": {"type": "str"}},
        },
        "listen": {"type": "dict", "options": listen, "required_together": [("tls_cert", "tls_key")]},
        "state_file": {"type": "path"},
        "changes": {"type": "bool", "default": False},
        "exit_when_done": {"type": "bool", "default": False},
        "feedback": {"type": "bool", "default": False},
        "timeout": {"type": "raw", "default": USUAL_TIMEOUT},
        **{name: wait[name] for name in (*OF_A_WAIT, *DEFAULTS_OF_ITEMS)},
        **argspec.tencent(),
        **argspec.dingtalk(),
        **argspec.transport(),
    }


def check_arguments(given: t.Mapping[str, t.Any]) -> Arguments:
    """Returns the arguments with defaults, and with all other options of a wait.

    :param given: what the rulebook says; ``eda_feedback_queue`` is left out.
    :raises CloudError: ``config``, for the first argument with an invalid value. It shows no secret.
    """
    own = {name: value for name, value in given.items() if name != FROM_RULEBOOK}
    _check_shapes(own)
    result = ArgumentSpecValidator(spec()).validate(own)
    if result.error_messages:
        raise CloudError("config", _said(result.error_messages[0], own), advice="correct the argument")
    arguments = {**_other_options(), **result.validated_parameters}
    arguments["timeout"] = check_duration("timeout", arguments["timeout"], least=1.0)
    checked = check_policy(arguments)
    if checked["state_file"] == "":
        raise CloudError("config", "state_file is empty", advice="name a file, or leave it out")
    if checked["rate_limit"]:
        _check_rates(checked["rate_limit"])
    _check_lists(checked["lists"])
    if checked["listen"] is not None:
        _check_listen(checked["listen"])
    if not (checked["tasks"] or checked["lists"] or checked["listen"]):
        raise CloudError("config", "none of tasks, lists and listen is given", advice="give what to watch")
    if checked["exit_when_done"] and (checked["lists"] or checked["listen"]):
        said = "exit_when_done is true, and with lists or listen it is never done"
        raise CloudError("config", said, advice="leave one of them out")
    return checked


def _other_options() -> Arguments:
    """Returns the defaults of the options of a wait that are no arguments here."""
    return {name: option.get("default") for name, option in argspec.wait(SPEC).items()}


def _said(message: str, given: t.Mapping[str, t.Any]) -> str:
    """Returns a message of Ansible as part of a sentence, without secrets."""
    listen = given.get("listen")
    secrets = [given.get(name) for name in SECRETS]
    secrets += [listen.get(name) for name in ("token", "callback_secret")] if isinstance(listen, dict) else []
    for secret in filter(None, secrets):
        message = message.replace(str(secret), HIDDEN)
    short, was_unknown = re.subn(TAIL, "", message, flags=re.DOTALL)
    said = f"{short} is not an argument" if was_unknown else short.replace("parameter", "argument")
    return one_line(said, 300)


def _check_shapes(given: Arguments) -> None:
    """Refuse what Ansible does not check: keys that are no texts, and values in the place of dictionaries.

    :raises CloudError: ``config``. It shows no value, which may hold a secret.
    """
    lists = given.get("lists")
    places = {f"lists[{number}]": one for number, one in enumerate(lists)} if isinstance(lists, list) else {}
    if given.get("listen") is not None:
        places["listen"] = given["listen"]
    for where, value in places.items():
        try:
            keys = check_type_dict(value)
        except TypeError:
            keys = None
        if keys is None:
            raise CloudError("config", f"{where} is no dictionary", advice="give it with keys and values")
        _check_keys(f"{where} has", keys)
    if lists is not None and not isinstance(lists, list):
        raise CloudError("config", "lists is no list", advice="put a dash before each of its items")
    _check_keys("there is", given)


def _check_keys(said: str, keys: t.Iterable[t.Any]) -> None:
    for key in keys:
        if not isinstance(key, str):
            advice = "correct the argument"
            raise CloudError("config", f"{said} the key {shown(key)}, which is no text", advice=advice)


def _check_providers(where: str, words: t.Iterable[t.Any]) -> None:
    for word in words:
        if word not in SERVICES:
            raise CloudError("config", f'{where} "{word}"', advice=f"give one of {', '.join(SERVICES)}")


def _check_rates(rates: Arguments) -> None:
    _check_providers("rate_limit has the key", rates)
    for word, rate in rates.items():
        try:
            rates[word] = float(rate)
        except (TypeError, ValueError):
            rates[word] = 0.0
        if not SLOWEST <= rates[word] < FOREVER:
            said = f"rate_limit of {word} is {shown(rate)}, which is no number above 0"
            raise CloudError("config", said, advice="give calls a second")


def _check_lists(lists: t.Sequence[Arguments]) -> None:
    """Refuse what cannot be watched as a whole.

    :raises CloudError: ``config``.
    """
    able = [word for word, service in SERVICES.items() if issubclass(service, Lists)]
    for number, one in enumerate(lists):
        where = f"lists[{number}]"
        _check_providers(f"{where} has the provider", [one["provider"]])
        if one["provider"] not in able:
            said = f"{where} has the provider {one['provider']}, which offers no list of cloud tasks"
            raise CloudError("config", said, advice=f"give one of {', '.join(able)}, or use tasks")
        known = t.cast("type[Lists]", SERVICES[one["provider"]]).list_keys
        foreign = [name for name, value in one.items() if value is not None and name not in ("provider", *known)]
        if foreign:
            said = f"{where} gives {foreign[0]}, which {one['provider']} does not have"
            raise CloudError("config", said, advice=f"leave it out: it may have {', '.join(known)}")


def _check_listen(listen: Arguments) -> None:
    """Refuse a listener that would be of no use, or that could not be called.

    :raises CloudError: ``config``. It shows no secret.
    """
    if not 0 <= listen["port"] <= 65535:
        said = f"listen.port is {listen['port']}, which is no port"
        raise CloudError("config", said, advice="give a number from 0 to 65535")
    if not listen["token"] and not listen["callback_secret"]:
        said = "listen has neither token nor callback_secret, so nobody could use it"
        raise CloudError("config", said, advice="give at least one of them")
    if not listen["host"].strip():
        said = "listen.host is empty, which would be every address of this machine"
        raise CloudError("config", said, advice="leave it out for this machine only, or give 0.0.0.0 or ::")
    secret = listen["callback_secret"]
    if secret and not re.fullmatch(r"[A-Za-z0-9._~-]+", secret):
        said = "listen.callback_secret has a character that cannot stand in the path of a URL"
        raise CloudError("config", said, advice="give letters, digits and . _ ~ - only")
    if listen["token"] and not re.fullmatch(r"[!-~]([ -~]*[!-~])?", listen["token"]):
        said = "listen.token has a character that cannot stand in a header, or a blank or a line break at an end"
        raise CloudError("config", said, advice="give printable ASCII characters only")


__all__ = ["FROM_RULEBOOK", "Arguments", "check_arguments", "spec"]
