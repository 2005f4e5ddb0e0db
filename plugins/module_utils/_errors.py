# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: values and exceptions, standard library only.
"""The exception that the library raises, and what each kind of error means."""

from __future__ import annotations

import json
import re
import typing as t

MESSAGE_LIMIT = 500
CUT = "..."
"""Mark at the end of a text that was shortened."""


class Kind(t.NamedTuple):
    """The properties of one kind of error.

    :param retryable: whether the same call may succeed later. If not, a wait gives up on the cloud task at once.
    :param advice: what the user should do, as the end of a sentence.
    :param uncertain: whether the vendor may have carried out the call despite the error.
    """

    retryable: bool
    advice: str
    uncertain: bool = False


KINDS: dict[str, Kind] = {
    "auth": Kind(False, "check the credentials that were used"),
    "permission": Kind(False, "give this account or app the permission, or use another one"),
    "not_found": Kind(False, "check the task id, the site and how long ago the cloud task was started"),
    "throttled": Kind(True, "ask less often or raise the limit with the vendor"),
    "invalid": Kind(False, "correct the options"),
    "server": Kind(True, "try again later, the fault is on the vendor's side", uncertain=True),
    "network": Kind(True, "check the network, the proxy settings and the endpoint", uncertain=True),
    "protocol": Kind(
        True, "check that the endpoint is the vendor's and that no proxy answers in its place", uncertain=True
    ),
    "config": Kind(False, "correct the options, the environment or the profile"),
    "clock": Kind(False, "set this host's clock right, for example with NTP"),
    "timeout": Kind(True, "raise the timeout keyword of the Ansible task, or lower the option timeout below it"),
    "internal": Kind(False, "report it with the output of -vvv, without secrets"),
    "interrupted": Kind(False, "find out whether it happened before you do it again"),
    "uncertain": Kind(False, "find out whether the cloud task exists before you start it again"),
}


def flat(text: str) -> str:
    """Returns a text as one line that no CI runner can take for a command. The text is not shortened.

    Line breaks and control characters become spaces. GitHub's runner executes ``##[command]`` anywhere in a line, and
    Azure's ``##vso[command]``, so a space separates the two number signs.
    """
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return re.sub(r"##(?=[A-Za-z]*\[)", "# #", words)


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Returns a text as part of a sentence: without line breaks, control characters and a full stop at the end.

    :param limit: largest number of characters; a longer text is shortened, if possible at the end of a word.
    """
    words = flat(text)
    if len(words) <= limit:
        return words.rstrip(".。")
    short = words[: limit - len(CUT)]
    at_word = short.rpartition(" ")[0]
    return (at_word if len(at_word) > limit // 2 else short) + CUT


def quoted(value: t.Any, limit: int = 100) -> str:
    """Returns a value that the user gave in double quotes, for a message. Invisible characters become escapes.

    :param limit: largest number of characters.
    """
    text = str(value)
    visible = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text[: limit + 1]
    )
    return f'"{visible[: limit - len(CUT)]}{CUT}"' if len(visible) > limit else f'"{visible}"'


def shown(value: t.Any) -> str:
    """Returns a value that the user gave, for a message: text in double quotes, anything else as JSON."""
    if isinstance(value, str):
        return quoted(value)
    return one_line(json.dumps(value, default=str, ensure_ascii=False), 80)


class CloudError(Exception):
    """The error of a call that failed, or of a check before it.

    :param kind: a key of ``KINDS``.
    :param said: what happened, as the middle of a sentence.
    :param code: the vendor's error code.
    :param message: the vendor's message, unchanged.
    :param http_status: the HTTP status of the answer.
    :param request_id: the vendor's request id.
    :param retryable: whether the same call may succeed later; by default as for the kind.
    :param advice: what to do about it, as the end of a sentence; by default as for the kind.
    :param retry_after: seconds that the vendor asked to wait.
    :param server_time: the vendor's time in Unix seconds, if the answer told it.
    :param sent: false if it is certain that the call did not reach the vendor.
    """

    def __init__(
        self,
        kind: str,
        said: str,
        *,
        code: str | None = None,
        message: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
        advice: str | None = None,
        retry_after: float | None = None,
        server_time: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(said)
        self.kind = kind
        self.said = said
        self.code = code
        self.message = message
        self.http_status = http_status
        self.request_id = request_id
        self.retryable = KINDS[kind].retryable if retryable is None else retryable
        self.advice = advice or KINDS[kind].advice
        self.retry_after = retry_after
        self.server_time = server_time
        self.sent = sent
        self.calls = 0  # number of requests that were sent, including the one that failed

    def __str__(self) -> str:
        """Returns ``said``, from which secrets may have been removed after the error was raised."""
        return self.said

    def sentence(self, tried: str) -> str:
        """Returns one sentence: what was tried, what happened, and what to do.

        :param tried: what was tried, as the beginning of the sentence.
        """
        return f"{tried} failed: {self.said}; {self.advice}."

    def as_dict(self) -> dict[str, t.Any]:
        """Returns the ``error`` of a result."""
        return {
            "kind": self.kind,
            "code": self.code,
            "message": self.message or self.said,
            "http_status": self.http_status,
            "request_id": self.request_id,
            "retryable": self.retryable,
        }

    def within(self, what: str) -> CloudError:
        """Returns a copy whose message also says which larger operation failed because of this error.

        :param what: the failure of that operation, such as "no access token could be fetched".
        """
        other = self.again()
        other.said, other.calls = f"{what}: {self.said}", self.calls
        return other

    def again(self) -> CloudError:
        """Returns a copy for another thread that waited for the same answer. Its ``calls`` is 0."""
        other = CloudError(self.kind, self.said)
        vars(other).update({**vars(self), "calls": 0})
        return other


__all__ = ["KINDS", "CloudError", "Kind", "flat", "one_line", "quoted", "shown"]
