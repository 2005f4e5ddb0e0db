# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts of documents that change: by the ETags of a bucket, with and without the right to list it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..cases import STARTS
from .ansible_runs import NEEDS
from .conftest import Simulator
from .module_runs import Modules, modules
from .start_runs import calls_of, starts_of

OLD, NEW = "2026-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"
A, B = {"etag": "a-1", "last_modified": OLD}, {"etag": "b-2", "last_modified": NEW}
TEN = {f"in/{number:04}.docx": f"etag-{number}" for number in range(2500)}


class Bench:
    """A cloud, and modules to run against it."""

    def __init__(self, cloud: Simulator, runs: Modules) -> None:
        self.cloud = cloud
        self.runs = runs

    def start(self, ledger: Path, version: Any = None, **options: Any) -> str:
        """Start the conversion of a document of this content. Returns how that went."""
        given = {**NEEDS["cos_doc"], **STARTS["cos_doc"].options("plan"), "ledger": str(ledger), **options}
        result = self.runs.run("cos_doc_job", {**given, **({"input_version": version} if version else {})}).result
        assert "started" in result, result
        return str(result["started"])

    def list(self, *names: str, **options: Any) -> dict[str, Any]:
        """Returns the result of a list."""
        given = {**NEEDS["cos_doc"], "objects": list(names), "request_retries": 0, **options}
        return self.runs.run("cos_object_info", given).result


@pytest.fixture(scope="module")
def bench(start_cloud: Callable[..., Simulator], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    scenario = {"starts": [{"provider": "cos_doc", "life": [{"status": "succeeded"}]}], "objects": TEN}
    cloud = start_cloud(scenario)
    with modules(cloud.environment, tmp_path_factory.mktemp("home")) as runs:
        yield Bench(cloud, runs)


@pytest.mark.parametrize(
    "steps",
    [
        [(A, "new"), (A, "before"), (B, "new"), (B, "before")],
        [(A, "new"), (None, "before"), (A, "before")],  # the right to list the bucket is lost, and back
        [(None, "new"), (A, "before"), (A, "before"), (None, "before")],  # it comes later
        [(None, "new"), (A, "before"), ({**A, "last_modified": NEW}, "before"), (B, "new")],  # the same content again
        [(None, "new"), ({"etag": "a-1"}, "before")],
        [(None, "new"), (B, "new"), (None, "before"), (B, "before")],
        [(A, "new"), (B, "new"), ({**A, "last_modified": NEW}, "new"), ({**A, "last_modified": OLD}, "before")],
        [(A, "new"), (B, "new"), (A, "before")],  # a list that lags behind
    ],
    ids=lambda steps: " ".join((version or {"etag": "none"})["etag"] for version, dummy in steps),
)
def test_only_a_change_is_started_again(bench: Bench, tmp_path: Path, steps: list[tuple[Any, str]]) -> None:
    before = starts_of(bench.cloud, "cos_doc")[1]
    told = [bench.start(tmp_path / "starts.ledger", version) for version, dummy in steps]
    assert told == [expected for dummy, expected in steps]
    assert starts_of(bench.cloud, "cos_doc")[1] - before == told.count("new")


def test_a_key_is_stronger_than_a_version(bench: Bench, tmp_path: Path) -> None:
    told = [bench.start(tmp_path / "starts.ledger", version, idempotency_key="night") for version in (A, B)]
    assert told == ["new", "before"]


def test_a_thousand_neighbours_need_one_call(bench: Bench) -> None:
    before = calls_of(bench.cloud, "GetBucket")
    names = list(TEN)[700:1699]
    result = bench.list(*names, "/in/0700.docx", "in/absent.docx")
    assert result["objects"] == {
        name: {"etag": TEN[name.lstrip("/")], "last_modified": OLD} for name in [*names, "/in/0700.docx"]
    }
    assert result["changed"] is False
    assert calls_of(bench.cloud, "GetBucket") - before <= 2


def test_names_far_apart_need_a_call_each(bench: Bench) -> None:
    before = calls_of(bench.cloud, "GetBucket")
    assert list(bench.list("in/2499.docx", "in/0000.docx")["objects"]) == ["in/2499.docx", "in/0000.docx"]
    assert calls_of(bench.cloud, "GetBucket") - before == 2
    assert bench.list()["objects"] == {}
    assert calls_of(bench.cloud, "GetBucket") - before == 2


def test_without_the_right_one_sentence_says_which_is_needed(bench: Bench) -> None:
    bench.cloud.control("objects", {"objects": None})
    result = bench.list("in/0000.docx")
    bench.cloud.control("objects", {"objects": TEN})
    assert result["error"]["kind"] == "permission"
    assert result["msg"].startswith('Listing the objects of the bucket "examplebucket-1250000000" failed: ')
    assert result["msg"].endswith("give this account the permission cos:GetBucket on the bucket.")


def test_temporary_keys_send_their_token(start_cloud: Callable[..., Simulator], tmp_path: Path) -> None:
    keys = {"secret_id": "AKIDEXAMPLE-FAKE-TEMPORARY", "secret_key": "EXAMPLE-FAKE-KEY", "token": "EXAMPLE-FAKE-TOKEN"}
    cloud = start_cloud({"objects": {"in/日报 1.docx": "x-1"}, "credentials": {"tencent": [keys]}})
    with modules(cloud.environment, tmp_path) as runs:
        result = Bench(cloud, runs).list("in/日报 1.docx", **keys)
    assert result["objects"] == {"in/日报 1.docx": {"etag": "x-1", "last_modified": OLD}}


@pytest.mark.parametrize("etag", ["", "x" * 101, "a\nb"])
def test_an_etag_that_cannot_be_in_a_key_is_refused(bench: Bench, tmp_path: Path, etag: str) -> None:
    given = {**NEEDS["cos_doc"], **STARTS["cos_doc"].options("plan"), "ledger": str(tmp_path / "starts.ledger")}
    result = bench.runs.run("cos_doc_job", {**given, "input_version": {"etag": etag}}).result
    assert result["error"]["kind"] == "config"
    assert "input_version.etag is " in result["msg"]


@pytest.mark.parametrize("moment", ["Sun, 29 Nov 2099 00:00:00 GMT", "soon", "", "2026-13-01T00:00:00Z"])
def test_a_change_at_what_is_no_time_is_refused(bench: Bench, tmp_path: Path, moment: str) -> None:
    given = {**NEEDS["cos_doc"], **STARTS["cos_doc"].options("plan"), "ledger": str(tmp_path / "starts.ledger")}
    version = {"etag": "a-1", "last_modified": moment}
    before = starts_of(bench.cloud, "cos_doc")
    result = bench.runs.run("cos_doc_job", {**given, "input_version": version}).result
    assert result["error"]["kind"] == "config"
    assert f'input_version.last_modified is "{moment}", which is no time in ISO 8601; write it as 2026' in result["msg"]
    assert starts_of(bench.cloud, "cos_doc") == before
