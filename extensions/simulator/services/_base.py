# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every service has to offer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from faults import VENDOR_FAULTS
from keyring import Keyring
from lives import Lives, Look, Step
from messages import JSON, Reply, Request, VendorError


class Call(NamedTuple):
    """What a request asks for. `parameters` is None when they cannot be read."""

    action: str
    task_id: str
    parameters: Mapping[str, Any] | None


class Order(NamedTuple):
    """What a start asks for."""

    name: str
    """The name of the input: what the scenario's `match` is looked for in."""
    details: Mapping[str, Any]
    """What looks at the cloud task will need."""
    where: Mapping[str, Any] = {}
    """Fields of the task: bucket, region, any_bucket, kind."""


class Service:
    """One provider: it tells its requests from others', checks them, and turns steps into its vendor's answers."""

    #: the provider word of the scenario
    name = ""
    #: normalized status word: the vendor's own
    statuses: Mapping[str, Any] = {}
    #: fault of the vendor's own kind: code and message
    problems: Mapping[str, tuple[str, str]] = {}
    #: HTTP status of an error code that is not answered with `usual_error_status`
    error_statuses: Mapping[str, int] = {}
    usual_error_status = 200
    #: actions that need no authentication
    open_actions: frozenset[str] = frozenset()
    #: actions that start a cloud task
    starting: frozenset[str] = frozenset()
    #: other actions that are no look at a cloud task: lists, uploads, aborts
    managing: frozenset[str] = frozenset()
    #: kinds of tasks, the usual one first, where the vendor has several
    kinds: tuple[str, ...] = ()
    content_type = JSON

    def claims(self, request: Request) -> bool:
        """Say whether the request is for this service."""
        raise NotImplementedError

    def read(self, request: Request) -> Call:
        """Read what is asked for, and never fail: what is wrong with it, `check` will say."""
        raise NotImplementedError

    def authenticate(self, request: Request, keyring: Keyring, now: float) -> None:
        """Raise the vendor's error unless the caller has proved who it is."""
        raise NotImplementedError

    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        """Raise the vendor's error unless the call is one that is offered and complete."""
        raise NotImplementedError

    def open_call(self, call: Call, request: Request, keyring: Keyring) -> Reply:
        """Answer one of the `open_actions`."""
        raise NotImplementedError

    def order(self, call: Call, request: Request) -> Order:
        """Read what a start asks for, or raise the vendor's error."""
        raise NotImplementedError

    def conflict(self, order: Order, lives: Lives) -> None:
        """Raise the vendor's error when the order cannot be taken beside the cloud tasks there are."""

    def new_id(self, order: Order) -> str:
        """Make an id for a cloud task, of the vendor's looks."""
        raise NotImplementedError

    def started(self, look: Look) -> Reply:
        """Answer a start."""
        raise NotImplementedError

    def at_once(self, order: Order, result: Mapping[str, Any]) -> Reply:
        """Answer a start that was carried out at once, for vendors that do so."""
        raise NotImplementedError

    def manage(self, call: Call, request: Request, lives: Lives, now: float) -> Reply:
        """Carry out one of the `managing` actions."""
        raise NotImplementedError

    def word(self, look: Look) -> Any:
        """The vendor's own status that a look sees."""
        step = look.base
        return self.statuses[step.value] if step.kind == "status" else step.value

    def sees(self, look: Look, request: Request) -> bool:
        """Say whether the cloud task lies where the request looks."""
        return True

    def missing(self, task_id: str) -> Reply:
        """Answer that there is no such cloud task."""
        raise NotImplementedError

    def error_reply(self, problem: VendorError) -> Reply:
        """Put an error into the vendor's form."""
        raise NotImplementedError

    def native(self, look: Look, word: Any) -> Reply:
        """Answer with the vendor's own status word and all that belongs to it."""
        raise NotImplementedError

    def problem(self, kind: str) -> VendorError:
        """Make one of the vendor's own errors."""
        code, message = self.problems[kind]
        return VendorError(code, message)

    def status_of(self, problem: VendorError) -> int:
        """Find the HTTP status of an error."""
        if problem.http_status is not None:
            return problem.http_status
        return self.error_statuses.get(problem.code, self.usual_error_status)

    def reply(self, look: Look, step: Step) -> Reply:
        """Turn a step into an answer. Faults are not for this place."""
        if step.kind == "missing":
            return self.missing(look.task.task_id)
        if step.kind == "error":
            return self.error_reply(VendorError(step.value["code"], step.value["message"], step.value["http_status"]))
        if step.kind == "answer":
            return self.raw(step.value, step.details.get("http_status", 200))
        return self.native(look, self.word(look))

    def raw(self, value: Any, status: int) -> Reply:
        """Send an answer that stands in the scenario."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return Reply(status, text.encode("utf-8"), self.content_type)

    def refuse(self, step: Step) -> str:
        """Say in one sentence why this provider cannot play a step; nothing when it can."""
        if step.kind == "status" and step.value not in self.statuses:
            return f"{self.name} has no answer that means {step.value}; its words are {', '.join(self.statuses)}"
        if step.kind == "native":
            return self.refuse_native(step.value)
        if step.kind == "fault" and step.value.name in VENDOR_FAULTS and step.value.name not in self.problems:
            return f"{self.name} has no {step.value.name}"
        return ""

    def refuse_native(self, word: Any) -> str:
        """Say why a value cannot be the vendor's status."""
        return "" if isinstance(word, str) else "must be text"


def utc(seconds: float) -> str:
    """Write a time as most vendors do."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def is_whole(value: Any) -> bool:
    """Say whether a value is a whole number (JSON's true is none)."""
    return isinstance(value, int) and not isinstance(value, bool)
