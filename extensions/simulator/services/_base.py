# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The classes that a service is made of.

`Service` is all that a service needs whose cloud tasks can only be polled. A service that can do more is also a
`Startable`, `StartableAtOnce`, `Manageable` or `WithOpenCalls`. A method that is not abstract has a usual answer.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from faults import VENDOR_FAULTS
from keyring import Keyring
from lives import Lives, Poll, Step
from messages import JSON, Reply, Request, VendorError


class Call(NamedTuple):
    """What a request asks for."""

    action: str
    """The vendor's name of the call, as the journal and `faults` of a scenario have it."""
    task_id: str
    """The cloud task that it names; empty if it names none."""
    parameters: Mapping[str, Any] | None
    """None if they cannot be read."""


class Order(NamedTuple):
    """What a start asks for."""

    name: str
    """The name of the input. `match` of a scenario's `starts` is searched for in it."""
    details: Mapping[str, Any]
    """What the answers to later polls need."""
    where: Mapping[str, Any] = {}
    """Fields of the `Task` that is made: `bucket`, `region`, `any_bucket`, `kind`."""


class Vocabulary:
    """The words of a vendor: its statuses and its errors."""

    #: the provider word
    name = ""
    #: status word of a scenario: the vendor's own status
    statuses: Mapping[str, Any] = {}
    #: name of a fault in `VENDOR_FAULTS`: code and message of the vendor's error
    problems: Mapping[str, tuple[str, str]] = {}
    #: error code: HTTP status; `usual_error_status` for those that are not here
    error_statuses: Mapping[str, int] = {}
    usual_error_status = 200
    #: kinds of cloud tasks, the default first, for a vendor that has several
    kinds: tuple[str, ...] = ()
    #: kinds of parts that a cloud task may consist of
    part_kinds: tuple[str, ...] = ()
    #: what else of the service has an address of its own: `UPLOAD` stands for CLOUDWAIT_<NAME>_UPLOAD_ENDPOINT
    more_endpoints: tuple[str, ...] = ()

    @property
    def endpoint_variables(self) -> list[str]:
        """The environment variables that tell the collection where this service is."""
        return [f"CLOUDWAIT_{'_'.join(words)}_ENDPOINT".upper() for words in self._endpoint_words()]

    def _endpoint_words(self) -> list[tuple[str, ...]]:
        return [(self.name,), *((self.name, word) for word in self.more_endpoints)]

    def word(self, poll: Poll) -> Any:
        """Return the vendor's own status of a cloud task."""
        step = poll.base
        return self.statuses[step.value] if step.kind == "status" else step.value

    def problem(self, kind: str) -> VendorError:
        """Return the vendor's own error for a fault of `problems`."""
        code, message = self.problems[kind]
        return VendorError(code, message)

    def status_of(self, problem: VendorError) -> int:
        """Return the HTTP status of an error."""
        if problem.http_status is not None:
            return problem.http_status
        return self.error_statuses.get(problem.code, self.usual_error_status)

    def refuse(self, step: Step) -> str:
        """Return a sentence that says why a scenario cannot give this step to the service; empty if it can."""
        if step.kind == "status" and step.value not in self.statuses:
            return f"{self.name} has no answer that means {step.value}; its words are {', '.join(self.statuses)}"
        if step.kind == "native":
            return self.refuse_native(step.value)
        if step.kind == "fault" and step.value.name in VENDOR_FAULTS and step.value.name not in self.problems:
            return f"{self.name} has no {step.value.name}"
        return ""

    def refuse_native(self, word: Any) -> str:
        """Return a sentence that says why a value cannot be the vendor's status; empty if it can."""
        return "" if isinstance(word, str) else "must be text"


class Service(Vocabulary, ABC):
    """A service whose cloud tasks can be polled.

    For each request, `cloud.py` asks all services with `claims`. Of the one that says yes it then calls `read`,
    `authenticate` and `check`, and at last `reply`, `missing` or `error_reply`.
    """

    #: the media type of the answers; a scenario has answers as text if it is not JSON
    content_type = JSON

    @abstractmethod
    def claims(self, request: Request) -> bool:
        """Return whether the request is for this service, which its host and its path decide. Never raises."""

    @abstractmethod
    def read(self, request: Request) -> Call:
        """Return what the request asks for. Never raises: `check` says what is wrong with it."""

    @abstractmethod
    def authenticate(self, request: Request, keyring: Keyring, now: float) -> None:
        """Check who calls.

        :raises VendorError: when the signature or the token is not good at the time `now`.
        """

    @abstractmethod
    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        """Check what is asked for; `retired` has the error codes of actions that the vendor has taken away.

        :raises VendorError: when there is no such action, or a parameter is missing or wrong.
        """

    def sees(self, poll: Poll, request: Request) -> bool:
        """Return whether the request may see this cloud task, which can depend on the bucket that its host names."""
        return True

    @abstractmethod
    def missing(self, task_id: str) -> Reply:
        """Return the vendor's answer to a poll of a cloud task that does not exist."""

    @abstractmethod
    def error_reply(self, problem: VendorError) -> Reply:
        """Return an error in the vendor's form."""

    @abstractmethod
    def native(self, poll: Poll, word: Any) -> Reply:
        """Return the answer to a poll. `word` is the vendor's own status of the cloud task."""

    def reply(self, poll: Poll, step: Step) -> Reply:
        """Return the answer that a step of a life stands for. The step is no fault."""
        if step.kind == "missing":
            return self.missing(poll.task.task_id)
        if step.kind == "error":
            return self.error_reply(VendorError(step.value["code"], step.value["message"], step.value["http_status"]))
        if step.kind == "answer":
            return self.raw(step.value, step.details.get("http_status", 200))
        return self.native(poll, self.word(poll))

    def raw(self, value: Any, status: int) -> Reply:
        """Return an answer that stands in the scenario as it is: text, or what becomes JSON."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return Reply(status, text.encode("utf-8"), self.content_type)


class Startable(Service):
    """A service whose cloud tasks can also be started."""

    #: the actions that start one
    starting: frozenset[str] = frozenset()

    @abstractmethod
    def order(self, call: Call, request: Request) -> Order:
        """Return what a start asks for.

        :raises VendorError: when a parameter is missing or wrong.
        """

    def conflict(self, order: Order, lives: Lives) -> None:
        """Check an order against the cloud tasks that exist.

        :raises VendorError: when the vendor would not start this one beside them.
        """

    @abstractmethod
    def new_id(self, order: Order) -> str:
        """Return an id for a new cloud task, in the vendor's form."""

    @abstractmethod
    def started(self, poll: Poll) -> Reply:
        """Return the answer to a start."""


class StartableAtOnce(Startable):
    """A service that may also do at once what is asked for, without a cloud task."""

    @abstractmethod
    def at_once(self, order: Order, result: Mapping[str, Any]) -> Reply:
        """Return the answer to a start that is done; `result` has what the scenario says of it."""


class Manageable(Service):
    """A service with calls that neither poll nor start a cloud task: lists, uploads, aborts."""

    #: these actions
    managing: frozenset[str] = frozenset()

    @abstractmethod
    def manage(self, call: Call, request: Request, lives: Lives, now: float) -> Reply:
        """Do what one of the `managing` actions asks for, and return the answer.

        :raises VendorError: when it cannot be done.
        """


class Message(NamedTuple):
    """The body of a callback."""

    body: bytes
    content_type: str


class Wish(NamedTuple):
    """What a start asks of callbacks."""

    url: str
    each_change: bool = False
    """Whether a callback is sent at each change of the status, and not at the end only."""
    format: str = ""
    """`XML` or `JSON`; empty for the vendor's default."""


class Calling(Service):
    """A service that sends callbacks."""

    @abstractmethod
    def asked_callback(self, order: Mapping[str, Any]) -> Wish | None:
        """Return what the details of an order ask of callbacks to a URL; None if they ask for none."""

    @abstractmethod
    def callback(self, poll: Poll, form: str, now: float) -> Message:
        """Return the callback about a cloud task. `form` is `XML`, `JSON`, or empty for the vendor's default."""


class WithOpenCalls(Service):
    """A service with calls that need no authentication, such as one that gives out tokens."""

    #: these actions
    open_actions: frozenset[str] = frozenset()

    @abstractmethod
    def open_call(self, call: Call, request: Request, keyring: Keyring) -> Reply:
        """Do what one of the `open_actions` asks for, and return the answer.

        :raises VendorError: when it cannot be done.
        """


def acting(service: Service) -> frozenset[str]:
    """Return the actions of a service that do more than poll, so that it matters if only their answer is lost."""
    starting = service.starting if isinstance(service, Startable) else frozenset[str]()
    return starting | (service.managing if isinstance(service, Manageable) else frozenset())


def utc(seconds: float) -> str:
    """Write a time as 2026-01-02T03:04:05Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number, which true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)
