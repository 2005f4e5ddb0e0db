# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service is one file: one that is added is served, and requests for no service get the vendor's error."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from . import conftest
from . import test_simulator_clients as clients
from .test_simulator_clients import KEYS, cos_client
from .test_simulator_jobs import refused

pytestmark = clients.pytestmark

BUCKET = "examplebucket-1250000000"
NEW_SERVICE = """
from services._ci import CiService, results

class Subtitles(CiService):
    name = "cos_subtitle"
    path = "/subtitle_jobs"
    poll_action = "DescribeSubtitleJob"
    tag = "Subtitle"
    has_progress = True

    def operation(self, poll, word):
        good, bad, total = results(poll, ["out/film.srt"])
        return [("SubtitleResult", [("Good", good), ("Bad", bad), ("Total", total)])] if word == "Success" else []
"""


@pytest.fixture
def with_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Copies of the simulator with one file more: `with_file(name, text)`. They are what `start_simulator` starts."""

    def copy(name: str, text: str) -> Path:
        folder = tmp_path / "simulator"
        shutil.copytree(conftest.SIMULATOR, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "services" / name).write_text(text, encoding="utf-8")
        monkeypatch.setattr(conftest, "SIMULATOR", folder)
        return folder

    return copy


def ask(client: Any, path: str, method: str = "GET", domain: str = "ci.ap-beijing.myqcloud.com") -> str:
    """Send a request that the vendor's SDK signs, and return the body of the answer."""
    from qcloud_cos.cos_auth import CosS3Auth

    url = f"http://{BUCKET}.{domain}{path}"
    answer = client.send_request(method=method, url=url, bucket=BUCKET, auth=CosS3Auth(client._conf, path), headers={})
    return str(answer.text)


# A service that is added


def test_a_file_is_all_that_a_service_needs(
    start_simulator: Callable[..., Any], with_file: Callable[[str, str], Path]
) -> None:
    with_file("subtitle.py", NEW_SERVICE)
    task = {
        "provider": "cos_subtitle",
        "task_id": "s1",
        "life": [{"status": "running", "progress": 40}, {"fault": "throttle"}, {"status": "partial"}],
    }
    simulator = start_simulator({"tasks": [task], "rate_limit": {"cos_subtitle": 1000}})
    assert simulator.environment["CLOUDWAIT_COS_SUBTITLE_ENDPOINT"] == simulator.url
    client = cos_client(simulator)
    running = ask(client, "/subtitle_jobs/s1")
    assert "<State>Running</State><Tag>Subtitle</Tag>" in running
    assert "<Operation/><Progress>40</Progress>" in running
    assert refused(ask, client, "/subtitle_jobs/s1") == ("SlowDown", 503)
    over = ask(client, "/subtitle_jobs/s1")
    assert "<SubtitleResult><Good>1</Good><Bad>1</Bad><Total>2</Total></SubtitleResult>" in over
    assert "<Progress>100</Progress>" in over
    assert "<NonExistJobIds>s2</NonExistJobIds>" in ask(client, "/subtitle_jobs/s2")
    assert refused(ask, client, "/subtitle_jobs") == ("MethodNotAllowed", 405)
    assert refused(ask, cos_client(simulator, (KEYS[0], "wrong")), "/subtitle_jobs/s1")[0] == "SignatureDoesNotMatch"
    assert {entry["provider"] for entry in simulator.journal()} == {"cos_subtitle"}
    with pytest.raises(RuntimeError, match=r"starts\[0\].provider: 'cos_subtitle' is not one of"):
        simulator.control("starts", {"starts": [{"provider": "cos_subtitle"}]})


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("empty.py", "", "empty.py defines no service"),
        ("twice.py", NEW_SERVICE.replace("cos_subtitle", "cos_doc"), "twice.py defines cos_doc, which another file"),
        ("half.py", NEW_SERVICE.replace("def operation", "def other"), "operation"),
    ],
)
def test_a_file_that_is_no_service_is_named(
    with_file: Callable[[str, str], Path], name: str, text: str, sentence: str
) -> None:
    command = [sys.executable, str(with_file(name, text)), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode != 0
    assert sentence in result.stderr


# Requests for no service


@pytest.mark.parametrize("path", ["/elsewhere", "/elsewhere/d1", "/doc_jobs_of_others", "/doc"])
def test_a_signed_request_for_an_unknown_path_gets_the_vendors_error(
    start_simulator: Callable[..., Any], path: str
) -> None:
    simulator = start_simulator()
    assert refused(ask, cos_client(simulator), path) == ("NoSuchKey", 404)
    assert refused(ask, cos_client(simulator, (KEYS[0], "wrong")), path) == ("SignatureDoesNotMatch", 403)
    assert [entry["verdict"] for entry in simulator.journal()] == ["NoSuchKey", "SignatureDoesNotMatch"]


def test_another_host_of_the_vendor_has_no_jobs(start_simulator: Callable[..., Any]) -> None:
    life = [{"status": "running"}]
    simulator = start_simulator({"tasks": [{"provider": "cos_doc", "task_id": "d1", "life": life}]})
    client = cos_client(simulator)
    assert refused(ask, client, "/doc_jobs/d1", domain="cos.ap-beijing.myqcloud.com") == ("NoSuchKey", 404)
    assert "<State>Running</State>" in ask(client, "/doc_jobs/d1")
