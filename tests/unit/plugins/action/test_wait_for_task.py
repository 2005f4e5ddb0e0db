# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.options import SPEC
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._answers import error_of
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._arguments import (
    Refused,
    check_arguments,
    plain_refusal,
    read_arguments,
)


class Vaulted:
    """A value that was encrypted by itself, as ansible-core before 2.19 hands it over: no text, but it becomes one."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def test_values_that_were_encrypted_by_themselves_are_read() -> None:
    given = {"timeout": Vaulted("30m"), "rate_limit": {"mps": Vaulted("5")}, "tasks": [{"task_id": Vaulted("m1")}]}
    assert read_arguments(given) == {"timeout": "30m", "rate_limit": {"mps": "5"}, "tasks": [{"task_id": "m1"}]}


def test_null_is_the_default() -> None:
    given = {"timeout": None, "not_found_grace": None, "heartbeat": None, "backoff": None, "task_id": "m1"}
    options = check_arguments(read_arguments(given), is_async=False)
    assert (options["timeout"], options["not_found_grace"], options["heartbeat"], options["backoff"]) == (
        900,
        30,
        60,
        1.5,
    )


def test_more_stable_polls_than_polls_are_refused() -> None:
    with pytest.raises(Refused, match="stable_polls is 3 and max_polls is 2, so no cloud task could be polled often"):
        check_arguments({"stable_polls": 3, "max_polls": 2}, is_async=False)


def test_one_result_is_a_list_of_one() -> None:
    assert read_arguments({"tasks": {"refs": []}}) == {"tasks": [{"refs": []}]}


def test_what_goes_from_round_to_round_is_no_option_of_users() -> None:
    assert "_round" not in argspec.wait(SPEC)
    assert read_arguments({"_round": {"left": 1}, "task_id": "m1"}) == {"task_id": "m1"}


@pytest.mark.parametrize(
    ("msg", "given", "sentence"),
    [
        (
            (
                "argument 'max_polls' is of type <class 'str'> and we were unable to convert to int: <class 'str'> cannot be "
                "converted to an int"
            ),
            {"max_polls": "abc"},
            'max_polls is "abc", which is not a whole number; correct max_polls.',
        ),
        ("Unsupported parameters for (x) module: y", {}, "Unsupported parameters for (x) module: y"),
    ],
)
def test_ansibles_words_on_types_are_made_plain(msg: str, given: dict[str, t.Any], sentence: str) -> None:
    assert plain_refusal(msg, given) == sentence


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"msg": "Unsupported parameters for (x) module: y", "exception": "(traceback unavailable)"}, "config"),
        ({"msg": "name 'x' is not defined", "exception": "..."}, "internal"),
        ({"msg": "no", "error": {"kind": "auth", "message": "no", "code": "A", "http_status": 200, "request_id": None,
                                 "retryable": False}}, "auth"),
    ],
)  # fmt: skip
def test_a_crash_is_told_from_a_refusal(answer: dict[str, t.Any], kind: str) -> None:
    assert error_of(answer, str(answer["msg"])).kind == kind
