# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken answers through the modules: each ends in one sentence and the right kind of error, and never in a hang."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Run, poll

EMPTY = "answered with HTTP 200 and an empty body where"
ELSE = "answered with HTTP 200 and something else where"
LATE = "within 1.5 s"
TOO_LONG = "the answer is longer than 16777216 bytes"


class Case(NamedTuple):
    """A fault, what kind of error it is, and what has to be said of it."""

    provider: str
    fault: str
    kind: str
    said: str
    parameters: dict[str, Any] = {}  # noqa: RUF012 # nobody changes it

    @property
    def name(self) -> str:
        """A name of its own, which is the task id too."""
        return f"{self.provider}-{self.fault}"


CASES = [
    Case("mps", "redirect", "protocol", "a redirect to elsewhere.example.com, which a signed request never follows",
         {"location": "https://elsewhere.example.com/path?query=1"}),
    Case("mps", "empty", "protocol", EMPTY),
    Case("mps", "list", "protocol", ELSE),
    Case("mps", "null", "protocol", ELSE),
    Case("mps", "not_utf8", "protocol", ELSE),
    Case("mps", "html", "protocol", ELSE),
    Case("mps", "gzip", "protocol", "compressed though that was not asked for"),
    Case("mps", "not_gzip", "protocol", "compressed though that was not asked for"),
    Case("mps", "double_length", "protocol", "answered is not HTTP"),
    Case("mps", "bad_chunks", "network", "broke off"),
    Case("mps", "reset", "network", "was closed before an answer came"),
    Case("mps", "truncated", "network", "broke"),
    Case("mps", "hang", "network", LATE),
    Case("mps", "drip", "network", "1.5 s", {"bytes_per_second": 50}),
    Case("mps", "drip_headers", "network", "1.5 s", {"bytes_per_second": 50}),
    Case("mps", "endless", "protocol", TOO_LONG),
    Case("mps", "huge", "protocol", TOO_LONG),
    Case("cos_doc", "http_503", "server", "answered with HTTP 503; try again later"),
    Case("cos_doc", "not_json", "protocol", ELSE),
    Case("cos_doc", "entity", "protocol", ELSE),
]  # fmt: skip
#: over TLS the ways in which an answer breaks on its way; what is in a whole answer does not depend on the way
OVER_TLS = [
    Case("mps", "tls_bad_record", "network", "the TLS connection to 127.0.0.1:"),
    *(case for case in CASES if case.fault in ("redirect", "reset", "truncated", "hang", "drip_headers", "huge")),
]
SLOW = ("hang", "drip", "drip_headers")


def in_words(case: Case) -> str:
    """A case as the name of a test."""
    return case.name


def lives(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """A cloud task for each case: its first answer is broken, the next one would be good."""
    return [
        {
            "provider": case.provider,
            "task_id": case.name,
            "life": [{"fault": {"name": case.fault, **case.parameters}}, {"status": "succeeded"}],
        }
        for case in cases
    ]


def polls_at(cases: Iterable[Case]) -> dict[str, dict[str, Any]]:
    short = {"request_timeout": 1.5}
    return {case.name: poll(case.provider, case.name, **(short if case.fault in SLOW else {})) for case in cases}


@pytest.fixture(scope="module")
def cloud(start_cloud: Callable[..., Any]) -> Any:
    refused = {"answer": "", "http_status": 403}
    passing = [{"fault": "reset"}, {"error": {"code": "InternalError"}}, {"status": "succeeded"}]
    return start_cloud(
        {
            "tasks": [
                *lives(CASES),
                {"provider": "dingtalk_doc", "task_id": "nothing but HTTP 403", "life": [refused]},
                {"provider": "mps", "task_id": "passing", "life": passing},
            ]
        }
    )


@pytest.fixture(scope="module")
def run(cloud: Any, start_ansible: Callable[..., Any]) -> Run:
    polls = polls_at(CASES)
    polls["nothing but HTTP 403"] = poll("dingtalk_doc", "nothing but HTTP 403")
    polls["passing"] = poll("mps", "passing", request_retries=None)
    found: Run = start_ansible(cloud.environment).polls(polls)
    return found


@pytest.fixture(scope="module")
def run_over_tls(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Run:
    passing = [{"fault": "tls_bad_record"}, {"fault": "redirect"}, {"status": "succeeded"}]
    again = {"provider": "mps", "task_id": "passing", "life": passing}
    cloud = start_cloud({"tasks": [*lives(OVER_TLS), again]}, tls=True)
    polls = {**polls_at(OVER_TLS), "passing": poll("mps", "passing", request_retries=None)}
    found: Run = start_ansible(cloud.environment).polls(polls)
    return found


@pytest.mark.parametrize("case", CASES, ids=in_words)
def test_a_broken_answer_ends_in_one_sentence(run: Run, case: Case) -> None:
    error = run.error(case.name)
    assert (error["kind"], error["retryable"]) == (case.kind, True)
    assert case.said in run.sentence(case.name)


@pytest.mark.parametrize("case", OVER_TLS, ids=in_words)
def test_a_broken_answer_over_tls_ends_in_one_sentence(run_over_tls: Run, case: Case) -> None:
    error = run_over_tls.error(case.name)
    assert (error["kind"], error["retryable"]) == (case.kind, True)
    assert case.said in run_over_tls.sentence(case.name)


def test_what_passes_over_tls_is_asked_again_by_default(run_over_tls: Run) -> None:
    assert run_over_tls.task("passing")["status"] == "succeeded"


def test_the_address_limit_of_dingtalk_is_throttling_not_a_refusal(run: Run) -> None:
    assert run.error("nothing but HTTP 403")["kind"] == "throttled"
    assert "as when one address calls too often" in run.sentence("nothing but HTTP 403")


def test_what_passes_is_asked_again_by_default(run: Run, cloud: Any) -> None:
    assert run.task("passing")["status"] == "succeeded"
    verdicts = [entry["verdict"] for entry in cloud.journal() if entry["task_id"] == "passing"]
    assert verdicts == ["reset", "InternalError", "ok"]


def test_without_retries_each_is_asked_once(run: Run, cloud: Any) -> None:
    asked = [entry["task_id"] for entry in cloud.journal()]
    assert {case.name: asked.count(case.name) for case in CASES} == {case.name: 1 for case in CASES}
