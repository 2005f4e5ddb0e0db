# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook for pipelines: starts, waits, reports, and fails with the list of what failed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest

from ..cases import STARTS
from .ansible_runs import AGENT, NEEDS, ROOT, Ansible, Run
from .conftest import Simulator

PASSWORD = "EXAMPLE-FAKE-DOC-PASSWORD"
PLACE = {"bucket": "examplebucket-1250000000", "region": "ap-beijing"}
EVIL = "first\n::error::injected\x1b[31m ##[error]second"  # what GitHub's runner and a terminal would obey
LIVES = [
    {"provider": "ess", "match": "evil", "life": [{"status": "failed", "message": EVIL}]},
    {"provider": "cos_doc", "match": "broken", "life": [{"status": "failed", "message": 'no "head"\n<here>'}]},
    *({"provider": name, "match": "lost", "faults": [{"name": "reset", "after": True}]} for name in ("cos_doc", "ess")),
    {"provider": "cos_doc", "match": "half", "life": [{"status": "partial"}]},
    {"provider": "dingtalk_doc", "match": "small", "at_once": {}},
    *({"provider": name, "life": [{"status": "succeeded"}]} for name in STARTS),
]


class Night(NamedTuple):
    """A run of the playbook and what it wrote."""

    run: Run
    cloud: Simulator
    summary: dict[str, Any] | None
    suite: ET.Element | None


Convert = Callable[..., Night]


@pytest.fixture(scope="module")
def convert(
    start_cloud: Callable[..., Simulator],
    start_ansible: Callable[..., Ansible],
    tmp_path_factory: pytest.TempPathFactory,
) -> Convert:
    """Run the playbook with these variables."""
    cloud = start_cloud({"starts": LIVES})
    ansible = start_ansible({**cloud.environment, "DINGTALK_USER_ACCESS_TOKEN": "EXAMPLE-FAKE-USER-TOKEN"})

    def play(*arguments: str, environment: Mapping[str, str] | None = None, **variables: Any) -> Night:
        folder = tmp_path_factory.mktemp("night")
        reports = {"summary_file": "summary.json", "junit_file": str(folder / "junit.xml")}
        file = folder / "variables.json"
        given = {"ansible_python_interpreter": ansible.python, **reports, **variables}
        file.write_text(json.dumps(given), encoding="utf-8")
        playbook = str(ROOT / "playbooks" / "convert_documents.yml")
        # PWD is stale, as with a program that changed its working directory; only shells keep it true.
        around = {"PWD": str(tmp_path_factory.getbasetemp()), **(environment or {})}
        run = ansible.command("playbook", "-e", f"@{file}", *arguments, playbook, environment=around, folder=folder)
        summary, junit = (folder / path for path in reports.values())
        return Night(
            run,
            cloud,
            json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else None,
            ET.fromstring(junit.read_text(encoding="utf-8")) if junit.exists() else None,
        )

    return play


def document(file: str, **more: Any) -> dict[str, Any]:
    return {"input_object": f"in/{file}", "output": {"object": f"out/{file}-${{Number}}.jpg"}, **more}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run with mixed ends writes its report for people."""
    return tmp_path_factory.mktemp("page") / "report.md"


@pytest.fixture(scope="module")
def wanted(page: Path) -> dict[str, Any]:
    """Four documents, of which one is converted, one fails, one half, and one is not even started."""
    documents = [
        document("good.docx", doc_password=PASSWORD),
        document("broken.docx", name="kaputt 坏的"),
        document("half.docx", name=" \n"),  # which nobody could read
        document("program.exe", name="in/good.docx"),
    ]
    ledger = str(page.with_suffix(".ledger"))
    return {"provider": "cos_doc", "settings": PLACE, "documents": documents, "ledger_file": ledger}


@pytest.fixture(scope="module")
def mixed(convert: Convert, page: Path, wanted: dict[str, Any]) -> Night:
    return convert("-vvv", report_file=str(page), **wanted)


def test_it_fails_and_names_what_failed(mixed: Night) -> None:
    assert mixed.run.status == 2
    assert "3 of 4 documents were not converted" in mixed.run.output
    assert "in/half.docx: partial, 1 of 3 pages failed" in mixed.run.output
    assert "in/good.docx: not_started" in mixed.run.output


def test_lines_of_the_wait_name_the_documents(mixed: Night) -> None:
    assert re.search(r"(?m)^\[localhost\] cloudwait: in/good.docx \(cos_doc \w+\): succeeded", mixed.run.output)
    assert re.search(r"(?m)^\[localhost\] cloudwait: in/half.docx \(cos_doc \w+\): partial", mixed.run.output)
    assert re.search(r"(?m)^\[localhost\] cloudwait: kaputt 坏的 \(cos_doc \w+\): failed", mixed.run.output)


def test_the_summary_has_each_document_in_order(mixed: Night) -> None:
    assert mixed.summary is not None
    found = [(case["name"], case["good"], case["outcome"], case["status"]) for case in mixed.summary["documents"]]
    assert found == [
        ("in/good.docx", True, "satisfied", "succeeded"),
        ("kaputt 坏的", False, "failed", "failed"),
        ("in/half.docx", False, "failed", "partial"),
        ("in/good.docx", False, "not_started", None),
    ]
    assert (mixed.summary["total"], mixed.summary["failed"]) == (4, 3)
    outputs = mixed.summary["documents"][0]["outputs"]
    assert [output["value"] for output in outputs] == ["out/good.docx-1.jpg", "out/good.docx-2.jpg"]


def test_the_junit_report_has_a_case_a_document(mixed: Night) -> None:
    assert mixed.suite is not None
    assert {name: mixed.suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "2",
        "errors": "1",
    }
    cases = list(mixed.suite)
    assert [case.get("name") for case in cases] == ["in/good.docx", "kaputt 坏的", "in/half.docx", "in/good.docx (2)"]
    assert cases[0].find("failure") is None
    failure, lost = cases[1].find("failure"), cases[3].find("error")
    assert failure is not None
    assert lost is not None
    assert failure.get("message") == 'no "head" <here>'
    assert failure.text == 'no "head" <here>'  # GitLab shows the text, and no message
    assert 'which has the suffix "exe"; give source_type' in str(lost.get("message"))
    assert lost.text == lost.get("message")


@pytest.mark.usefixtures("mixed")
def test_the_report_for_people_has_each_document_by_name(page: Path) -> None:
    text = html.unescape(page.read_text(encoding="utf-8"))
    assert "3 of 4 cloud tasks did not satisfy the wait: 2 failed, 1 not started" in text
    names = ("in/good.docx", "kaputt 坏的", "in/half.docx")
    assert [name for name in names if name not in text] == []
    assert 'which has the suffix "exe"' in text
    assert PASSWORD not in text


def inventory_of(folder: Path, *lines: str) -> str:
    """An inventory whose host "far" is reached with a stand-in for ssh that runs these lines of shell."""
    ssh, hosts = folder / "ssh", folder / "hosts"
    unreachable = "unreachable() { echo 'ssh: connect to host far port 22: No route to host' >&2; exit 255; }"
    ssh.write_text("\n".join(["#!/bin/sh", unreachable, *lines, ""]), encoding="utf-8")
    ssh.chmod(0o700)
    options = f"ansible_connection=ssh ansible_ssh_executable={ssh} ansible_ssh_transfer_method=piped"
    hosts.write_text(f"far {options}\n", encoding="utf-8")
    return str(hosts)


@pytest.mark.usefixtures("mixed")
def test_ends_that_the_ledger_knows_count_where_the_wait_cannot_begin(
    convert: Convert, wanted: dict[str, Any], tmp_path: Path
) -> None:
    """Three of the documents and a new one, on a host that cannot be reached any more when the wait shall begin."""
    cut = 'case "$last" in *wait_for_task*) unreachable;; esac'
    hosts = inventory_of(tmp_path, "for last; do :; done", cut, 'exec sh -c "$last"')
    report = tmp_path / "report.md"
    more = {"where": "far", "report_file": str(report), "documents": [*wanted["documents"][:3], document("new.docx")]}
    night = convert("--inventory", hosts, **{**wanted, **more})
    assert night.run.status == 2
    assert night.summary is not None
    cases = night.summary["documents"]
    assert [(case["outcome"], case["status"], case["origin"]) for case in cases] == [
        ("satisfied", "succeeded", "reused"),
        ("failed", "failed", "reused"),
        ("failed", "partial", "reused"),
        ("error", "pending", "new"),
    ]
    assert [case["message"] for case in cases[:2]] == ["", 'no "head" <here>']
    assert "No route to host" in cases[3]["message"]
    text = html.unescape(report.read_text(encoding="utf-8"))
    for told in (
        "\u274c **3 of 4 cloud tasks did not satisfy the wait: 2 failed, 1 could not be polled",
        "No route to host",
        "| succeeded |",
        "out/good.docx-1.jpg",
    ):
        assert told in text


def test_no_password_is_shown(mixed: Night) -> None:
    assert PASSWORD not in mixed.run.output
    assert PASSWORD not in json.dumps(mixed.summary)


@pytest.mark.parametrize("provider", STARTS)
def test_every_provider_has_its_start(convert: Convert, provider: str) -> None:
    nothing = {"on_failed": None, "key": None}  # a null says as much as an option that is left out
    documents = [{"name": name, **nothing, **STARTS[provider].options(name)} for name in ("plan", "minutes")]
    night = convert(provider=provider, settings=NEEDS[provider], documents=documents)
    assert night.run.status == 0, night.run.output
    assert night.summary is not None
    assert [case["outcome"] for case in night.summary["documents"]] == ["satisfied"] * len(documents)
    assert night.summary["failed"] == 0


def test_the_company_edition_of_ess_has_its_start(convert: Convert) -> None:
    documents = [{"name": "plan", **STARTS["ess"].options("plan")}]
    night = convert(provider="ess", settings={"operator": {"user_id": "yDExampleUser"}}, documents=documents)
    assert night.run.status == 0, night.run.output
    assert night.summary is not None
    assert [case["outcome"] for case in night.summary["documents"]] == ["satisfied"]


def test_check_mode_starts_and_writes_nothing(convert: Convert) -> None:
    before = convert("--list-tasks").cloud.stats()
    night = convert("--check", provider="cos_doc", settings=PLACE, documents=[document("checked.docx")])
    assert night.run.status == 0, night.run.output
    assert (night.summary, night.suite) == (None, None)
    lists_only = {**before["calls"], "cos_doc": before["calls"].get("cos_doc", 0) + 1}
    assert (night.cloud.stats()["calls"], night.cloud.stats()["starts"]) == (lists_only, before["starts"])


def test_what_lacks_an_option_keeps_no_other_from_being_converted(convert: Convert) -> None:
    night = convert(provider="cos_doc", settings=PLACE, documents=[document("fine.docx"), {"name": "bare"}])
    assert night.summary is not None
    assert [case["outcome"] for case in night.summary["documents"]] == ["satisfied", "not_started"]
    assert "missing required arguments: output" in night.summary["documents"][1]["message"]


def test_a_start_that_may_have_happened_is_uncertain(convert: Convert) -> None:
    lost = {"resource_id": "yDExample", "resource_name": "lost.docx"}
    night = convert(provider="ess", settings={"agent": AGENT}, documents=[lost])
    assert night.summary is not None
    assert [(case["outcome"], case["origin"]) for case in night.summary["documents"]] == [("uncertain", None)]
    assert "may exist" in night.summary["documents"][0]["message"]


def test_a_start_whose_answer_is_lost_is_found_again(convert: Convert) -> None:
    night = convert(provider="cos_doc", settings=PLACE, documents=[document("lost.docx")])
    assert night.summary is not None
    assert [(case["outcome"], case["origin"]) for case in night.summary["documents"]] == [("satisfied", "adopted")]
    assert "in/lost.docx: out/lost.docx-1.jpg, out/lost.docx-2.jpg (adopted)" in night.run.output


def test_a_key_is_that_of_one_document(convert: Convert, tmp_path: Path) -> None:
    documents = [document("first.docx", key=20261128), document("second.docx", key=20261128)]
    ledger = tmp_path / "keys.ledger"
    night = convert(provider="cos_doc", settings=PLACE, documents=documents, ledger_file=str(ledger))
    assert night.summary is not None
    assert [case["outcome"] for case in night.summary["documents"]] == ["satisfied", "not_started"]
    assert 'the idempotency_key "20261128" is that of another request' in night.summary["documents"][1]["message"]
    assert ledger.exists()


@pytest.fixture(scope="module")
def evil(convert: Convert) -> Night:
    """Names and a vendor's message that try to speak to a terminal and to a pipeline."""
    resource = {"resource_id": "yDExample", "resource_name": "evil.docx"}
    documents = [{**resource, "name": "plan\n::warning::named\x1b[0m"}, resource]
    return convert(provider="ess", settings={"agent": AGENT}, documents=documents)


def test_no_text_of_others_speaks_to_the_terminal_or_the_runner(evil: Night) -> None:
    assert evil.run.status == 2
    assert "2 of 2 documents were not converted: plan ::warning::named [0m: failed, first ::error::injected" in (
        evil.run.output
    )
    assert "\x1b" not in evil.run.output
    assert "##[" not in evil.run.output
    assert not [line for line in evil.run.output.splitlines() if line.lstrip().startswith("::")]


def test_the_summary_has_the_texts_of_others_as_they_are(evil: Night) -> None:
    assert evil.summary is not None
    assert evil.summary["documents"][0]["name"] == "plan\n::warning::named\x1b[0m"


PLAN = {"resource_id": "yDExample", "resource_name": "plan.docx"}
MINUTES = {
    "provider": "dingtalk_doc",
    "settings": {"target_parent_dentry_uuid": "folder"},
    "documents": [{"source_dentry_uuid": "plan"}, {"source_dentry_uuid": "minutes"}],
}
ONE = {"provider": "ess", "documents": []}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"documents": []}, "provider is missing: give one of "),
        ({"provider": "msp", "documents": []}, 'provider is "msp": give one of ess, '),
        ({"provider": "ess"}, "documents is missing: give a list of dicts"),
        ({"provider": "ess", "documents": "[]"}, "documents is a text: give a list of dicts"),
        ({"provider": "ess", "documents": [PLAN, "plan.docx"]}, "Entry 2 of documents is a text: give a dict"),
        ({**ONE, "settings": "x"}, "settings is a text: give a dict"),
        (
            {"provider": "ess", "documents": [PLAN, {"scr": "x"}]},
            "Entry 2 of documents has scr, which it cannot have: the options of a document are agent, api_action, ",
        ),
        (
            {"provider": "ess", "documents": [{**PLAN, "secret_key": PASSWORD}]},
            "Entry 1 of documents has secret_key, which it cannot have: give credentials in settings",
        ),
        (
            {"provider": "mps", "documents": [], "settings": {"bucket": "x", "app_key": PASSWORD}},
            "settings has app_key, bucket, which it cannot have: its options are cvm_role, name, ",
        ),
        (
            {"provider": "mps", "documents": [], "settings": {"session_id": "night"}},
            "settings has session_id, which it cannot have: its options are cvm_role, name, ",
        ),
        ({**MINUTES, "good_ends": ["perfect"]}, 'good_ends has "perfect": give one or more of succeeded, '),
        ({**MINUTES, "wait_seconds": "1h"}, 'wait_seconds is "1h": give a number of seconds, such as 3600.'),
        ({**ONE, "where": "nowhere"}, 'where is "nowhere", which names no host of the inventory: give the name'),
        ({**ONE, "summary_file": ""}, 'summary_file is "": give the path of a file, or leave summary_file out.'),
        ({**ONE, "ledger_file": None}, "ledger_file is null: give the path of a file, or leave ledger_file out."),
        ({**ONE, "ledger_file": "/"}, 'ledger_file is "/", which is a folder: give the path of a file.'),
        ({**ONE, "summary_file": "/"}, 'summary_file is "/", which is a folder: give the path of a file.'),
        (
            {**ONE, "report_file": "a.pdf"},
            'report_file is "a.pdf", whose ending names no format: give a path that ends',
        ),
        (
            {**ONE, "junit_file": "/nowhere/junit.xml"},
            'junit_file is "/nowhere/junit.xml", and the controller has no folder /nowhere: make that folder, or give',
        ),
    ],
)
def test_a_wrong_variable_is_told_before_anything_starts(
    convert: Convert, variables: dict[str, Any], sentence: str
) -> None:
    night = convert(**variables)
    assert night.run.status == 2
    assert sentence in night.run.output
    assert PASSWORD not in night.run.output
    assert (night.summary, night.suite) == (None, None)


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["run", "check"])
def test_each_mistake_has_its_sentence(convert: Convert, arguments: tuple[str, ...]) -> None:
    night = convert(*arguments, provider="msp", documents={}, wait_seconds=-1, detect_changes="etag")
    assert night.run.status == 2
    for name in ('provider is "msp"', "documents is a dict", 'wait_seconds is "-1"', 'detect_changes is "etag"'):
        assert f"{name}: give " in night.run.output


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (None, "ledger_file is null: give an absolute path on far, or one that begins with a tilde, or an empty text"),
        (False, 'ledger_file is "False": give an absolute path on far, or one'),
        (7, 'ledger_file is "7": give an absolute path on far, or one'),
        ("a.ledger", 'ledger_file is "a.ledger": give an absolute path on far, or one'),
    ],
)
def test_the_ledger_of_another_host_has_a_whole_path(
    convert: Convert, tmp_path: Path, given: Any, sentence: str
) -> None:
    """Also one that the inventory gives to that host alone."""
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"far": {"ledger_file": given}}}}), encoding="utf-8")
    night = convert("--inventory", str(inventory), where="far", **ONE)
    assert night.run.status == 2
    assert sentence in night.run.output


def test_two_hosts_are_told_by_name(convert: Convert) -> None:
    night = convert("--inventory", "web1,web2,", where="web*", **ONE)
    assert night.run.status == 2
    assert 'where is "web*", which names 2 hosts (web1, web2): give the name of one host.' in night.run.output


FILM = {"name": "film", **STARTS["mps"].options("film")}


@pytest.mark.parametrize(
    "wanted",
    [
        {"provider": "cos_doc", "documents": [document("far.docx")], "settings": PLACE},
        {"provider": "mps", "documents": [FILM], "settings": {"parameters": None}},
    ],
    ids=["cos_doc", "mps"],
)
def test_a_host_that_cannot_be_reached_is_in_the_reports(
    convert: Convert, tmp_path: Path, wanted: dict[str, Any]
) -> None:
    night = convert("--inventory", inventory_of(tmp_path, "unreachable"), where="far", **wanted)
    assert night.run.status == 2
    assert night.summary is not None
    assert [case["outcome"] for case in night.summary["documents"]] == ["not_started"]
    assert "No route to host" in night.summary["documents"][0]["message"]
    assert night.suite is not None
    assert night.suite.get("errors") == "1"


@pytest.mark.parametrize(
    ("outcomes", "headline"),
    [
        ({"small": "satisfied", "large": "error"}, "\u274c **1 of 2 cloud tasks could not be polled**"),
        ({"small": "satisfied"}, "\u2705 **The cloud task succeeded**"),
    ],
    ids=["some", "all"],
)
def test_what_is_known_of_documents_counts_where_the_wait_cannot_begin(
    convert: Convert, tmp_path: Path, outcomes: dict[str, str], headline: str
) -> None:
    """A user's token can copy, and only an app can ask how far a copy is."""
    no_app = {"DINGTALK_APP_KEY": "", "DINGTALK_APP_SECRET": "", "DINGTALK_ACCESS_TOKEN": ""}
    report = tmp_path / "report.md"
    documents = [{"name": name, **STARTS["dingtalk_doc"].options(name)} for name in outcomes]
    night = convert(provider="dingtalk_doc", documents=documents, report_file=str(report), environment=no_app)
    assert night.summary is not None
    assert {case["name"]: case["outcome"] for case in night.summary["documents"]} == outcomes
    assert all("DINGTALK_APP_KEY" in case["message"] for case in night.summary["documents"] if not case["good"])
    assert night.run.status == (2 if night.summary["failed"] else 0)
    assert report.read_text(encoding="utf-8").splitlines()[2].startswith(headline)


def test_relative_paths_begin_in_the_working_directory(
    convert: Convert, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path_factory.getbasetemp() / "plan.docx").write_bytes(b"PK")
    documents = [{"src": "../plan.docx"}, {"src": "none.docx"}]
    night = convert(provider="ess", settings={"agent": AGENT}, documents=documents)
    assert night.summary is not None
    assert [case["outcome"] for case in night.summary["documents"]] == ["satisfied", "not_started"]
    assert 'none.docx", which cannot be used: No such file' in night.summary["documents"][1]["message"]


def test_keys_are_taken_from_settings_and_not_shown(convert: Convert) -> None:
    keys = {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
    night = convert(
        "-vvv",
        provider="cos_doc",
        settings={**PLACE, **keys},
        documents=[document("keyed.docx")],
        environment={"TENCENTCLOUD_SECRET_ID": "AKIDwrong", "TENCENTCLOUD_SECRET_KEY": "EXAMPLE-WRONG-KEY"},
    )
    assert night.run.status == 0, night.run.output
    for key in keys.values():
        assert key not in night.run.output
        assert key not in json.dumps(night.summary)
