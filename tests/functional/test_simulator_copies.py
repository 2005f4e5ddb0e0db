# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of DingTalk documents, asked for as its SDK does; that cannot be imported on all Pythons."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

USER_TOKEN = "EXAMPLE-FAKE-USER-TOKEN"
APP_TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
TOKENS = {"credentials": {"access_tokens": [APP_TOKEN]}}
COPY = {"sourceDentryUuid": "EXAMPLEsource", "targetParentDentryUuid": "EXAMPLEfolder"}
AS_USER: tuple[str, str, dict[str, Any]] = ("/v2.0/doc/dentries/copy", USER_TOKEN, {"param": COPY})
AS_APP: tuple[str, str, dict[str, Any]] = (
    "/v2.0/doc/app/dentries/copy",
    APP_TOKEN,
    {"operatorId": "EXAMPLEunion", **COPY},
)


@pytest.fixture(scope="module")
def quiet(start_cloud: Callable[..., Any]) -> Any:
    """One simulator for all that is refused."""
    return start_cloud(TOKENS)


def copy(simulator: Any, path: str, token: str, body: Any) -> Any:
    headers = {"x-acs-dingtalk-access-token": token, "Content-Type": "application/json; charset=utf-8"}
    return simulator.request("POST", path, headers, json.dumps(body).encode())


@pytest.mark.parametrize("order", [AS_USER, AS_APP], ids=["user", "app"])
def test_a_copy_is_started_and_succeeds(start_simulator: Callable[..., Any], order: tuple[str, str, Any]) -> None:
    simulator = start_simulator(TOKENS)
    answer = copy(simulator, *order).json()
    assert sorted(answer) == ["isAsync", "taskId"]
    assert answer["isAsync"] is True
    looks = [simulator.look_at_document(answer["taskId"]).json() for dummy in range(3)]
    assert [look["status"] for look in looks] == [-1, 0, 1]
    assert [look["totalCount"] for look in looks] == [0, 1, 1]
    assert simulator.journal()[0]["action"] == ("CopyDoc" if order is AS_USER else "CopyDocWithAppAuth")


def test_a_copy_may_be_made_at_once(start_simulator: Callable[..., Any]) -> None:
    starts = [{"provider": "dingtalk_doc", "match": "source", "at_once": {"name": "The copy"}}]
    simulator = start_simulator({**TOKENS, "starts": starts})
    answer = copy(simulator, *AS_APP).json()
    assert (answer["isAsync"], "taskId" in answer) == (False, False)
    result = answer["syncCopyResult"]
    assert (result["name"], result["spaceInfo"]) == ("The copy", {"sceneType": "im"})
    assert {"dentryUuid", "driveDentryId", "driveSpaceId", "extension", "url"} < set(result)
    assert simulator.stats()["made"] == {"dingtalk_doc": 1}


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ((AS_USER[0], APP_TOKEN, AS_USER[2]), 400, "InvalidAuthentication"),
        ((AS_APP[0], USER_TOKEN, AS_APP[2]), 400, "InvalidAuthentication"),
        ((*AS_USER[:2], COPY), 400, "paramError"),
        ((*AS_USER[:2], {"param": {"sourceDentryUuid": "x"}}), 400, "paramError"),
        ((*AS_APP[:2], COPY), 400, "paramError"),
        ((*AS_APP[:2], {**AS_APP[2], "targetPreDentryUuid": 5}), 400, "paramError"),
        ((*AS_APP[:2], []), 400, "Missingbody"),
        (("/v2.0/doc/dentries/move", APP_TOKEN, COPY), 404, "InvalidAction.NotFound"),
    ],
)
def test_a_wrong_copy_is_refused(quiet: Any, order: tuple[str, str, Any], status: int, code: str) -> None:
    answer = copy(quiet, *order)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert quiet.stats()["made"] == {}


def test_user_tokens_are_the_scenarios(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"credentials": {"user_access_tokens": ["another"]}})
    assert copy(simulator, *AS_USER).status == 400
    task_id = copy(simulator, AS_USER[0], "another", AS_USER[2]).json()["taskId"]
    assert simulator.look_at_document(task_id, "another").json()["code"] == "InvalidAuthentication"
