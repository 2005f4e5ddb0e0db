# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import KINDS, CloudError, one_line, shown
from ansible_collections.cloudwait.conversion.plugins.module_utils._secrecy import hide_in

SECRET = "EXAMPLE-FAKE-SECRET"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("ends with a full stop.", "ends with a full stop"),
        ("\u6587\u6863\u8f6c\u6362\u4e2d\u3002", "\u6587\u6863\u8f6c\u6362\u4e2d"),
        ("two\r\nlines \t and\x1b[31m colour", "two lines and [31m colour"),
        ("a ##[error] b ##vso[task.x] c ## d", "a # #[error] b # #vso[task.x] c ## d"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("right\u202eto left", "right to left"),
        ("", ""),
        ("1234567890", "1234567890"),
        ("12345678901", "1234567..."),
    ],
)
def test_a_vendors_text_becomes_part_of_a_sentence(text: str, line: str) -> None:
    assert one_line(text, 10 if text.isdigit() else 500) == line


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        ("auth", False),
        ("permission", False),
        ("not_found", False),
        ("throttled", True),
        ("invalid", False),
        ("server", True),
        ("network", True),
        ("protocol", True),
        ("config", False),
        ("clock", False),
        ("timeout", True),
        ("internal", False),
        ("interrupted", False),
        ("uncertain", False),
    ],
)
def test_each_kind_says_whether_to_repeat_and_what_to_do(kind: str, retryable: bool) -> None:
    error = CloudError(kind, "it said no")
    assert error.sentence("Polling") == f"Polling failed: it said no; {KINDS[kind].advice}."
    assert error.as_dict() == {
        "kind": kind,
        "code": None,
        "message": "it said no",
        "http_status": None,
        "request_id": None,
        "retryable": retryable,
    }


def test_there_are_no_other_kinds() -> None:
    assert len(KINDS) == 14


def test_a_long_text_is_cut_at_a_word() -> None:
    assert one_line("see failed_tasks, and the error of each", 30) == "see failed_tasks, and the..."


@pytest.mark.parametrize(
    ("value", "text"),
    [("ap beijing", '"ap beijing"'), ("a\nb", '"a\\nb"'), (7, "7"), (True, "true"), (None, "null"), (["x"], '["x"]')],
)
def test_a_value_of_the_users_is_shown(value: object, text: str) -> None:
    assert shown(value) == text


def test_what_is_known_better_than_the_kind_counts() -> None:
    error = CloudError(
        "server",
        'the vendor said "Busy: come back"',
        code="Busy",
        message="come back",
        http_status=503,
        request_id="r1",
        retryable=False,
        advice="come back tomorrow",
    )
    assert error.sentence("Polling") == 'Polling failed: the vendor said "Busy: come back"; come back tomorrow.'
    assert error.as_dict() == {
        "kind": "server",
        "code": "Busy",
        "message": "come back",
        "http_status": 503,
        "request_id": "r1",
        "retryable": False,
    }


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"you sent {SECRET} twice: {SECRET}", "you sent ******** twice: ********"),
        (f"you sent {SECRET}-AND-MORE", "you sent ********"),  # one secret may begin with another
        ("you sent EXAMPLE-FAKE-SE...", "you sent ********..."),  # cut in the midst of it
        (
            'the vendor said "X: you sent EXAMPLE-FAKE-..." and more',
            'the vendor said "X: you sent ********..." and more',
        ),
        ("you sent an EXAMPLE", "you sent an EXAMPLE"),
    ],
)
def test_secrets_are_hidden_wherever_they_stand(text: str, hidden: str) -> None:
    error = CloudError("auth", text, code=text, message=text, request_id=text)
    hide_in(error, ["", SECRET, f"{SECRET}-AND-MORE"])
    assert {error.said, error.code, error.message, error.request_id, str(error)} == {hidden}


def test_hiding_leaves_what_is_absent() -> None:
    error = CloudError("auth", "no")
    hide_in(error, [SECRET])
    assert error.as_dict()["message"] == "no"
    assert (error.code, error.message, error.request_id) == (None, None, None)
