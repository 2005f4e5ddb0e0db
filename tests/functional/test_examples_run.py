# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of each module and plugin run as they stand: collection installed, folder empty, stand-in cloud.

All run in one playbook, with a play for each page. A play has the variables that an example leaves to its reader.
"""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from ..cases import CASES
from .ansible_runs import AGENT, CRASHES, HANGS, ROOT, make_interpreter
from .conftest import DINGTALK, TENCENT, Simulator

NOT_RUN = {
    "cloud_tasks": "it is part of a rulebook; the session rulebook of nox runs such sources with ansible-rulebook"
}

USER_TOKEN = "EXAMPLE-FAKE-USER-TOKEN"
SECRETS = {
    "vault_callback_secret": "EXAMPLE-FAKE-CALLBACK-SECRET",
    "vault_prices_password": "EXAMPLE-FAKE-PASSWORD",
    "vault_dingtalk_user_token": USER_TOKEN,
    "vault_dingtalk_app_key": DINGTALK["app_key"],
    "vault_dingtalk_app_secret": DINGTALK["app_secret"],
}
PROFILE = {"secretId": TENCENT["secret_id"], "secretKey": TENCENT["secret_key"]}
JOB = "<JobId>pages</JobId><Tag>DocProcess</Tag>"
CALLBACK = f"<Response><EventName>TaskFinish</EventName><JobsDetail>{JOB}</JobsDetail></Response>"
IDS = {"transcode_id": "film", "job_id": "pages", "conversion_id": "contract", "copy_id": "plan"}
VARIABLES: dict[str, dict[str, Any]] = {  # what the examples of a page leave to the reader
    **{case.module: dict(case.examples.variables) for case in CASES.values() if case.module and case.examples},
    "callback_refs": {"ansible_eda": {"event": {"payload": {"WorkflowTaskEvent": {"TaskId": "film"}}}}},
    "cos_doc_job": {"report_keys": ["in/april.docx", "in/may.docx"]},
    "dingtalk_doc_copy": {
        "template_uuid": "template",
        "folder_uuid": "folder",
        "month": "2026-01",
        "document_uuids": ["first", "second"],
        "operator_union_id": "union",
    },
    "ess_convert_task": {
        "ess_agent": AGENT,
        "contract_files": ["{{ playbook_dir }}/contract.docx"],
        "uploaded_id": "yDUploadedResource",
    },
    "ledger_info": {
        "key_of_the_contract": "{{ (ledger.entries | selectattr('provider', 'equalto', 'ess') | first).key }}"
    },
    "mps_media_task": {"films": [{"id": "f1", "object": "/in/f1.mov"}, {"id": "f2", "object": "/in/f2.mov"}]},
    "task_info": {**IDS, "media_ids": ["film", "long"]},
    "wait_for_task": {
        **IDS,
        "report_keys": ["in/june.docx"],
        "media_ids": ["film", "trailer"],
        "film_ids": ["film", "torn"],
        "first_id": "film",
        "second_id": "trailer",
        "third_id": "film 3",
        "bastion": "bastion",
    },
    "wait_report": {"film_id": "film", "trailer_id": "trailer", "job_ids": ["pages"]},
}
PRINTS = [
    "torn",  # wait_for_task: which one failed
    "docs/report.docx: The document is torn.",  # cos_doc_job_list_info: which failed, and why
    "https://alidocs.example/copy",  # dingtalk_doc_copy: where the copy is
    *(words for case in CASES.values() if case.examples for words in case.examples.prints),
]


def life(provider: str, task_id: str, *steps: Any) -> dict[str, Any]:
    return {"provider": provider, "task_id": task_id, "life": list(steps)}


def polled(status: str) -> list[dict[str, Any]]:
    """A life that polls find in this status, and that a wait can wait for."""
    ends = status not in ("pending", "running")
    return [{"status": status}] if ends else [{"status": status, "looks": 2}, {"status": "succeeded"}]


GOOD = {"status": "succeeded"}
SCENARIO: dict[str, Any] = {
    "credentials": {"tencent": [TENCENT], "dingtalk": [DINGTALK], "user_access_tokens": [USER_TOKEN]},
    "tasks": [
        *(
            life(word, task_id, *polled(status))
            for word, case in CASES.items()
            if case.examples
            for task_id, status in case.examples.tasks.items()
        ),
        life("mps", "film", {"status": "running", "progress": 50}, GOOD),
        life("mps", "long", {"status": "running", "looks": 3}, GOOD),
        *(life("mps", task_id, GOOD) for task_id in ("trailer", "film 3")),
        life("mps", "torn", {"status": "failed", "message": "The film is torn."}),
        life("mps", "2600000001-WorkflowTask-fedcba9876543210fedcba9876543210tt1", {"status": "pending", "looks": 99}),
        life("mps", "queued", {"status": "pending", "looks": 99}),
        life("cos_doc", "pages", GOOD),
        life("cos_doc", "torn", {"status": "failed", "message": "The document is torn."}),
        life("ess", "contract", GOOD),
        life("dingtalk_doc", "plan", GOOD),
    ],
    "objects": {f"reports/{month}.docx": f"content-of-{month}" for month in ("march", "april")},
    "starts": [
        {"provider": "dingtalk_doc", "times": 1, "at_once": {"name": "Copy", "url": "https://alidocs.example/copy"}},
        *({"provider": case_word, "life": [GOOD]} for case_word in ("cos_doc", "dingtalk_doc", "ess", "mps")),
    ],
}


class Page(NamedTuple):
    """The examples of a module or plugin."""

    name: str
    tasks: list[dict[str, Any]]


def pages() -> Iterator[Page]:
    """The examples of all modules and plugins. Lists come last: they wait for all that others have left open."""
    folders = [ROOT / "plugins" / kind for kind in ("modules", "filter")]
    folders.append(ROOT / "extensions" / "eda" / "plugins" / "event_source")
    for path in [path for folder in folders for path in sorted(folder.glob("[!_]*"))]:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".yml":
            yield Page(path.stem, yaml.safe_load(yaml.safe_load(text)["EXAMPLES"]))
        elif path.suffix == ".py":
            for node in ast.parse(text).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
                    yield Page(path.stem, yaml.safe_load(ast.literal_eval(node.value)))


PAGES = {page.name: page.tasks for page in sorted(pages(), key=lambda page: page.name.endswith("_list_info"))}


@pytest.fixture(scope="module")
def output(
    installed: dict[str, str], start_cloud: Callable[..., Simulator], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """What the playbook printed, once it has ended well."""
    folder = tmp_path_factory.mktemp("examples")
    plays = [
        {
            "name": f"PAGE {name}",
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {**SECRETS, **VARIABLES.get(name, {})},
            "tasks": tasks,
        }
        for name, tasks in PAGES.items()
        if name not in NOT_RUN
    ]
    (folder / "examples.json").write_text(json.dumps(plays), encoding="utf-8")
    python = make_interpreter(folder / "python")
    hosts = "".join(f"{name} ansible_connection=local\n" for name in ("localhost", "bastion"))
    (folder / "hosts").write_text(f"{hosts}[all:vars]\nansible_python_interpreter={python}\n", encoding="utf-8")
    (folder / "contract.docx").write_bytes(b"PK\x03\x04 a contract")
    (folder / "callback.xml").write_text(CALLBACK, encoding="utf-8")
    profiles = Path(installed["HOME"]) / ".tccli"
    profiles.mkdir()
    for name in ("documents", "media", "first", "second"):
        (profiles / f"{name}.credential").write_text(json.dumps(PROFILE), encoding="utf-8")
    run = subprocess.run(
        ["ansible-playbook", "-i", "hosts", "examples.json"],
        cwd=folder,
        env={**installed, **start_cloud(SCENARIO).environment, "ANSIBLE_ASYNC_DIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=HANGS,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


def names(tasks: list[dict[str, Any]]) -> Iterator[str]:
    """The names of Ansible tasks, and of those in their blocks."""
    for task in tasks:
        inner = [each for key in ("block", "rescue", "always") for each in task.get(key, [])]
        if inner:
            yield from names(inner)
        else:
            yield task["name"]


@pytest.mark.parametrize("page", sorted(set(PAGES) - set(NOT_RUN)))
def test_each_example_ran(output: str, page: str) -> None:
    printed = output.partition(f"PLAY [PAGE {page}]")[2].partition("PLAY [")[0]
    assert [name for name in names(PAGES[page]) if f"TASK [{name}]" not in printed] == []
    for words in ("skipping", "WARNING", "DEPRECATED", *CRASHES):
        assert words not in printed, printed


@pytest.mark.parametrize("words", PRINTS)
def test_examples_print_what_they_are_for(output: str, words: str) -> None:
    assert f'"{words}' in output


def test_what_does_not_run_exists() -> None:
    assert set(NOT_RUN) <= set(PAGES)
    assert len(PAGES) > len(NOT_RUN)
