# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are sent up to ESS, with the vendor's own SDK as judge."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

from . import test_simulator_clients as clients
from .test_simulator_clients import AGENT, call, refusal
from .test_simulator_starts import CONVERT, run

pytestmark = clients.pytestmark

MIB = 1024 * 1024


def upload(*files: tuple[str, Any], **more: Any) -> dict[str, Any]:
    infos = [
        {"FileName": name, "FileBody": base64.b64encode(body).decode() if isinstance(body, bytes) else body}
        for name, body in files
    ]
    return {"Agent": AGENT, "BusinessType": "DOCUMENT", "FileInfos": infos, **more}


@pytest.fixture(scope="module")
def quiet(start_cloud: Callable[..., Any]) -> Any:
    """One simulator for all that is refused."""
    return start_cloud()


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_files_are_uploaded(start_simulator: Callable[..., Any], method: str) -> None:
    simulator = start_simulator()
    answer = run(simulator, "essbasic", "UploadFiles", upload(("a.docx", b"one"), ("b.DOC", b"two")), method)
    assert (answer.TotalCount, len(set(answer.FileIds)), len(answer.FileUrls)) == (2, 2, 2)
    assert all(re.fullmatch(r"yD[0-9a-f]{30}", file_id) for file_id in answer.FileIds)
    later = answer.Deadline + 1000
    assert call(simulator, "essbasic", "UploadFiles", upload(("a.pdf", b"x"), Deadline=later))["Deadline"] == later
    assert simulator.stats()["starts"] == {}


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({**upload(("a.pdf", b"x")), "BusinessType": "POEM"}, "InvalidParameter.ParamError"),
        ({"Agent": AGENT, "BusinessType": "DOCUMENT"}, "MissingParameter"),
        (upload(), "InvalidParameter.ParamError"),
        (upload(*[("a.pdf", b"x")] * 21), "InvalidParameter.ParamError"),
        (upload(("a.pdf", b"x"), ("b.docx", b"x")), "InvalidParameter.ParamError"),
        (upload(("a.exe", b"x")), "InvalidParameter.ParamError"),
        (upload(("pdf" * 70 + ".pdf", b"x")), "InvalidParameter.ParamError"),
        (upload(("a.pdf", "not base 64!")), "InvalidParameter.ParamError"),
        (upload(("a.pdf", b"")), "InvalidParameter"),
        (upload(("a.pdf", b"x"), Deadline=1), "InvalidParameter.ParamError"),
        ({**upload(("a.pdf", b"x")), "FileInfos": ["x"]}, "InvalidParameter"),
    ],
)
def test_a_wrong_upload_is_refused(quiet: Any, parameters: dict[str, Any], code: str) -> None:
    assert refusal(quiet, "essbasic", "UploadFiles", parameters) == code


def test_files_have_their_largest_sizes(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()
    document = b"x" * (60 * MIB)  # as Base64, 80 MiB
    image = b"x" * (8 * MIB)
    assert call(simulator, "essbasic", "UploadFiles", upload(("a.docx", document)))["TotalCount"] == 1
    assert call(simulator, "essbasic", "UploadFiles", upload(("a.png", image)))["TotalCount"] == 1
    too_large = "InvalidParameter.ParamError"
    assert refusal(simulator, "essbasic", "UploadFiles", upload(("a.png", image + b"x"))) == too_large
    large_name = {**CONVERT, "ResourceName": "n" * (11 * MIB)}
    assert refusal(simulator, "essbasic", "CreateFileConvertTask", large_name) == "RequestSizeLimitExceeded"
