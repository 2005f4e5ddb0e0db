# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status tables against what the vendors' pages list, so that none is forgotten and none is made up."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils import _record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services import mps
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.registry import SERVICES

DOCUMENTED: dict[str, tuple[t.Mapping[str, str], set[str], str]] = {
    "ess": (
        SERVICES["ess"].statuses,
        {"0", "4", "8", "-2", "-6", "-13"},
        "page of ChannelGetTaskResultApi, TaskStatus",
    ),
    "cos_doc": (
        SERVICES["cos_doc"].statuses,
        {"Submitted", "Running", "Success", "Failed", "Pause", "Cancel"},
        "page of CreateDocProcessJobs, State; All is a filter of the list call and no state",
    ),
    "mps": (SERVICES["mps"].statuses, {"WAITING", "PROCESSING", "FINISH"}, "page of DescribeTaskDetail, Status"),
    "dingtalk_doc": (SERVICES["dingtalk_doc"].statuses, {"-1", "0", "1", "2", "3", "4"}, "page of GetTaskInfo, status"),
}


def test_every_provider_has_its_list() -> None:
    assert set(DOCUMENTED) == set(SERVICES)


@pytest.mark.parametrize("provider", DOCUMENTED)
def test_the_table_has_every_documented_status_and_no_other(provider: str) -> None:
    table, documented, source = DOCUMENTED[provider]
    assert set(table) == documented, source


@pytest.mark.parametrize("provider", DOCUMENTED)
def test_the_table_uses_our_words_and_can_end_well_and_go_on(provider: str) -> None:
    words = set(DOCUMENTED[provider][0].values())
    assert words <= set(_record.STATUSES) - {_record.UNKNOWN}
    assert {_record.PENDING, _record.RUNNING, _record.SUCCEEDED} <= words


def test_the_words_of_media_parts_are_those_of_the_sdk() -> None:
    assert {"PROCESSING", "SUCCESS", "FAIL", "ERROR", "WAITING", "FINISH"} == set(mps.PART_STATUSES)


def test_only_four_statuses_are_an_end() -> None:
    assert {"succeeded", "partial", "failed", "canceled"} == _record.TERMINAL
