# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before it costs money, with the vendor's rule, and whose token a copy takes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..cases import STARTS
from .ansible_runs import Run
from .start_runs import USER, error_of, media, sentence, start, starts_of

MIB = 1024 * 1024
#: name: what the sentence has to say
SAID = {
    "pipe": 'pipe.docx", which is not a regular file; give a file',
    "big file": 'big.xlsx", which has 61.0 MB; give one of at most 60 MB, which is what ESS takes of the type xlsx',
    "no agent": "agent lacks proxy_operator.open_id; give agent with all three members",
    "no page number": "which lacks ${Number} or ${Page}; give one, which tells the pages apart",
    "table": "which lacks ${SheetID} in its path or ${Number} in its last part; give both, which tables need",
    "nothing to do": "parameters names nothing to do; give one of MediaProcessTask, ",
    "no user": "no access token of a DingTalk user was given; give user_access_token, or set DINGTALK_USER_ACCESS_TOKEN",
    "upload endpoint": "CLOUDWAIT_ESS_UPLOAD_ENDPOINT is plain http to another machine",
}


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any


def make_tasks(folder: Path) -> dict[str, dict[str, Any]]:
    os.mkfifo(folder / "pipe.docx")
    with (folder / "big.xlsx").open("wb") as big:
        big.truncate(61 * MIB)  # which takes no room
    (folder / "plan.docx").write_bytes(b"PK")
    agent = {"app_id": "yDExample", "proxy_organization_open_id": "org", "proxy_operator": {}}
    elsewhere = {"environment": {"CLOUDWAIT_ESS_UPLOAD_ENDPOINT": "http://files.example.com"}}
    nobody = {"environment": {"DINGTALK_USER_ACCESS_TOKEN": ""}}

    def file(name: str, **more: Any) -> dict[str, Any]:
        return start("ess", "x", src=str(folder / name), resource_id=None, resource_name=None, **more)

    return {
        "pipe": file("pipe.docx"),
        "big file": file("big.xlsx"),
        "no agent": start("ess", "x", agent=agent),
        "no page number": start("cos_doc", "x", output={"object": "out/x.jpg"}),
        "table": start("cos_doc", "x", input_object="in/x.csv"),
        "nothing to do": start("mps", "x", parameters=media("x", MediaProcessTask={})),
        "no user": start("dingtalk_doc", "x", access_token="EXAMPLE-FAKE-ACCESS-TOKEN", keywords=nobody),
        "upload endpoint": file("plan.docx", keywords=elsewhere),
        "two sources": start("ess", "x", src=str(folder / "plan.docx")),
    }


@pytest.fixture(scope="module")
def played(
    start_cloud: Callable[..., Any], start_ansible: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Played:
    cloud = start_cloud()
    tasks = make_tasks(tmp_path_factory.mktemp("files"))
    return Played(start_ansible({**cloud.environment, **USER}).polls(tasks), cloud)


@pytest.mark.parametrize("name", SAID)
def test_the_vendors_rule_is_told(played: Played, name: str) -> None:
    error = error_of(played.run, name)
    assert (error["kind"], error["retryable"]) == ("config", False)
    assert SAID[name] in sentence(played.run, name)


def test_two_sources_are_one_too_many(played: Played) -> None:
    assert "mutually exclusive: src|resource_id" in sentence(played.run, "two sources")


def test_nothing_was_sent(played: Played) -> None:
    assert played.cloud.journal() == []
    assert {starts_of(played.cloud, provider) for provider in STARTS} == {(0, 0)}
